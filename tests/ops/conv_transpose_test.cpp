/// The meaning of conv_transpose, and its compiled form with all gradients.

#include <gtest/gtest.h>

#include "compiler/ops/rules.h"
#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::conv_transpose;
using dsl::Network;
using dsl::Padding;
using dsl::Tensor;
using tests::expect_like_reference;
using tests::finish_with_mean_square;
using Numbers = std::vector<double>;

// Each x is spread by the filter: x0*w, x1*w two positions on, and so on; by hand.
TEST(ConvTranspose, SpreadsEveryInputByTheFilter) {
  const HostTensor x{{1, 1, 3}, {1, 2, 3}};
  const HostTensor weight{{1, 1, 3}, {1, 10, 100}};
  ops::ConvTranspose op{.filters = 1, .kernel = 3, .stride = 2};
  const auto run = [&] { return reference(op, HostTensors{x, weight, {{1}, {0.5}}}, 1)[0].values; };
  EXPECT_EQ(run(), (Numbers{1.5, 10.5, 102.5, 20.5, 203.5, 30.5, 300.5}));
  op.pad_begin = 1;
  op.pad_end = 2;
  EXPECT_EQ(run(), (Numbers{10.5, 102.5, 20.5, 203.5}));
  op.output_padding = 1;
  EXPECT_EQ(run(), (Numbers{10.5, 102.5, 20.5, 203.5, 30.5}));
  op.stride = 1;
  op.dilation = 2;
  op.pad_begin = op.pad_end = 0;
  EXPECT_EQ(run(), (Numbers{1.5, 2.5, 13.5, 20.5, 130.5, 200.5, 300.5, 0.5}));
}

TEST(ConvTranspose, KeepsGroupsApart) {
  const HostTensor x{{1, 4, 1}, {1, 2, 3, 4}};
  const HostTensor weight{{4, 1, 2}, {1, 10, 2, 20, 3, 30, 4, 40}};
  const ops::ConvTranspose op{.filters = 2, .kernel = 2, .groups = 2};
  EXPECT_EQ(reference(op, HostTensors{x, weight}, 1)[0].values, (Numbers{5, 50, 25, 250}));
}

TEST(ConvTranspose, CompilesForEveryStridePaddingAndGroup) {
  Network net("enlarge");
  Tensor x = net.input("x", {.height = 3, .width = 2, .channels = 6});
  x = x | conv_transpose(17, 3, {.stride = 2, .pad = 1, .output_padding = 1}) | dsl::relu |
      conv_transpose(6, {2, 1}, {.stride = {1, 3}, .bias = false}) |
      conv_transpose(8, 3,
                     {.stride = {3, 1},
                      .pad = Padding(Spatial{2, 0}, Spatial{1, 2}),
                      .dilation = {1, 2},
                      .output_padding = {2, 1},
                      .groups = 2}) |
      conv_transpose(8, 2, {.stride = 2, .groups = 8}) | dsl::conv(3, 4, {.stride = 3}) |
      conv_transpose(5, 5, {.pad = dsl::same});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

// The outer outputs are read by nothing, or see nothing but the bias.
TEST(ConvTranspose, CutsMoreThanItsWindowReaches) {
  Network net("cut");
  Tensor x = net.input("x", {.height = 5, .width = 4, .channels = 3});
  x = x | conv_transpose(4, 2, {.stride = 1, .pad = Padding(Spatial{2, 0}, Spatial{0, 2})}) |
      conv_transpose(3, {1, 3}, {.pad = {1, 0}, .dilation = {4, 1}, .output_padding = {3, 0}}) |
      conv_transpose(2, 1, {.stride = 2, .pad = Padding(Spatial{1, 0}, Spatial{0, 1})});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvTranspose, RunsOverOneAndThreeAxes) {
  Network one("one_axis");
  Tensor x = one.input("x", Shape{2, 7}) | dsl::conv(3, 1);
  finish_with_mean_square(one, x | conv_transpose(4, 4, {.stride = 2, .pad = dsl::same}));
  expect_like_reference(one.graph());

  Network three("three_axes");
  x = three.input("x", Shape{1, 2, 3, 2}) | dsl::conv(4, 1);
  finish_with_mean_square(
      three, x | conv_transpose(6, 2, {.stride = {2, 1, 3}, .pad = {0, 1, 0}, .groups = 2}));
  expect_like_reference(three.graph());
}

}  // namespace
}  // namespace halcyon::compiler
