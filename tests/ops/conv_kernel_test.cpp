/// Compiled convolutions and their gradients. Each network is a chain, so that every layer adds one
/// case: forward, towards its input, its weight and its bias.

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::Network;
using dsl::Padding;
using dsl::Spatial;
using dsl::Tensor;
using tests::expect_like_reference;
using tests::finish_with_mean_square;

TEST(ConvKernel, TakesChannelsThatFillNoVector) {
  Network net("ragged");
  Tensor x = net.input("x", {.height = 5, .width = 7, .channels = 3});
  x = x | conv(5, 3, {.pad = dsl::same}) | conv(17, 1) | conv(8, {2, 3}) | conv(33, 1) |
      conv(24, 3, {.pad = 1}) | conv(1, {1, 2}) | conv(2, 1);
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, StridesOverRowsAndColumns) {
  Network net("strided");
  Tensor x = net.input("x", {.height = 29, .width = 26, .channels = 2, .order = dsl::Order::chw});
  x = x | conv(4, 3, {.stride = 2}) | conv(6, 2, {.stride = {1, 3}}) |
      conv(3, 3, {.stride = {3, 1}, .pad = {1, 2}, .bias = false}) | conv(5, 1, {.stride = 2}) |
      conv(4, 2, {.stride = 2, .pad = dsl::same});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, PadsEachSideByItsOwnNumber) {
  Network net("padded");
  Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 1});
  x = x | conv(3, 3, {.pad = Padding(Spatial{2, 0}, Spatial{0, 1})}) |
      conv(4, {4, 2}, {.pad = Padding(Spatial{1, 1}, Spatial{3, 0})}) |
      conv(2, 4, {.stride = {2, 3}, .pad = Padding(Spatial{0, 3}, Spatial{2, 2})});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

// Outer windows read padding alone: their outputs are the bias, and nothing flows back from them.
TEST(ConvKernel, PadsBeyondTheReachOfItsWindow) {
  Network net("beyond");
  Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 3});
  x = x | conv(4, 1, {.pad = Padding(Spatial{1, 0}, Spatial{2, 3})}) |
      conv(17, {2, 3}, {.stride = {3, 2}, .pad = Padding(Spatial{4, 1}, Spatial{0, 5})}) |
      conv(6, 2, {.stride = {1, 4}, .pad = 3, .dilation = 2}) |
      conv(6, {1, 2}, {.pad = {2, 1}, .groups = 3});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

// The same where the padding is not stored but made by each task, a few rows at a time.
TEST(ConvKernel, PadsTasksThatReadPaddingAlone) {
  Network net("alone");
  Tensor x = net.input("x", {.height = 4, .width = 40, .channels = 17});
  x = x | conv(64, {1, 3}, {.pad = {3, 1}}) | dsl::slice(2, 2, 4);
  x = x | conv(64, {2, 3}, {.pad = {5, 1}, .dilation = {5, 1}});
  finish_with_mean_square(net, x | dsl::slice(1, 0, 3));
  expect_like_reference(net.graph());
}

