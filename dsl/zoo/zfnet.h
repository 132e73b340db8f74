#pragma once
/// ZFNet: AlexNet with a finer first layer.
/// Source: Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks", figure
/// 3; its maps of 110, 55, 26 and 13 need one pixel of padding in the first convolution and ceil
/// mode in the pools.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network zfnet(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  Network net("zfnet");
  Tensor x = net.input("image", picture);
  x = x | conv_relu(96, 7, {.stride = 2, .pad = 1}) | max_pool(3, {.stride = 2, .ceil = true}) |
      local_response_norm(5);
  x = x | conv_relu(256, 5, {.stride = 2}) | max_pool(3, {.stride = 2, .ceil = true}) |
      local_response_norm(5);
  x = x | conv_relu(384, 3, {.pad = 1}) | conv_relu(384, 3, {.pad = 1}) |
      conv_relu(256, 3, {.pad = 1}) | max_pool(3, {.stride = 2});
  x = x | flatten | dense(4096) | relu | dropout(0.5f) | dense(4096) | relu | dropout(0.5f) |
      dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
