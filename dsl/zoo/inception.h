#pragma once
/// Inception v2 (batch normalised) and v3.
/// Source: Ioffe and Szegedy 2015, "Batch normalization", figure 5; Szegedy et al. 2015,
/// "Rethinking the inception architecture for computer vision", figures 5 to 7 with the numbers of
/// torchvision.

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

/// A row of figure 5. Without 1x1 filters the module halves the map and passes its input through a
/// max pool.
struct InceptionV2Row {
  int64_t conv1x1, reduce3x3, conv3x3, reduce_double, conv_double, pool_proj;
  bool max = false;  ///< pools the maximum, not the mean
};

constexpr Tensor inception_v2(Tensor x, const InceptionV2Row& row) {
  const bool halves = row.conv1x1 == 0;
  const int64_t stride = halves ? 2 : 1;
  const Tensor b = x | conv_bn_relu(row.reduce3x3, 1) |
                   conv_bn_relu(row.conv3x3, 3, {.stride = stride, .pad = 1});
  const Tensor c = x | conv_bn_relu(row.reduce_double, 1) |
                   conv_bn_relu(row.conv_double, 3, {.pad = 1}) |
                   conv_bn_relu(row.conv_double, 3, {.stride = stride, .pad = 1});
  if (halves) return concat({b, c, x | max_pool(3, {.stride = 2, .pad = 1})});
  const Tensor a = x | conv_bn_relu(row.conv1x1, 1);
  const PoolOptions same = {.stride = 1, .pad = 1};
  const Tensor pooled = row.max ? x | max_pool(3, same) : x | average_pool(3, same);
  return concat({a, b, c, pooled | conv_bn_relu(row.pool_proj, 1)});
}

}  // namespace detail

