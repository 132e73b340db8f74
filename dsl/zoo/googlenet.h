#pragma once
/// GoogLeNet with both auxiliary classifiers, which an inference library does not contain.
/// Source: Szegedy et al. 2014, "Going deeper with convolutions", table 1.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

constexpr Network googlenet(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  Network net("googlenet");
  const PoolOptions half = {.stride = 2, .ceil = true};
  Tensor x = net.input("image", picture);
  x = x | conv_relu(64, 7, {.stride = 2, .pad = 3}) | max_pool(3, half) | local_response_norm(5);
  x = x | conv_relu(64, 1) | conv_relu(192, 3, {.pad = 1}) | local_response_norm(5) |
      max_pool(3, half);
  //               1x1  3x3: reduce, out  5x5: reduce, out  pool
  x = x | inception({64, 96, 128, 16, 32, 32}, {.name = "3a"});
  x = x | inception({128, 128, 192, 32, 96, 64}, {.name = "3b"}) | max_pool(3, half);
  const Tensor a = x = x | inception({192, 96, 208, 16, 48, 64}, {.name = "4a"});
  x = x | inception({160, 112, 224, 24, 64, 64}, {.name = "4b"});
  x = x | inception({128, 128, 256, 24, 64, 64}, {.name = "4c"});
  const Tensor d = x = x | inception({112, 144, 288, 32, 64, 64}, {.name = "4d"});
  x = x | inception({256, 160, 320, 32, 128, 128}, {.name = "4e"}) | max_pool(3, half);
  x = x | inception({256, 160, 320, 32, 128, 128}, {.name = "5a"});
  x = x | inception({384, 192, 384, 48, 128, 128}, {.name = "5b"});
  x = x | global_average_pool() | flatten | dropout(0.4f) | dense(classes);
  net.output("scores", x | softmax);

  const Tensor label = net.labels("label");
  net.loss("loss", softmax_cross_entropy(x, label));
  net.loss("auxiliary_4a", softmax_cross_entropy(a | auxiliary_head(classes), label), 0.3f);
  net.loss("auxiliary_4d", softmax_cross_entropy(d | auxiliary_head(classes), label), 0.3f);
  return net;
}

}  // namespace halcyon::dsl::zoo
