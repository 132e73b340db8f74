#pragma once
/// Network in Network: small networks of 1x1 convolutions between poolings, and classes straight
/// from the mean of the last map.
/// Source: Lin et al. 2013, "Network in network", section 4.2 (CIFAR-10).

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network nin(const Image& picture = {32, 32, 3}, int64_t classes = 10) {
  Network net("nin");
  Tensor x = net.input("image", picture);
  x = x | conv_relu(192, 5, {.pad = 2}) | conv_relu(160, 1) | conv_relu(96, 1) |
      max_pool(3, {.stride = 2, .ceil = true}) | dropout(0.5f);
  x = x | conv_relu(192, 5, {.pad = 2}) | conv_relu(192, 1) | conv_relu(192, 1) |
      average_pool(3, {.stride = 2, .ceil = true}) | dropout(0.5f);
  x = x | conv_relu(192, 3, {.pad = 1}) | conv_relu(192, 1) | conv_relu(classes, 1) |
      global_average_pool() | flatten;
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