constexpr Network inception_v2(const Image& picture = {224, 224, 3}, int64_t classes = 1000) {
  constexpr detail::InceptionV2Row kTable[] = {
      {64, 64, 64, 64, 96, 32},       {64, 64, 96, 64, 96, 64},
      {0, 128, 160, 64, 96, 0},       {224, 64, 96, 96, 128, 128},
      {192, 96, 128, 96, 128, 128},   {160, 128, 160, 128, 160, 96},
      {96, 128, 192, 160, 192, 96},   {0, 128, 192, 192, 256, 0},
      {352, 192, 320, 160, 224, 128}, {352, 192, 320, 192, 224, 128, true}};
  Network net("inception_v2");
  const PoolOptions half = {.stride = 2, .pad = 1};
  Tensor x = net.input("image", picture);
  x = x | conv_bn_relu(64, 7, {.stride = 2, .pad = 3}) | max_pool(3, half);
  x = x | conv_bn_relu(64, 1) | conv_bn_relu(192, 3, {.pad = 1}) | max_pool(3, half);
  for (const detail::InceptionV2Row& row : kTable) x = detail::inception_v2(x, row);
  x = x | global_average_pool() | flatten | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

namespace detail {

/// Source: figure 5: 5x5 as two 3x3 in one branch.
constexpr Tensor inception_v3_a(Tensor x, int64_t pool_features) {
  const Tensor a = x | conv_bn_relu(64, 1);
  const Tensor b = x | conv_bn_relu(48, 1) | conv_bn_relu(64, 5, {.pad = 2});
  const Tensor c =
      x | conv_bn_relu(64, 1) | conv_bn_relu(96, 3, {.pad = 1}) | conv_bn_relu(96, 3, {.pad = 1});
  const Tensor d = x | average_pool(3, {.stride = 1, .pad = 1, .count_padding = true}) |
                   conv_bn_relu(pool_features, 1);
  return concat({a, b, c, d});
}

constexpr Tensor inception_v3_b(Tensor x) {
  const Tensor a = x | conv_bn_relu(384, 3, {.stride = 2});
  const Tensor b = x | conv_bn_relu(64, 1) | conv_bn_relu(96, 3, {.pad = 1}) |
                   conv_bn_relu(96, 3, {.stride = 2});
  return concat({a, b, x | max_pool(3, {.stride = 2})});
}

/// Source: figure 6: 7x7 as 1x7 and 7x1.
constexpr Tensor inception_v3_c(Tensor x, int64_t width) {
  const ConvOptions row = {.pad = {0, 3}}, column = {.pad = {3, 0}};
  const Tensor a = x | conv_bn_relu(192, 1);
  const Tensor b = x | conv_bn_relu(width, 1) | conv_bn_relu(width, {1, 7}, row) |
                   conv_bn_relu(192, {7, 1}, column);
  const Tensor c = x | conv_bn_relu(width, 1) | conv_bn_relu(width, {7, 1}, column) |
                   conv_bn_relu(width, {1, 7}, row) | conv_bn_relu(width, {7, 1}, column) |
                   conv_bn_relu(192, {1, 7}, row);
  const Tensor d =
      x | average_pool(3, {.stride = 1, .pad = 1, .count_padding = true}) | conv_bn_relu(192, 1);
  return concat({a, b, c, d});
}

constexpr Tensor inception_v3_d(Tensor x) {
  const Tensor a = x | conv_bn_relu(192, 1) | conv_bn_relu(320, 3, {.stride = 2});
  const Tensor b = x | conv_bn_relu(192, 1) | conv_bn_relu(192, {1, 7}, {.pad = {0, 3}}) |
                   conv_bn_relu(192, {7, 1}, {.pad = {3, 0}}) | conv_bn_relu(192, 3, {.stride = 2});
  return concat({a, b, x | max_pool(3, {.stride = 2})});
}

/// Source: figure 7: 3x3 as 1x3 and 3x1 side by side.
constexpr Tensor inception_v3_e(Tensor x) {
  const auto spread = [](Tensor from) {
    return concat({from | conv_bn_relu(384, {1, 3}, {.pad = {0, 1}}),
                   from | conv_bn_relu(384, {3, 1}, {.pad = {1, 0}})});
  };
  const Tensor a = x | conv_bn_relu(320, 1);
  const Tensor b = spread(x | conv_bn_relu(384, 1));
  const Tensor c = spread(x | conv_bn_relu(448, 1) | conv_bn_relu(384, 3, {.pad = 1}));
  const Tensor d =
      x | average_pool(3, {.stride = 1, .pad = 1, .count_padding = true}) | conv_bn_relu(192, 1);
  return concat({a, b, c, d});
}

}  // namespace detail

constexpr Network inception_v3(const Image& picture = {299, 299, 3}, int64_t classes = 1000) {
  Network net("inception_v3");
  Tensor x = net.input("image", picture);
  x = x | conv_bn_relu(32, 3, {.stride = 2}) | conv_bn_relu(32, 3) |
      conv_bn_relu(64, 3, {.pad = 1}) | max_pool(3, {.stride = 2});
  x = x | conv_bn_relu(80, 1) | conv_bn_relu(192, 3) | max_pool(3, {.stride = 2});
  for (int64_t pool_features : {32, 64, 64}) x = detail::inception_v3_a(x, pool_features);
  x = detail::inception_v3_b(x);
  for (int64_t width : {128, 160, 160, 192}) x = detail::inception_v3_c(x, width);
  const Tensor middle = x;
  x = detail::inception_v3_d(x);
  x = detail::inception_v3_e(detail::inception_v3_e(x));
  x = x | global_average_pool() | flatten | dropout(0.5f) | dense(classes);
  net.output("scores", x | softmax);

  // On smaller pictures than the paper's the windows are as large as their maps.
  const Tensor pooled = middle | average_pool(dsl::detail::at_most_map(5, middle), {.stride = 3});
  const Tensor auxiliary = pooled | conv_bn_relu(128, 1) |
                           conv_bn_relu(768, dsl::detail::at_most_map(5, pooled)) |
                           global_average_pool() | flatten | dense(classes);
  const Tensor label = net.labels("label");
  net.loss("loss", softmax_cross_entropy(x, label));
  net.loss("auxiliary", softmax_cross_entropy(auxiliary, label), 0.4f);
  return net;
}

}  // namespace halcyon::dsl::zoo