TEST(ConvKernel, DilatesItsWindow) {
  Network net("dilated");
  Tensor x = net.input("x", {.height = 11, .width = 13, .channels = 3});
  x = x | conv(4, 3, {.pad = 2, .dilation = 2}) | conv(5, {2, 3}, {.dilation = {4, 3}}) |
      conv(3, 2, {.stride = {2, 1}, .pad = {0, 2}, .dilation = 2});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, KeepsGroupsApart) {
  Network net("grouped");
  Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 6});
  x = x | conv(6, 3, {.pad = 1, .groups = 3}) | conv(10, {2, 1}, {.groups = 2}) |
      conv(10, 3, {.stride = {1, 2}, .pad = 1, .groups = 10, .bias = false}) | conv(32, 1) |
      conv(32, {1, 3}, {.pad = {0, 1}, .groups = 2}) | conv(48, 2, {.groups = 16}) |
      conv(24, 1, {.groups = 24});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, RunsOverOneAxis) {
  Network net("sound");
  Tensor x = net.input("x", Shape{2, 61});
  x = x | conv(5, 27, {.pad = 13}) | conv(4, 4, {.stride = 2}) |
      conv(17, 3, {.pad = 2, .dilation = 3}) | conv(1, 5, {.pad = dsl::same});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, RunsOverThreeAxes) {
  Network net("volume");
  Tensor x = net.input("x", Shape{2, 5, 4, 6});
  x = x | conv(3, 3, {.pad = 1}) |
      conv(4, {2, 1, 3},
           {.stride = {1, 2, 2}, .pad = Padding(Spatial{1, 0, 2}, Spatial{0, 0, 1})}) |
      conv(3, 2, {.pad = dsl::same});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, TakesMapsSmallerThanItsWindow) {
  Network net("small_maps");
  Tensor x = net.input("x", {.height = 2, .width = 3, .channels = 4});
  x = x | conv(5, 5, {.pad = 2}) | conv(3, {2, 3}) | conv(20, 3, {.pad = 1}) | conv(6, 1);
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, SharesItsLoopWithReluAdditionAndPooling) {
  Network net("fused");
  Tensor x = net.input("x", {.height = 12, .width = 11, .channels = 3});
  Tensor a = x | conv(20, 3, {.pad = 1}) | dsl::relu;
  Tensor b = dsl::add(a | conv(20, 3, {.pad = 1}), a) | dsl::relu;
  b = b | conv(6, 2) | dsl::relu | dsl::max_pool(2) | conv(7, 2) | dsl::average_pool({2, 1});
  finish_with_mean_square(net, b | conv(3, {1, 3}) | dsl::relu);
  expect_like_reference(net.graph());
}

TEST(ConvKernel, PutsNeighbouringOutputsIntoOneVector) {
  // Two, four, eight and sixteen outputs of 16 lanes; strides, pools and a ragged number of rows.
  Network net("neighbours");
  Tensor x = net.input("x", {.height = 19, .width = 36, .channels = 3});
  x = x | conv(8, 3, {.pad = 1}) | conv(4, 5, {.pad = 2}) | dsl::relu |
      conv(2, {3, 5}, {.pad = dsl::same}) | conv(6, {2, 7}, {.stride = {1, 2}, .pad = {0, 3}});
  x = x | conv(3, {1, 4}, {.pad = Padding(Spatial{0, 2}, Spatial{0, 3})}) |
      dsl::max_pool({2, 1}, {.stride = {2, 3}});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());

  Network sound("neighbouring_samples");
  Tensor s = sound.input("x", Shape{2, 48}) | conv(1, 9, {.pad = 4}) | conv(5, 3, {.pad = 1});
  finish_with_mean_square(sound, s | dsl::relu | dsl::average_pool(3));
  expect_like_reference(sound.graph());
}

TEST(ConvKernel, GathersItsWeightGradientFromWhatWasPooled) {
  for (dsl::Order order : {dsl::Order::hwc, dsl::Order::chw}) {
    Network net("gathered");
    Tensor x = net.input("x", {.height = 21, .width = 26, .channels = 3, .order = order});
    x = x | conv(5, 3, {.stride = {1, 2}, .pad = {2, 1}}) | dsl::max_pool(2) | dsl::relu;
    x = x | conv(17, {2, 3}, {.pad = Padding(Spatial{0, 2}, Spatial{1, 0}), .dilation = {1, 2}}) |
        dsl::max_pool({2, 1}, {.stride = {3, 1}}) | conv(3, 1) | dsl::max_pool(3, {.stride = 1});
    finish_with_mean_square(net, x);
    expect_like_reference(net.graph(), {.batch = 11});
  }
}

TEST(ConvKernel, FitsEveryVectorWidth) {
  for (const char* target : {"x86-64-linux-sse41", "x86-64-linux-avx-avx2-f16c-fma-sse41"}) {
    SCOPED_TRACE(target);
    Network net("widths");
    Tensor x = net.input("x", {.height = 7, .width = 6, .channels = 3});
    x = x | conv(9, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(2) | conv(6, 2, {.groups = 3}) |
        dsl::flatten | dsl::dense(5);
    finish_with_mean_square(net, x);
    expect_like_reference(net.graph(), {}, target);
  }
}

}  // namespace
}  // namespace halcyon::compiler
