#pragma once
/// U-Net: down to a coarse map and up again, with what was seen on the way down beside it.
/// Source: Ronneberger et al. 2015, "U-Net: convolutional networks for biomedical image
/// segmentation", figure 1.

#include <array>

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

/// The middle of x, as large as the map of y.
constexpr Tensor crop_to(Tensor x, Tensor y) {
  Spatial begin = {0, 0}, end = {0, 0};
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t surplus = x.shape().spatial(axis) - y.shape().spatial(axis);
    begin[axis] = surplus / 2;
    end[axis] = surplus - surplus / 2;
  }
  return x | crop({begin, end});
}

}  // namespace detail

/// `width`: channels of the first level; each level below has twice as many.
/// Scores of each class at each pixel of the picture's middle: [N,classes,H-184,W-184].
constexpr Network unet(const Image& picture = {572, 572, 1}, int64_t classes = 2,
                       int64_t width = 64) {
  Network net("unet");
  Tensor x = net.input("image", picture);
  std::array<Tensor, 4> seen;
  for (Tensor& before : seen) {
    before = x | conv_relu(width, 3) | conv_relu(width, 3);
    x = before | max_pool(2);
    width *= 2;
  }
  x = x | conv_relu(width, 3) | conv_relu(width, 3);
  for (int level = 3; level >= 0; --level) {
    width /= 2;
    x = x | conv_transpose(width, 2, {.stride = 2});
    x = concat({detail::crop_to(seen[static_cast<std::size_t>(level)], x), x});
    x = x | conv_relu(width, 3) | conv_relu(width, 3);
  }
  x = x | conv(classes, 1);
  net.output("scores", x | softmax);
  const Shape map = x.shape();
  net.loss("loss", mean_square(x | softmax, net.target("mask", Shape{map[1], map[2], map[3]})));
  return net;
}

}  // namespace halcyon::dsl::zoo
