#pragma once
/// DenseNet-121: every layer of a block reads all that came before it.
/// Source: Huang et al. 2016, "Densely connected convolutional networks", table 1, growth rate 32.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network densenet121(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  Network net("densenet121");
  Tensor x = net.input("image", picture);
  x = x | conv_bn_relu(64, 7, {.stride = 2, .pad = 3}) | max_pool(3, {.stride = 2, .pad = 1});
  x = x | dense_block(6, 32) | transition();
  x = x | dense_block(12, 32) | transition();
  x = x | dense_block(24, 32) | transition();
  x = x | dense_block(16, 32) | batch_norm() | relu;
  x = x | global_average_pool() | flatten | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
