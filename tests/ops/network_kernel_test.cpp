/// Compiled networks as a whole: what several readers, outputs and losses of one value do, and that
/// the number of threads changes no bit.

#include <gtest/gtest.h>

#include <cstring>

#include "compiler/driver/load.h"
#include "dsl/layers.h"
#include "dsl/zoo/lenet5.h"
#include "runtime/network.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::dense;
using dsl::Network;
using dsl::Tensor;
using tests::cached_options;
using tests::expect_like_reference;
using tests::finish_with_mean_square;

TEST(NetworkKernels, ConcatenateRaggedChannels) {
  Network net("ragged_concat");
  Tensor x = net.input("x", {.height = 5, .width = 4, .channels = 3});
  Tensor a = x | conv(5, 3, {.pad = 1});
  Tensor b = x | conv(17, 1) | dsl::relu;
  Tensor y = dsl::concat({a, x, b, a | dsl::relu});
  finish_with_mean_square(net, dsl::concat({y | conv(4, 2, {.pad = dsl::same}), a}));
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, AddAValueToItself) {
  Network net("twice");
  Tensor x = net.input("x", {.height = 4, .width = 4, .channels = 2}) | conv(3, 2);
  Tensor y = dsl::add(dsl::add(x, x), x | dsl::relu);
  finish_with_mean_square(net, dsl::add(y, y | conv(3, 1)));
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, SumBranchesOfEqualShape) {
  // Both layers see the same gradient: each bias needs its own copy of one sum.
  Network net("branches");
  Tensor x = net.input("x", {.height = 4, .width = 5, .channels = 2});
  Tensor y = dsl::add(x | conv(3, 2), x | conv(3, 2));
  y = y | dsl::flatten;
  finish_with_mean_square(net, dsl::add(y | dense(4), y | dense(4)));
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, ReadOneInputWithDifferentPadding) {
  Network net("paddings");
  Tensor x = net.input("x", {.height = 5, .width = 4, .channels = 3});
  Tensor a = x | conv(2, 3, {.pad = 1});
  Tensor b = x | conv(3, 5, {.pad = 2});
  Tensor c = x | conv(2, 1);
  finish_with_mean_square(net, dsl::concat({a, b, c}));
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, ReadInputsOfOneBatchTogether) {
  Network net("two_inputs");
  Tensor a = net.input("a", {.height = 3, .width = 4, .channels = 3});
  Tensor b = net.input("b", {.height = 3, .width = 4, .channels = 3, .order = dsl::Order::chw});
  Tensor c = net.input("c", Shape{7});
  Tensor y = dsl::concat({dsl::add(a, b) | conv(4, 2) | dsl::flatten, c});
  finish_with_mean_square(net, y | dense(3));
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, WriteEveryKindOfOutput) {
  Network net("outputs");
  Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 3});
  Tensor map = x | conv(24, 3);
  Tensor used = map | dsl::relu;
  Tensor pooled = used | dsl::max_pool(2, {.stride = 1});
  Tensor scores = pooled | dsl::flatten | dense(20);
  net.output("map", map);
  net.output("again", map);
  net.output("image", x);
  net.output("pooled", pooled);
  net.output("flat", used | dsl::flatten);
  net.output("scores", scores);
  net.output("likely", scores | dsl::softmax);
  net.output("direct", x | conv(33, 2));
  net.output("last", scores | dense(18));
  net.loss("loss", dsl::softmax_cross_entropy(scores, net.labels("label")), 100);
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, WriteMapsWithTheirChannelsFirstWhereTheHostWantsThem) {
  using dsl::Order;
  Network net("first");
  Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 3});
  Tensor map = x | conv(24, 3, {.pad = 1});
  net.output("map", map, Order::chw);
  net.output("other", map);
  net.output("image", x, Order::chw);
  net.output("pooled", map | dsl::relu | dsl::max_pool(2, {.stride = 1}), Order::chw);
  net.output("likely", x | conv(17, 2) | dsl::softmax, Order::chw);
  net.output("line", net.input("sound", Shape{3, 11}) | conv(5, 4), Order::chw);
  net.output("volume", net.input("voxels", Shape{2, 3, 4, 5}) | conv(9, 2), Order::chw);
  net.output("flat", map | dsl::flatten | dense(20), Order::chw);
  expect_like_reference(net.graph(), {.gradients = false});
}

