/// Compiled functions of one position, and the sums behind repeated values, against the reference.

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using tests::expect_like_reference;
using tests::finish_with_mean_square;

Tensor picture(Network& net, int64_t channels, dsl::Order order = dsl::Order::hwc) {
  return net.input("x", {.height = 5, .width = 3, .channels = channels, .order = order});
}

TEST(PointwiseKernel, ComputesEveryFunctionOfOneValue) {
  Network net("functions");
  // Far enough out for both branches of everything; log, sqrt and pow take what is positive.
  const Tensor x = picture(net, 17) * 12.0f;
  const Tensor positive = (x | dsl::abs) + 0.25f;
  for (const dsl::Function& row : dsl::kFunctions) {
    if (row.binary) continue;
    const float values[] = {0.25f, 0.75f};
    const bool takes_positive = row.name == "log" || row.name == "sqrt";
    const Tensor y = net.add(dsl::ops::Pointwise{row.name, row.formula(values)},
                             {(takes_positive ? positive : x).value}, row.name, {});
    net.output(row.name, y);
  }
  net.output("cube", x | dsl::pow(3));
  net.output("inverse", positive | dsl::pow(-2));
  net.output("root", positive | dsl::pow(0.3f));
  expect_like_reference(net.graph(), {.batch = 3});
}

/// The largest error of `function` over [-range, range].
double largest_error(dsl::Function::Unary function, float range) {
  Network net("accuracy");
  const Tensor x = net.input("x", {.height = 64, .width = 64, .channels = 16});
  net.output("y", x * range | function);
  return verify_network(net.graph(), tests::cached_options(), {}).at(0).largest_error;
}

TEST(PointwiseKernel, IsAsExactAsSinglePrecision) {
  // What rounding x * range alone costs, and a few units in the last place of 1.
  EXPECT_LT(largest_error(dsl::tanh, 1), 2.5e-7);
  EXPECT_LT(largest_error(dsl::sigmoid, 1), 2.5e-7);
  EXPECT_LT(largest_error(dsl::erf, 1), 3e-7);
  EXPECT_LT(largest_error(dsl::softplus, 1), 4e-7);
  EXPECT_LT(largest_error(dsl::tanh, 200), 3e-6);
  EXPECT_LT(largest_error(dsl::sigmoid, 200), 3e-6);
  EXPECT_LT(largest_error(dsl::erf, 200), 6e-6);
}

TEST(PointwiseKernel, ReadsConstantsThatLieBesideTheCode) {
  std::vector<float> per_channel, per_position;
  for (int i = 0; i < 17; ++i) per_channel.push_back(0.25f * static_cast<float>(i) - 2);
  for (int i = 0; i < 15; ++i) per_position.push_back(1 - 0.125f * static_cast<float>(i));
  Network net("constants");
  Tensor x = picture(net, 3) | dsl::conv(17, 1);
  const Tensor scale = net.constant("scale", {17}, per_channel);
  x = x * (scale + scale) + net.constant("mask", {5, 3}, per_position);
  net.output("map", x);
  finish_with_mean_square(net, x | dsl::conv(2, 1));
  expect_like_reference(net.graph(), {.batch = 3});
}

TEST(PointwiseKernel, KeepsZerosBehindTheLastChannel) {
  // Sums over the lanes would show what is left there.
  for (int64_t channels : {1, 3, 16, 17, 40}) {
    for (dsl::Order order : {dsl::Order::hwc, dsl::Order::chw}) {
      Network net("channels");
      Tensor x = picture(net, channels, order) | dsl::sigmoid;
      x = ((x + 1.0f) * x - 2.0f) | dsl::exp;
      net.output("map", x);
      finish_with_mean_square(net, x | dsl::conv(3, 3) | dsl::sigmoid | dsl::conv(2, 1));
      expect_like_reference(net.graph(), {.batch = channels % 2 == 0 ? 1 : 3});
    }
  }
}

TEST(PointwiseKernel, WorksOnFlatValuesAndOnOneAndThreeAxes) {
  for (const Shape& shape : {Shape{19}, Shape{5, 7}, Shape{3, 2, 3, 5}}) {
    Network net("axes");
    Tensor x = net.input("x", shape);
    if (shape.rank > 1) {
      x = x | dsl::conv(18, 1);
    } else {
      x = x | dsl::dense(18);
    }
    x = x | dsl::prelu() | dsl::scale_shift() | dsl::silu;
    if (shape.rank > 1) x = x | dsl::flatten | dsl::sigmoid;
    finish_with_mean_square(net, x | dsl::dense(3) | dsl::gelu);
    expect_like_reference(net.graph(), {.batch = 3});
  }
}

