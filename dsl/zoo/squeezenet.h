#pragma once
/// SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.
/// Source: Iandola et al. 2016, "SqueezeNet", table 1; 1.1 from the authors' repository, with 2.4
/// times fewer multiplications.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

/// The classifier: dropout, 1x1 to the classes, mean.
constexpr void finish_squeezenet(Network& net, Tensor x, int64_t classes) {
  x = x | dropout(0.5f) | conv_relu(classes, 1) | global_average_pool() | flatten;
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
}

}  // namespace detail

constexpr Network squeezenet1_0(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  Network net("squeezenet1_0");
  const PoolOptions half = {.stride = 2, .ceil = true};
  Tensor x = net.input("image", picture);
  x = x | conv_relu(96, 7, {.stride = 2}) | max_pool(3, half);
  x = x | fire(16, 64) | fire(16, 64) | fire(32, 128) | max_pool(3, half);
  x = x | fire(32, 128) | fire(48, 192) | fire(48, 192) | fire(64, 256) | max_pool(3, half);
  x = x | fire(64, 256);
  detail::finish_squeezenet(net, x, classes);
  return net;
}

constexpr Network squeezenet1_1(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  Network net("squeezenet1_1");
  const PoolOptions half = {.stride = 2, .ceil = true};
  Tensor x = net.input("image", picture);
  x = x | conv_relu(64, 3, {.stride = 2}) | max_pool(3, half);
  x = x | fire(16, 64) | fire(16, 64) | max_pool(3, half);
  x = x | fire(32, 128) | fire(32, 128) | max_pool(3, half);
  x = x | fire(48, 192) | fire(48, 192) | fire(64, 256) | fire(64, 256);
  detail::finish_squeezenet(net, x, classes);
  return net;
}

}  // namespace halcyon::dsl::zoo
