#include <gtest/gtest.h>

#include <string>

#include "dsl/layers.h"
#include "dsl/norm_layers.h"
#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using namespace dsl;
using tests::find;
using tests::program_of;
using tests::text_of;

/// One line for each node: its name, operator, attributes and shape.
std::string slid(std::string_view text, const std::vector<int64_t>& extents) {
  const Graph graph = fully_convolutional(program_of(text).graph, extents);
  std::string lines;
  for (const Node& n : graph.nodes()) {
    const OperatorText op = operator_text(n.op);
    lines += std::string(n.name.view()) + " " + op.name;
    if (std::holds_alternative<ops::Parameter>(n.op)) {
      const auto& p = std::get<ops::Parameter>(n.op);
      lines += " file " + halcyon::to_string(p.canonical_shape());
    } else if (!std::holds_alternative<ops::Input>(n.op)) {
      lines += " " + op.attributes;
    }
    lines += " " + dsl::to_string(n.outputs) + "\n";
  }
  return lines;
}

TEST(FullyConvolutional, DenseLayersBecomeConvolutionsOfTheMapTheyFlatten) {
  EXPECT_EQ(slid(R"(
%0 = input "x" () {shape=[N,2,6,5]} -> [N,2,6,5]
%1 = flatten "flat" (%0) {} -> [N,60]
%2 = parameter "w1" () {id=0 shape=[3,60]} -> [3,60]
%3 = parameter "b1" () {id=1 shape=[3]} -> [3]
%4 = dense "dense1" (%1, %2, %3) {units=3} -> [N,3]
%5 = relu "relu1" (%4) {} -> [N,3]
%6 = parameter "w2" () {id=2 shape=[4,3]} -> [4,3]
%7 = dense "dense2" (%5, %6) {units=4} -> [N,4]
%8 = softmax "softmax1" (%7) {} -> [N,4]
output "y" %8
)",
                 {7, 9, 2}),
            "x input [N,2,7,9]\n"
            "w1 parameter file [3,60] [3,2,6,5]\n"
            "b1 parameter file [3] [3]\n"
            "dense1 conv {filters=3 kernel=[6,5] stride=1 dilation=1 pad_begin=0 pad_end=0 "
            "groups=1} [N,3,2,5]\n"
            "relu1 relu {} [N,3,2,5]\n"
            "w2 parameter file [4,3] [4,3,1,1]\n"
            "dense2 conv {filters=4 kernel=[1,1] stride=1 dilation=1 pad_begin=0 pad_end=0 "
            "groups=1} [N,4,2,5]\n"
            "softmax1 softmax {} [N,4,2,5]\n");
}

TEST(FullyConvolutional, GlobalPoolsBecomeWindowsOfTheSizeThatTheMapHad) {
  EXPECT_EQ(slid(R"(
%0 = input "x" () {shape=[N,2,4,4]} -> [N,2,4,4]
%1 = reduce "mean" (%0) {kind=mean axes=[2,3] keep_dims=false} -> [N,2]
%2 = reduce "most" (%0) {kind=max axes=[2,3]} -> [N,2,1,1]
%3 = average_pool "pool" (%0) {kernel=[4,4] stride=[4,4] dilation=[1,1] pad_begin=[0,0] pad_end=[0,0]} -> [N,2,1,1]
%4 = max_pool "local" (%0) {kernel=[2,2] stride=[2,2] dilation=[1,1] pad_begin=[0,0] pad_end=[0,0]} -> [N,2,2,2]
output "a" %1
output "b" %2
output "c" %3
output "d" %4
)",
                 {6, 5}),
            "x input [N,2,6,5]\n"
            "mean average_pool {kernel=[4,4] stride=1 dilation=1 pad_begin=0 pad_end=0 "
            "ceil=false count_padding=false} [N,2,3,2]\n"
            "most max_pool {kernel=[4,4] stride=1 dilation=1 pad_begin=0 pad_end=0 ceil=false "
            "with_argmax=false} [N,2,3,2]\n"
            "pool average_pool {kernel=[4,4] stride=1 dilation=[1,1] pad_begin=[0,0] "
            "pad_end=[0,0] ceil=false count_padding=false} [N,2,3,2]\n"
            "local max_pool {kernel=[2,2] stride=[2,2] dilation=[1,1] pad_begin=[0,0] "
            "pad_end=[0,0] ceil=false with_argmax=false} [N,2,3,2]\n");
}

TEST(FullyConvolutional, SlicesKeepTheirDistanceFromTheBorder) {
  EXPECT_EQ(slid(R"(
%0 = input "x" () {shape=[N,2,6]} -> [N,2,6]
%1 = slice "cut" (%0) {begin=[0,1] end=[2,5] step=[1,1]} -> [N,2,4]
output "y" %1
)",
                 {9}),
            "x input [N,2,9]\n"
            "cut slice {begin=[0,1] end=[2,8] step=[1,1]} [N,2,7]\n");
}

/// A classifier with everything that is left out when it slides.
Network classifier() {
  Network net("classifier");
  const Tensor x = net.input("image", {.height = 14, .width = 14, .channels = 3});
  const Tensor scores = x | conv(5, 5) | relu | max_pool(2) | flatten | relu | dropout(0.5f) |
                        dense(7) | relu | dense(4);
  net.output("scores", scores | softmax);
  net.loss("loss", softmax_cross_entropy(scores, net.labels("label")));
  return net;
}