TEST(NetworkKernels, ReportALossThatIsNamedTwice) {
  Network net("losses");
  Tensor x = net.input("x", Shape{4}) | dense(5);
  Tensor label = net.labels("label");
  net.output("y", x | dsl::softmax);
  Tensor loss = dsl::softmax_cross_entropy(x, label);
  net.loss("first", loss, 3);
  net.loss("same", loss, 5);
  net.loss("equal", dsl::softmax_cross_entropy(x, label), 2);
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, TrainOneParameterOfTwoLayers) {
  Network net("shared_weight");
  Tensor x = net.input("x", Shape{6}) | dense(6);
  Tensor weight = net.parameter("weight", {6, 6}, dsl::he());
  Tensor bias = net.parameter("bias", {6}, dsl::constant(0));
  for (const char* name : {"first", "second", "third"}) {
    x = net.add(dsl::ops::Dense{.units = 6}, {x.value, weight.value, bias.value}, name, {});
  }
  finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(NetworkKernels, AgreeOnTheZoosLenet5) {
  expect_like_reference(dsl::zoo::lenet5().graph());
  expect_like_reference(dsl::zoo::lenet5(28, 28, 1).graph(), {.batch = 1, .seed = 2});
}

/// Layers of all kinds, at sizes that are worth several tasks.
Network mixed_network() {
  Network net("mixed");
  Tensor x = net.input("image", {.height = 20, .width = 19, .channels = 3});
  x = x | conv(20, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(3, {.stride = 2, .pad = 1});
  x = dsl::add(x | conv(20, 3, {.pad = 1, .groups = 4}), x) | dsl::relu;
  x = dsl::concat({x | conv(7, 2, {.stride = 2}), x | dsl::average_pool(2)});
  x = x | dsl::flatten | dense(64) | dsl::relu | dense(10);
  net.output("scores", x | dsl::softmax);
  net.loss("loss", dsl::softmax_cross_entropy(x, net.labels("label")));
  return net;
}

struct Trained {
  runtime::WeightFile weights;
  std::vector<float> losses;
  std::vector<float> scores;
};

Trained train(const halcyon_network& info, int threads) {
  constexpr int64_t kBatch = 21;
  constexpr int kSteps = 3;
  runtime::Network network(info, threads);
  network.initialize(7);
  network.reserve(kBatch);
  std::vector<float> image(static_cast<std::size_t>(kBatch * info.inputs[0].elements));
  std::vector<int32_t> labels(kBatch);
  Trained run;
  run.scores.resize(static_cast<std::size_t>(kBatch * info.outputs[0].elements));
  const void* inputs[] = {image.data()};
  const void* targets[] = {labels.data()};
  void* outputs[] = {run.scores.data()};
  const halcyon_hyper hyper = {.learning_rate = 0.05F, .momentum = 0.9F};
  for (int step = 0; step < kSteps; ++step) {
    uint32_t state = static_cast<uint32_t>(step) + 1;
    const auto draw = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
    for (float& v : image) v = static_cast<float>(draw()) / 0x1p23F - 1;
    for (int32_t& label : labels) label = static_cast<int32_t>(draw() % 10);
    float loss = 0;
    network.train_step(kBatch, inputs, targets, hyper, {&loss, 1});
    run.losses.push_back(loss);
  }
  network.infer(kBatch, inputs, outputs);
  run.weights = network.weights();
  return run;
}

TEST(NetworkKernels, GiveTheSameBitsForAnyNumberOfThreads) {
  CompileOptions options = cached_options();
  options.train = true;
  const Network networks[] = {mixed_network(), dsl::zoo::lenet5()};
  for (const Network& net : networks) {
    const std::optional<Artifact> artifact = compile(net.graph(), options);
    const LoadedNetwork loaded(*artifact);
    const Trained one = train(loaded.info(), 1);
    for (const int threads : {2, 3}) {
      SCOPED_TRACE(threads);
      const Trained more = train(loaded.info(), threads);
      EXPECT_EQ(one.losses, more.losses);
      EXPECT_EQ(one.scores, more.scores);
      for (const runtime::WeightTensor& tensor : one.weights.tensors) {
        EXPECT_EQ(tensor.data, more.weights.find(tensor.name)->data) << tensor.name;
      }
    }
  }
}

TEST(NetworkKernels, LeaveFrozenParametersAlone) {
  CompileOptions options = cached_options();
  options.train = true;
  options.freeze = {"conv1.*", "dense1.weight"};
  const std::optional<Artifact> artifact = compile(mixed_network().graph(), options);
  const LoadedNetwork loaded(*artifact);
  runtime::Network before(loaded.info(), 1);
  before.initialize(7);
  const runtime::WeightFile start = before.weights();
  const Trained run = train(loaded.info(), 1);
  for (const runtime::WeightTensor& tensor : start.tensors) {
    const bool frozen = tensor.name.starts_with("conv1.") || tensor.name == "dense1.weight";
    EXPECT_EQ(tensor.data == run.weights.find(tensor.name)->data, frozen) << tensor.name;
  }
}

}  // namespace
}  // namespace halcyon::compiler
