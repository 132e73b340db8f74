#pragma once
/// Pictures made to fit.

#include <span>
#include <vector>

#include "runtime/dataset.h"

namespace halcyon::runtime {

/// Stretches or shrinks to height x width. Bilinear between the centres of pixels, edges repeated;
/// where it shrinks, the triangle is as wide as a new pixel, so that no old one is skipped (as
/// Pillow and torchvision do).
/// Shapes: pixels [H, W, C] of `shape` -> [height, width, C]; extents at least 1
std::vector<float> resize_bilinear(std::span<const float> pixels, const PictureShape& shape,
                                   int64_t height, int64_t width);

}  // namespace halcyon::runtime
