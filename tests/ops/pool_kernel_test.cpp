/// Compiled pooling, forward and backward.

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::average_pool;
using dsl::conv;
using dsl::max_pool;
using dsl::Network;
using dsl::Padding;
using dsl::Spatial;
using dsl::Tensor;
using tests::expect_like_reference;
using tests::finish_with_mean_square;

TEST(PoolKernel, TakesTheMaximumOfOverlappingAndPaddedWindows) {
  Network net("overlap");
  Tensor x = net.input("x", {.height = 15, .width = 17, .channels = 2}) | conv(5, 1);
  x = x | max_pool(3, {.stride = 2}) | max_pool({2, 3}, {.stride = 1, .pad = {0, 1}}) |
      max_pool(3, {.stride = 2, .pad = Padding(Spatial{2, 0}, Spatial{1, 2})}) |
      max_pool({2, 1}, {.stride = {3, 2}});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(PoolKernel, AveragesWithAndWithoutCountingPadding) {
  Network net("average");
  Tensor x = net.input("x", {.height = 13, .width = 12, .channels = 2}) | conv(17, 1);
  x = x | average_pool(3, {.stride = 2, .pad = 1}) |
      average_pool(
          2, {.stride = 1, .pad = Padding(Spatial{1, 0}, Spatial{0, 1}), .count_padding = true}) |
      average_pool({3, 2}, {.stride = {2, 3}});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(PoolKernel, HangsOverTheEndInCeilMode) {
  Network net("ceil");
  Tensor x = net.input("x", {.height = 14, .width = 19, .channels = 3}) | conv(17, 1);
  const Padding ragged(Spatial{1, 0}, Spatial{0, 2});
  Tensor whole = x | max_pool(2, {.ceil = true}) | max_pool(3, {.stride = 2, .ceil = true}) |
                 average_pool(3, {.stride = {2, 4}, .pad = ragged, .ceil = true});
  Tensor counted =
      x |
      average_pool({3, 2}, {.stride = {3, 5}, .pad = {2, 1}, .ceil = true, .count_padding = true}) |
      max_pool({1, 3}, {.stride = {4, 3}, .pad = {0, 2}, .ceil = true});
  Tensor large = x | average_pool(6, {.stride = 5, .pad = ragged, .ceil = true}) | dsl::relu;
  const std::vector<Tensor> flat = {whole | dsl::flatten, counted | dsl::flatten,
                                    large | dsl::flatten};
  finish_with_mean_square(net, dsl::concat(flat) | dsl::dense(4));
  expect_like_reference(net.graph());
}

TEST(PoolKernel, LooksApartWhereItIsDilated) {
  Network net("dilated");
  Tensor x = net.input("x", {.height = 17, .width = 15, .channels = 2}) | conv(5, 1) | dsl::relu;
  x = x | max_pool(3, {.stride = 2, .pad = 2, .dilation = {2, 3}}) |
      average_pool(2, {.stride = 1, .pad = {3, 1}, .dilation = {3, 2}, .ceil = true}) |
      max_pool({2, 1}, {.stride = 3, .dilation = 2, .ceil = true}) |
      average_pool({2, 3},
                   {.stride = {1, 2}, .pad = {0, 1}, .dilation = {2, 1}, .count_padding = true});
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());

  Network line("line");
  x = line.input("x", Shape{3, 90}) | conv(3, 1);
  finish_with_mean_square(line, x | max_pool(28, {.stride = 7, .pad = 20, .dilation = 3}));
  expect_like_reference(line.graph());
}

TEST(PoolKernel, RunsOverOneAndThreeAxes) {
  Network one("one_axis");
  Tensor x = one.input("x", Shape{3, 23}) | conv(3, 1);
  finish_with_mean_square(one, x | max_pool(3, {.stride = 2, .pad = 1}) | average_pool(4));
  expect_like_reference(one.graph());

  Network three("three_axes");
  x = three.input("x", Shape{1, 7, 6, 9}) | conv(3, 1);
  x = x | max_pool({2, 3, 2}, {.stride = {2, 1, 3}, .pad = {0, 1, 1}}) |
      average_pool({2, 2, 1}, {.stride = 1, .pad = {1, 0, 0}});
  finish_with_mean_square(three, x);
  expect_like_reference(three.graph());
}

TEST(PoolKernel, ReadsTheHostsPicture) {
  Network net("first");
  Tensor x = net.input("x", {.height = 8, .width = 9, .channels = 5});
  x = dsl::concat({x | max_pool(2), x | average_pool(3, {.stride = 2, .pad = {1, 0}})});
  finish_with_mean_square(net, x | conv(2, 1));
  expect_like_reference(net.graph());
}

TEST(PoolKernel, PoolsWholeMaps) {
  Network net("global");
  Tensor x = net.input("x", {.height = 5, .width = 4, .channels = 3}) | conv(24, 2) | dsl::relu;
  x = dsl::add(x | average_pool({4, 3}), x | max_pool({4, 3}));
  finish_with_mean_square(net, x | dsl::flatten | dsl::dense(4));
  expect_like_reference(net.graph());
}

// Windows above 25 positions are loops, and above 256 their positions need more than 8 bits.
TEST(PoolKernel, LoopsOverLargeWindows) {
  Network net("large");
  Tensor x = net.input("x", {.height = 20, .width = 19, .channels = 1});
  Tensor whole = x | conv(3, 1) | max_pool({20, 19}) | dsl::flatten;
  Tensor apart = x | conv(5, 3) | dsl::relu | max_pool({6, 5}) | dsl::flatten;
  Tensor mean = x | conv(2, 2) | average_pool(9, {.stride = 4, .pad = 4}) | dsl::flatten;
  Tensor overlap = x | conv(2, 3) | max_pool(7, {.stride = 1, .pad = 3}) | dsl::flatten;
  finish_with_mean_square(net, dsl::concat({whole, apart, mean, overlap}) | dsl::dense(3));
  expect_like_reference(net.graph());
}

}  // namespace
}  // namespace halcyon::compiler
