#pragma once
/// AlexNet with local response normalisation and grouped convolutions.
/// Source: Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
/// networks", figure 2; pictures of 227x227, of which the first layer needs every pixel.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network alexnet(const Image& picture = {227, 227, 3}, int64_t classes = 1000) {
  Network net("alexnet");
  Tensor x = net.input("image", picture);
  x = x | conv_relu(96, 11, {.stride = 4}) | local_response_norm(5) | max_pool(3, {.stride = 2});
  x = x | conv_relu(256, 5, {.pad = 2, .groups = 2}) | local_response_norm(5) |
      max_pool(3, {.stride = 2});
  x = x | conv_relu(384, 3, {.pad = 1}) | conv_relu(384, 3, {.pad = 1, .groups = 2}) |
      conv_relu(256, 3, {.pad = 1, .groups = 2}) | max_pool(3, {.stride = 2});
  x = x | flatten | dense(4096) | relu | dropout(0.5f) | dense(4096) | relu | dropout(0.5f) |
      dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
