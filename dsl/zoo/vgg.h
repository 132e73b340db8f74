#pragma once
/// VGG: 3x3 convolutions alone, 16 or 19 layers with weights.
/// Source: Simonyan and Zisserman 2014, "Very deep convolutional networks for large-scale image
/// recognition", table 1, columns D and E.

#include <array>

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

/// `depths`: convolutions in each of the five stages.
constexpr Network vgg(std::string_view name, const std::array<int, 5>& depths, const Image& picture,
                      int64_t classes) {
  constexpr std::array<int64_t, 5> kFilters = {64, 128, 256, 512, 512};
  Network net(name);
  Tensor x = net.input("image", picture);
  for (std::size_t stage = 0; stage < 5; ++stage) {
    for (int i = 0; i < depths[stage]; ++i) x = x | conv_relu(kFilters[stage], 3, {.pad = 1});
    x = x | max_pool(2);
  }
  x = x | flatten | dense(4096) | relu | dropout(0.5f) | dense(4096) | relu | dropout(0.5f) |
      dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace detail

constexpr Network vgg16(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  return detail::vgg("vgg16", {2, 2, 3, 3, 3}, picture, classes);
}

constexpr Network vgg19(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  return detail::vgg("vgg19", {2, 2, 4, 4, 4}, picture, classes);
}

}  // namespace halcyon::dsl::zoo
