#pragma once
/// Pictures made to fit.

#include "runtime/tensor.h"

namespace halcyon::runtime {

/// Stretches or shrinks to height x width. Bilinear between the centres of pixels, edges repeated;
/// where it shrinks, the triangle is as wide as a new pixel, so that no old one is skipped (as
/// Pillow and torchvision do).
/// Shapes: [N,H,W,C] -> [N,height,width,C]
/// Errors: UserError for other than floats with four axes, and for pictures without pixels.
Tensor resize_bilinear(const Tensor& pictures, int64_t height, int64_t width);

}  // namespace halcyon::runtime
