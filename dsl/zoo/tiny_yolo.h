#pragma once
/// Tiny YOLO v2: boxes and classes for each cell of a 13x13 grid.
/// Source: Redmon and Farhadi 2016, "YOLO9000", and its published configuration for Pascal VOC:
/// five anchors of 5 + 20 numbers each.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network tiny_yolo_v2(const Image& picture = {416, 416, 3}, int64_t classes = 20) {
  Network net("tiny_yolo_v2");
  const auto layer = [](int64_t filters) {
    return [=](Tensor x) { return x | conv_bn(filters, 3, {.pad = 1}) | leaky_relu(0.1f); };
  };
  Tensor x = net.input("image", picture) | layer(16);
  for (int64_t filters : {32, 64, 128, 256, 512}) x = x | max_pool(2) | layer(filters);
  x = x | max_pool(2, {.stride = 1, .pad = Padding({0, 0}, {1, 1})});
  x = x | layer(1024) | layer(1024) | conv(5 * (5 + classes), 1);
  net.output("grid", x);
  const Shape grid = x.shape();
  net.loss("loss", mean_square(x, net.target("wanted", Shape{grid[1], grid[2], grid[3]})));
  return net;
}

}  // namespace halcyon::dsl::zoo
