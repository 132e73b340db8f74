#pragma once
/// Networks that have every operator that a network is written with, every option, and every way to
/// have a name.

#include <vector>

#include "dsl/layers.h"
#include "dsl/norm_layers.h"

namespace halcyon::tests {

inline dsl::Network convolutions() {
  using namespace dsl;
  Network net("convolutions");
  Tensor x = net.input("image", {.height = 19, .width = 17, .channels = 6});
  x = x | conv(8, {3, 5}, {.stride = {2, 1}, .pad = {1, 2}, .dilation = {1, 2}, .groups = 2});
  x = x | conv(6, 3, {.stride = 2, .pad = same, .init = he(), .name = "even"}) |
      conv(6, 2, {.pad = same, .bias = false, .init = xavier()});
  x = x | conv(4, 1, {.init = normal(0.25f), .bias_init = constant(0.5f)}) |
      conv(4, 1, {.init = uniform(0.125f), .name = "conv9"});
  x = x | conv_transpose(5, 3, {.stride = 2, .pad = 1, .output_padding = 1, .name = "up"}) |
      conv_transpose(4, {2, 3}, {.pad = Padding({0, 1}, {1, 1}), .groups = 1, .bias = false});
  const Tensor a = x | max_pool({2, 3}, {.stride = 1, .pad = Padding({0, 1}, {1, 1})}) |
                   average_pool(3, {.stride = 2, .ceil = true, .count_padding = true}) |
                   max_pool(2, {.stride = 2, .pad = same, .dilation = 1, .name = "p"});
  const Tensor b = a | global_average_pool() | flatten;
  const Tensor c = a | global_max_pool({.keep_dims = false, .name = "most"});
  const Tensor d =
      a | reduce(ops::ReduceKind::mean, {2, 3}, {.keep_dims = false}) | named(flatten, "flat");
  x = concat({b, c, d}, "all") | dense(7, {.name = "fc"}) | dropout() | dropout(0.25f, "drop") |
      dense(5, {.bias = false});
  const Tensor classes = net.labels("classes");
  net.output("odds", x | named(softmax, "odds"));
  net.output("logs", x | log_softmax() | log_softmax("again"));
  net.loss("main", softmax_cross_entropy(x, classes, "entropy"), 0.75f);
  net.loss("other", softmax_cross_entropy(d | dense(5), classes));
  return net;
}

inline dsl::Network movements() {
  using namespace dsl;
  Network net("movements");
  Tensor x = net.input("maps", Shape{8, 6, 10});
  x = x | pad(Padding({1, 0}, {0, 2}), {.mode = ops::PadMode::reflect, .name = "border"}) |
      pad({1, 2}, {.value = -1.5f, .channels_end = 1}) | slice(1, 0, 8) |
      slice(3, 13, 1, {.step = -2, .name = "back"}) | crop({1, 1}, "inner");
  const Tensor y = apply(ops::Slice{.begin = {1, 0, 0}, .end = {7, 4, 4}, .step = {2, 3, 1}}, {x});
  net.output("turned", y | transpose({3, 1, 2}) | transpose({2, 3, 1}, "axes"));
  x = x | reshape({8, -1}) | reshape({8, 4, 7}, "maps2") | channel_shuffle(2) |
      channel_shuffle(4, "mixed") | depth_to_space(2) | space_to_depth(2, ops::DepthOrder::crd) |
      depth_to_space(2, ops::DepthOrder::dcr, "deep") | space_to_depth(2);
  const Tensor most = x | max_pool(2, {.stride = 1, .pad = Padding({0, 0}, {0, 1})});
  net.output("most", most);
  x = x | upsample(2) | upsample({1, 2}, ops::Interpolation::linear, "wide") |
      resize({5, 7}, {.interpolation = ops::Interpolation::linear,
                      .coordinates = ops::Coordinates::align_corners}) |
      rescale({1.5f, 2.0f}, {.coordinates = ops::Coordinates::asymmetric,
                             .rounding = ops::Rounding::floor,
                             .name = "scaled"});
  const Tensor rows = x | reshape({8, -1});
  net.output("products", matmul(rows, rows, {.transpose_b = true}) | flatten);
  net.output("joined", concat({x, x}, 2, "twice"), Order::chw);
  net.loss("distance", mean_square(most, net.target("wanted", Shape{8, 3, 7}), "square"), 2);
  return net;
}

inline dsl::Network norms_and_functions() {
  using namespace dsl;
  Network net("norms_and_functions");
  const Tensor in = net.input("volume", Shape{6, 5, 4, 3});
  Tensor x = in | batch_norm({.epsilon = 0.001f, .momentum = 0.01f, .init = constant(0.5f)}) |
             batch_norm({.momentum = 0.25f, .name = "bn"}) | instance_norm() | layer_norm() |
             group_norm(3) | group_norm(6, {.epsilon = 0.01f}) | group_norm(1, {.name = "whole"}) |
             l2_normalize() | l2_normalize({.epsilon = 1e-6f, .name = "unit"}) |
             local_response_norm(5) |
             local_response_norm(3, {.alpha = 0.5f, .beta = 0.5f, .bias = 2, .name = "lrn"}) |
             local_response_norm(3, {.across = ops::Neighbours::positions});
  net.output("norms", x);
  x = in | relu | relu6 | sigmoid | exp | log | sqrt | abs | floor | neg | erf | gelu | gelu_tanh |
      mish | silu | hard_swish | softplus | selu | named(exp, "exp9") | clip(-1, 2.5f) |
      leaky_relu() | leaky_relu(0.2f, {.name = "leak"}) | elu() | elu(0.5f) | hard_sigmoid() |
      hard_sigmoid(0.25f) | hard_sigmoid(0.2f, 0.125f, {.name = "hs"}) | pow(2) |
      pow(1e-30f, {.name = "root"}) | prelu() | prelu({.per_channel = false, .name = "pr"}) |
      scale_shift() | scale_shift({.bias = false, .init = constant(2), .name = "scale"});
  const Tensor y = x + 1.0f, z = 2.0f - y;
  x = max(min(add(x, y), sub(x, z)), div(mul(x, y), pow(x, z)));
  x = x | custom("swish", [](Scalar v) { return v * sigmoid(1.5f * v); }) |
      custom({"swish", "stem.swish"}, [](Scalar v) { return v * sigmoid(1.5f * v); }) |
      custom("bend", [](Scalar v) {
        const Scalar t = exp(-v) - 1.0f;
        return select(v * v < t, t * t, -(-(t + 0.1f)) / (t - (v - 3.0f)));
      });
  x = x |
      custom("numbers",
             [](Scalar v) {
               return v * (Scalar(2.0f) + 3.0f) + exp(Scalar(1.0f)) +
                      min(Scalar(1.0f), -Scalar(0.5f)) + select(Scalar(1.0f) > 2.0f, -0.0f, 1e-40f);
             }) |
      custom("seven", [](Scalar) { return Scalar(7.0f); });
  x = custom(
      "blend", [](Scalar a, Scalar b, Scalar c) { return a * b + (1.0f - b) * c; }, x, y, z);
  x = custom(
      {"first", "chosen"}, [](Scalar, Scalar b) { return b; }, x, y);
  x = x | custom("laplace", [](Window v) { return v(0, 0, 1) + v(0, -1, 0) - 4 * v(0, 0, 0); }) |
      custom("slope", [](Window v) { return v(1, 0, 0) - v(0, 0, 0); },
             {.border = Border::edge, .name = "edge"});
  const Tensor weights = net.parameter("mixing", Shape{6}, he());
  x = mul(x, weights) | relu;
  x = add(mul(x, net.parameter("w", Shape{6}, values({1, 2, 3, 4, 5, 6.5f})), "scaled"), weights);
  std::vector<float> mask;
  for (int i = 0; i < 20; ++i) mask.push_back(static_cast<float>(i) / 3);
  x = mul(x, net.constant("offsets", Shape{4, 3}, std::vector<float>(12, 0.5f)));
  net.output("y", mul(x, net.constant("mask", Shape{5, 4, 1}, mask)));
  return net;
}

}  // namespace halcyon::tests
