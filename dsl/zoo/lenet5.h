#pragma once
/// LeNet-5 with ReLU and max pooling, on colour pictures of 32x32 unless told otherwise.
/// Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition", figure 2.

#include "dsl/layers.h"

namespace halcyon::dsl::zoo {

constexpr Network lenet5(int64_t height = 32, int64_t width = 32, int64_t channels = 3,
                         int64_t classes = 10) {
  Network net("lenet5");
  Tensor x = net.input("image", {.height = height, .width = width, .channels = channels});
  x = x | conv(8, 5) | relu | max_pool(2) | conv(16, 5) | relu | max_pool(2) | flatten |
      dense(120) | relu | dense(84) | relu | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
