/// What an exported model holds.

#include "compiler/onnx/export.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "compiler/driver/embed_weights.h"
#include "dsl/layers.h"
#include "dsl/norm_layers.h"
#include "dsl/zoo/zoo.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;

onnx::GraphProto exported(const Network& net) {
  dsl::Graph graph = net.graph();
  embed_random_weights(graph, 1);
  return export_model(graph).graph();
}

/// "[N,3,4]"
std::string dims_of(const onnx::ValueInfoProto& info) {
  std::string text;
  for (const auto& dim : info.type().tensor_type().shape().dim()) {
    text += text.empty() ? "[" : ",";
    text += dim.has_dim_param() ? dim.dim_param() : std::to_string(dim.dim_value());
  }
  return text + "]";
}

/// "Relu (x) -> y", a line for each node.
std::string nodes_of(const onnx::GraphProto& graph) {
  std::string text;
  for (const onnx::NodeProto& node : graph.node()) {
    text += node.op_type() + " (";
    for (int i = 0; i < node.input_size(); ++i) text += (i > 0 ? ", " : "") + node.input(i);
    text += ") ->";
    for (const std::string& output : node.output()) text += " " + output;
    text += "\n";
  }
  return text;
}

TEST(Export, KeepsNamesAndTheLayoutOfInputs) {
  Network net("tiny");
  const Tensor x = net.input("image", {.height = 8, .width = 6, .channels = 3});
  const Tensor y = net.input("map", Shape{3, 8, 6});
  const Tensor sum = x + y;
  net.output("map2", sum | dsl::conv(4, 3, {.name = "stem"}) | dsl::named(dsl::relu, "active"));
  net.output("sum", sum, dsl::Order::chw);
  const onnx::GraphProto graph = exported(net);
  EXPECT_EQ(graph.name(), "tiny");
  EXPECT_EQ(graph.input(0).name() + dims_of(graph.input(0)), "image[N,8,6,3]");
  EXPECT_EQ(graph.input(1).name() + dims_of(graph.input(1)), "map[N,3,8,6]");
  EXPECT_EQ(graph.output(0).name() + dims_of(graph.output(0)), "map2[N,6,4,4]");
  EXPECT_EQ(graph.output(1).name() + dims_of(graph.output(1)), "sum[N,3,8,6]");
  EXPECT_EQ(nodes_of(graph),
            "Transpose (image) -> image.channels_first\n"
            "Add (image.channels_first, map) -> sum\n"
            "Conv (sum, stem.weight, stem.bias) -> stem\n"
            "Relu (stem) -> active\n"
            "Transpose (active) -> map2\n");
  EXPECT_EQ(graph.node(3).name(), "active");
  ASSERT_EQ(graph.initializer_size(), 2);
  EXPECT_EQ(graph.initializer(0).name(), "stem.weight");
  EXPECT_EQ(graph.initializer(0).raw_data().size(), 4u * 4 * 3 * 3 * 3);
}

TEST(Export, CopiesAValueThatIsSeveralOutputs) {
  Network net("twice");
  const Tensor x = net.input("x", Shape{3});
  const Tensor y = x | dsl::relu;
  net.output("a", y);
  net.output("b", y);
  net.output("c", x);
  EXPECT_EQ(nodes_of(exported(net)), "Relu (x) -> a\nIdentity (a) -> b\nIdentity (x) -> c\n");
}

TEST(Export, LeavesOutWhatOnlyTrainingReads) {
  const onnx::GraphProto graph = exported(dsl::zoo::googlenet({64, 64, 3}));
  ASSERT_EQ(graph.input_size(), 1);
  EXPECT_EQ(graph.input(0).name(), "image");
  for (const onnx::NodeProto& node : graph.node()) {
    EXPECT_EQ(node.op_type().find("Loss"), std::string::npos);
    EXPECT_NE(node.name(), "dense2") << "part of an auxiliary head";
  }
}

TEST(Export, SaysAFunctionInOneWordWhereThereIsOne) {
  Network net("functions");
  const Tensor x = net.input("x", Shape{2, 3, 3});
  using namespace dsl;
  net.output("y",
             x | relu | relu6 | clip(-1, 1) | leaky_relu(0.1f) | elu() | selu | hard_sigmoid() |
                 hard_swish | prelu() | sigmoid | softplus,
             Order::chw);
  std::string types;
  const onnx::GraphProto graph = exported(net);
  for (const onnx::NodeProto& node : graph.node()) types += node.op_type() + " ";
  EXPECT_EQ(types,
            "Relu Clip Clip LeakyRelu Elu Selu HardSigmoid HardSwish PRelu Sigmoid Softplus ");
}

TEST(Export, WritesANumberPerChannelAsItIsRepeated) {
  Network net("scale");
  const Tensor x = net.input("x", Shape{2, 3, 3});
  net.output("y", x | dsl::scale_shift(), dsl::Order::chw);
  const onnx::GraphProto graph = exported(net);
  ASSERT_EQ(graph.initializer_size(), 2);
  EXPECT_EQ(graph.initializer(0).dims_size(), 3);
  EXPECT_EQ(graph.initializer(0).dims(0), 2);
  EXPECT_EQ(graph.node_size(), 2) << nodes_of(graph);
}

TEST(Export, NormalisesEachChannelInOneNode) {
  Network net("norm");
  const Tensor x = net.input("x", Shape{2, 3, 3});
  net.output("y", x | dsl::instance_norm({.name = "norm"}), dsl::Order::chw);
  EXPECT_EQ(nodes_of(exported(net)), "InstanceNormalization (x, norm.weight, norm.bias) -> y\n");
}

TEST(Export, RefusesWhatOnnxCannotSay) {
  using namespace dsl;
  const auto refused = [](const auto& build) {
    return [=] {
      Network net("net");
      net.output("y", build(net.input("x", Shape{2, 6, 6})));
      exported(net);
    };
  };
  tests::expect_error<UserError>(refused([](Tensor x) {
                                   return apply(ops::Pad{.between = {0, 1, 1}}, {x}, "apart");
                                 }),
                                 "pad 'apart' (export_test.cpp:", "puts values between neighbours",
                                 "hint: a conv_transpose with a stride");
  tests::expect_error<UserError>(refused([](Tensor x) {
                                   return apply(ops::MaxPool{{}, true}, {x}, "most").output(1);
                                 }),
                                 "max_pool 'most'", "counts in another way", "with_argmax");
  Network net("net");
  const Tensor x = net.input("x", Shape{2});
  net.output("x", x | relu);
  tests::expect_error<UserError>([&] { exported(net); }, "output 'x' has the name of an input",
                                 "hint: ONNX knows tensors by their names alone");
}

}  // namespace
}  // namespace halcyon::compiler
