#pragma once
/// A fully convolutional classifier of time series, one spatial axis.
/// Source: Wang et al. 2016, "Time series classification from scratch with deep neural networks",
/// section II.B.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network series_fcn(int64_t length = 140, int64_t channels = 1, int64_t classes = 5) {
  Network net("series_fcn");
  Tensor x = net.input("series", Shape{channels, length});
  x = x | conv_bn_relu(128, 8, {.pad = same}) | conv_bn_relu(256, 5, {.pad = same}) |
      conv_bn_relu(128, 3, {.pad = same}) | global_average_pool() | flatten | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