TEST(FullyConvolutional, LeavesOutTrainingAndKeepsNamesAndResults) {
  const Graph graph = fully_convolutional(classifier().graph(), {16, 16, 3});
  EXPECT_EQ(text_of(graph),
            "conv1 = conv (image, conv1.weight, conv1.bias)\n"
            "relu1 = relu (conv1)\n"
            "pool1 = max_pool (relu1)\n"
            "relu2 = relu (pool1)\n"
            "dense1 = conv (relu2, dense1.weight, dense1.bias)\n"
            "relu3 = relu (dense1)\n"
            "dense2 = conv (relu3, dense2.weight, dense2.bias)\n"
            "softmax1 = softmax (dense2)\n"
            "output scores softmax1\n");
  EXPECT_EQ(graph.shape(find(graph, "softmax1")), (Shape{kBatch, 4, 2, 2}));
}

TEST(FullyConvolutional, LeavesANetworkAloneAtItsOwnSize) {
  const Network net = classifier();
  EXPECT_EQ(text_of(fully_convolutional(net.graph(), {14, 14, 3})), text_of(net.graph()));
}

/// The message for a network of 8 x 8 x 4 that `body` builds behind its input.
template <class Body>
std::string mistake(const Body& body, const std::vector<int64_t>& extents = {9, 9}) {
  Network net("test");
  net.output("y", body(net, net.input("image", {.height = 8, .width = 8, .channels = 4})));
  try {
    fully_convolutional(net.graph(), extents);
  } catch (const UserError& error) {
    return error.what();
  }
  return "none";
}

void expect_begins(const std::string& text, const std::string& begin) {
  EXPECT_EQ(text.substr(0, begin.size()), begin);
}

TEST(FullyConvolutional, RefusesPicturesThatAreNoLarger) {
  const auto message = [](const std::vector<int64_t>& extents) {
    return mistake([](Network&, Tensor x) { return x | conv(2, 3); }, extents);
  };
  const auto expect_part = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect_part(message({9, 7}),
              ": a picture of 9x7 is smaller than the one that the network is made for, 8x8");
  expect_part(message({9, 9, 3}), ": the picture has 3 channels, the network is made for 4");
  expect_part(message({9}), ": 1 numbers for a picture of 8x8, expected 2 or 3");
  expect_part(message({9, 9, 4, 1}), ": 4 numbers for a picture of 8x8, expected 2 or 3");
  Network two("two");
  two.input("a", {4});
  two.input("b", {4});
  EXPECT_THROW(fully_convolutional(two.graph(), {9}), UserError);
  EXPECT_NE(mistake([](Network&, Tensor x) { return x; }, {9}), "none");
}

TEST(FullyConvolutional, NamesWhatDependsOnTheWholeMap) {
  const std::string why = " cannot slide over a larger picture: it depends on the whole map";
  const auto expect_refused = [&](const std::string& node, const std::string& message) {
    expect_begins(message, node);
    EXPECT_NE(message.find(why), std::string::npos) << message;
  };
  expect_refused("moments 'layer_norm1",
                 mistake([](Network&, Tensor x) { return x | layer_norm(); }));
  expect_refused("reshape 'reshape1'", mistake([](Network&, Tensor x) {
                   return x | reshape({16, 16});
                 }));
  expect_refused("transpose 'transpose1'", mistake([](Network&, Tensor x) {
                   return x | transpose({1, 3, 2});
                 }));
  expect_refused("reduce 'reduce1'", mistake([](Network&, Tensor x) {
                   return x | reduce(ops::ReduceKind::sum, {1, 2});
                 }));
  expect_refused("mul 'mul1'",
                 mistake([](Network&, Tensor x) { return x * (x | global_average_pool()); }));
  expect_refused("add 'add1'", mistake([](Network& net, Tensor x) {
                   return x + net.parameter("position", Shape{8, 8}, fan_in());
                 }));
  expect_refused("concat 'concat1'", mistake([](Network&, Tensor x) { return concat({x, x}, 2); }));
}

TEST(FullyConvolutional, NamesWhatReadsAFlattenedMap) {
  const auto refused = [](const std::string& node) {
    return node + " cannot slide over a larger picture: it reads a flattened map of 8x8";
  };
  const auto without_place = [](std::string text) {
    const std::size_t begin = text.find(" (");
    const std::size_t end = text.find(')');
    if (begin != text.npos && end != text.npos) text.erase(begin, end - begin + 1);
    return text;
  };
  expect_begins(without_place(mistake([](Network&, Tensor x) { return x | flatten | softmax; })),
                refused("softmax 'softmax1'"));
  expect_begins(
      without_place(mistake([](Network&, Tensor x) { return x | flatten | scale_shift(); })),
      refused("scale_shift 'scale_shift1'"));
  expect_begins(without_place(mistake([](Network&, Tensor x) { return x | flatten; })),
                "flatten 'flatten1' cannot slide over a larger picture: the output 'y' is a "
                "flattened map");
}

TEST(FullyConvolutional, NamesWhereStridesDiffer) {
  const std::string message =
      mistake([](Network&, Tensor x) { return (x | conv(4, 5)) + (x | conv(4, 1, {.stride = 2})); },
              {10, 10});
  EXPECT_NE(message.find("its inputs become maps of 6x6 and 5x5"), std::string::npos) << message;
}

TEST(FullyConvolutional, RefusesAWeightThatTwoMapsShare) {
  const std::string message = mistake([](Network& net, Tensor x) {
    const Tensor weight = net.parameter("w", Shape{4, 4}, fan_in());
    const auto read = [&](Tensor from, const char* name) {
      return net.add(ops::Dense{.units = 4}, {from.value, weight.value}, name, {});
    };
    const Tensor first = read(x | global_average_pool({.keep_dims = false}), "a");
    return first + read(x | conv(1, 7) | flatten, "b");
  });
  expect_begins(message, "dense 'b' cannot slide over a larger picture: its weight is shared");
}

}  // namespace
}  // namespace halcyon::compiler