TEST(PointwiseKernel, RepeatsParametersOfEveryShape) {
  for (int64_t channels : {1, 3, 17}) {
    Network net("parameters");
    Tensor x = picture(net, 2) | dsl::conv(channels, 1);
    int count = 0;
    for (const Shape& shape : {Shape{channels}, Shape{1}, Shape{channels, 1, 1}, Shape{5, 3},
                               Shape{channels, 5, 3}, Shape{1, 1, 3}, Shape{channels, 5, 1}}) {
      const std::string name = "p" + std::to_string(count++);
      x = x * net.parameter(std::string_view(name), shape, dsl::xavier()) + x;
    }
    finish_with_mean_square(net, x);
    expect_like_reference(net.graph(), {.batch = 3});
  }
}

TEST(PointwiseKernel, RepeatsActivations) {
  for (int64_t channels : {3, 16, 17}) {
    Network net("gates");
    Tensor x = picture(net, 2) | dsl::conv(channels, 1);
    const Tensor gate = x | dsl::average_pool({5, 3}) | dsl::conv(channels, 1) | dsl::sigmoid;
    const Tensor mask = x | dsl::conv(1, 1) | dsl::tanh;
    const Tensor rows = x | dsl::average_pool({1, 3});
    x = x * gate + mask * rows;
    finish_with_mean_square(net, x + (gate + mask) * rows);
    expect_like_reference(net.graph(), {.batch = 3});
  }
}

TEST(PointwiseKernel, ReadsHostsValuesThatAreRepeated) {
  Network net("host");
  const Tensor x = picture(net, 17);
  const Tensor mask = net.input("mask", {.height = 5, .width = 3, .channels = 1});
  const Tensor gate = net.input("gate", {17, 1, 1});
  net.output("y", x * mask + gate);
  net.output("direct", dsl::max(x, gate));
  expect_like_reference(net.graph(), {.batch = 3});
}

TEST(PointwiseKernel, ReadsOneValueTwiceBehindAProduct) {
  Network net("twice");
  Tensor x = picture(net, 3) | dsl::conv(17, 3, {.pad = dsl::same});
  x = x * x;
  x = dsl::custom(
      "blend", [](auto a, auto b) { return 0.5f * a + b * b; }, x, x);
  finish_with_mean_square(net, x | dsl::max_pool(2) | dsl::sigmoid);
  expect_like_reference(net.graph(), {.batch = 2});
}

TEST(PointwiseKernel, ComputesOnParametersAlone) {
  Network net("weights");
  const Tensor x = picture(net, 3) | dsl::flatten;
  const Tensor weight = net.parameter("weight", {19, 45}, dsl::fan_in());
  // exp(0) is not 0: what lies behind the last filter must stay so.
  const Tensor positive = dsl::custom(
      "positive", [](auto w) { return exp(w) * 0.25f; }, weight);
  const Tensor y = net.add(dsl::ops::Dense{.units = 19}, {x.value, positive.value}, "dense", {});
  finish_with_mean_square(net, y | dsl::dense(3));
  expect_like_reference(net.graph(), {.batch = 3});
}

TEST(PointwiseKernel, SharesAParameterWithABias) {
  Network net("shared");
  const Tensor x = picture(net, 3);
  const Tensor weight = net.parameter("weight", {17, 3, 1, 1}, dsl::fan_in());
  const Tensor bias = net.parameter("bias", {17}, dsl::xavier());
  Tensor y = net.add(dsl::ops::Conv{.filters = 17,
                                    .kernel = {1, 1},
                                    .stride = {1, 1},
                                    .dilation = {1, 1},
                                    .pad_begin = {0, 0},
                                    .pad_end = {0, 0}},
                     {x.value, weight.value, bias.value}, "conv", {});
  finish_with_mean_square(net, (y | dsl::tanh) * bias);
  expect_like_reference(net.graph(), {.batch = 2});
}

}  // namespace
}  // namespace halcyon::compiler
