#pragma once
/// VoxNet: shapes from occupied cells of a cube, three spatial axes.
/// Source: Maturana and Scherer 2015, "VoxNet: a 3D convolutional neural network for real-time
/// object recognition", section III.C.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network voxnet(int64_t extent = 32, int64_t classes = 40) {
  Network net("voxnet");
  Tensor x = net.input("occupancy", Shape{1, extent, extent, extent});
  x = x | conv(32, 5, {.stride = 2}) | leaky_relu(0.1f) | dropout(0.2f);
  x = x | conv(32, 3) | leaky_relu(0.1f) | max_pool(2) | dropout(0.3f);
  x = x | flatten | dense(128) | relu | dropout(0.4f) | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
