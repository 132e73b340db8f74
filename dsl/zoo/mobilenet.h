#pragma once
/// MobileNets: depthwise convolutions with 1x1 convolutions between them.
/// Source: Howard et al. 2017, "MobileNets", table 1; Sandler et al. 2018, "MobileNetV2", table 2.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network mobilenet_v1(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  Network net("mobilenet_v1");
  Tensor x = net.input("image", picture);
  x = x | conv_bn_relu(32, 3, {.stride = 2, .pad = 1});
  x = x | depthwise_separable(64) | depthwise_separable(128, 2) | depthwise_separable(128);
  x = x | depthwise_separable(256, 2) | depthwise_separable(256) | depthwise_separable(512, 2);
  for (int i = 0; i < 5; ++i) x = x | depthwise_separable(512);
  x = x | depthwise_separable(1024, 2) | depthwise_separable(1024);
  x = x | global_average_pool() | flatten | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

constexpr Network mobilenet_v2(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  struct Row {
    int64_t expansion, filters, repeat, stride;
  };
  constexpr Row kTable[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                            {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  Network net("mobilenet_v2");
  Tensor x = net.input("image", picture);
  x = x | conv_bn(32, 3, {.stride = 2, .pad = 1}) | relu6;
  for (const Row& row : kTable) {
    for (int64_t i = 0; i < row.repeat; ++i) {
      x = x | inverted_residual(row.filters, row.expansion, i == 0 ? row.stride : 1);
    }
  }
  x = x | conv_bn(1280, 1) | relu6 | global_average_pool() | flatten | dropout(0.2f) |
      dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
