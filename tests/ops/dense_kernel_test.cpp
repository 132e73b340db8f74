/// Compiled dense layers, softmax and losses, for several batches: a dense layer's loops depend on
/// it.

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::dense;
using dsl::Network;
using dsl::Tensor;
using tests::expect_like_reference;
using tests::finish_with_mean_square;

/// Batches below, between and above the tiles of samples.
void expect_like_reference_in_batches(const dsl::Graph& graph) {
  for (const int64_t batch : {1, 3, 8, 13}) {
    expect_like_reference(graph, {.batch = batch, .seed = static_cast<uint64_t>(batch)});
  }
}

TEST(DenseKernel, ReadsTheHostsPicture) {
  for (const dsl::Order order : {dsl::Order::hwc, dsl::Order::chw}) {
    Network net("picture");
    Tensor x = net.input("x", {.height = 3, .width = 5, .channels = 3, .order = order});
    finish_with_mean_square(net, x | dsl::flatten | dense(7));
    expect_like_reference_in_batches(net.graph());
  }
}

TEST(DenseKernel, FollowsDenseLayersOfAnyWidth) {
  Network net("wide");
  Tensor x = net.input("x", Shape{5});
  x = x | dense(33) | dsl::relu | dense(1) | dense(24) | dsl::relu | dense(17, {.bias = false}) |
      dense(3);
  finish_with_mean_square(net, x);
  expect_like_reference_in_batches(net.graph());
}

TEST(DenseKernel, WritesTheGradientOfTheMapItReads) {
  for (const int64_t channels : {1, 3, 16, 24}) {
    SCOPED_TRACE(channels);
    Network net("maps");
    Tensor x = net.input("x", {.height = 3, .width = 4, .channels = 2}) | conv(channels, 2);
    finish_with_mean_square(net, x | dsl::flatten | dense(9));
    expect_like_reference(net.graph());
  }
}

TEST(DenseKernel, AddsWhatItReads) {
  Network net("residual");
  Tensor x = net.input("x", Shape{6}) | dense(20);
  x = dsl::add(x | dense(20), x) | dsl::relu;
  Tensor map = net.input("map", {.height = 2, .width = 2, .channels = 3}) | conv(5, 1);
  Tensor flat = map | dsl::flatten;
  x = dsl::add(flat | dense(20), x);
  finish_with_mean_square(net, dsl::add(flat | dense(20) | dsl::relu, x));
  expect_like_reference_in_batches(net.graph());
}

TEST(DenseKernel, LeavesTheOrderOfAFlattenedMapToItsOtherReaders) {
  Network net("order");
  Tensor x = net.input("x", {.height = 3, .width = 2, .channels = 3}) | conv(5, 2, {.pad = {1, 0}});
  Tensor flat = x | dsl::flatten;
  Tensor y = dsl::concat({flat | dsl::relu | dense(4), flat, flat | dense(3)});
  y = dsl::concat({y | dsl::softmax, x | conv(2, 3, {.pad = 1}) | dsl::flatten});
  finish_with_mean_square(net, y);
  expect_like_reference(net.graph());
}

TEST(SoftmaxKernel, NormalisesVectorsAndMaps) {
  Network net("softmaxes");
  Tensor x = net.input("x", {.height = 3, .width = 4, .channels = 2}) | conv(19, 2) | dsl::softmax;
  net.output("map", x);
  net.output("scores", x | dsl::flatten | dense(5) | dsl::softmax);
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {19, 2, 3})), 1000);
  expect_like_reference_in_batches(net.graph());
}

TEST(LossKernel, MeasuresVectorsAndMaps) {
  Network net("losses");
  Tensor x = net.input("x", {.height = 3, .width = 4, .channels = 2}) | conv(5, 2);
  Tensor scores = x | dsl::flatten | dense(18);
  net.output("scores", scores | dsl::softmax);
  net.loss("class", dsl::softmax_cross_entropy(scores, net.labels("label")), 30);
  net.loss("map", dsl::mean_square(x, net.target("wanted", {5, 2, 3})), 7);
  net.loss("pair", dsl::mean_square(x | conv(3, 1), x | conv(3, 1)), 3);
  expect_like_reference_in_batches(net.graph());
}

}  // namespace
}  // namespace halcyon::compiler
