#pragma once
/// ShuffleNet v1, three groups: grouped 1x1 convolutions whose channels are shuffled between
/// groups. Source: Zhang et al. 2017, "ShuffleNet", table 1, g = 3, and figure 2.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

/// With stride 2 the mean-pooled input is joined to the result; otherwise the input is added.
constexpr Tensor shuffle_unit(Tensor x, int64_t filters, int64_t groups, int64_t stride,
                              bool first_grouped) {
  const int64_t out = stride == 2 ? filters - x.channels() : filters;
  const int64_t hidden = filters / 4;
  Tensor y = x | conv_bn_relu(hidden, 1, {.groups = first_grouped ? groups : 1});
  if (first_grouped) y = y | channel_shuffle(groups);
  y = y | conv_bn(hidden, 3, {.stride = stride, .pad = 1, .groups = hidden}) |
      conv_bn(out, 1, {.groups = groups});
  if (stride == 1) return add(x, y) | relu;
  return concat({x | average_pool(3, {.stride = 2, .pad = 1}), y}) | relu;
}

}  // namespace detail

constexpr Network shufflenet(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  constexpr int64_t kGroups = 3;
  Network net("shufflenet");
  Tensor x = net.input("image", picture);
  x = x | conv_bn_relu(24, 3, {.stride = 2, .pad = 1}) | max_pool(3, {.stride = 2, .pad = 1});
  int64_t filters = 240;
  for (int repeat : {3, 7, 3}) {
    // The first 1x1 of all has too few channels for groups.
    x = detail::shuffle_unit(x, filters, kGroups, 2, filters > 240);
    for (int i = 0; i < repeat; ++i) x = detail::shuffle_unit(x, filters, kGroups, 1, true);
    filters *= 2;
  }
  x = x | global_average_pool() | flatten | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
