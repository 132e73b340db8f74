#include "compiler/onnx/import.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/base/error.h"
#include "tests/onnx/models.h"

namespace halcyon::compiler {
namespace {

namespace ops = dsl::ops;
using tests::conv_model;
using tests::ModelWriter;

/// The only node that is this operator.
template <class Op>
const dsl::Node& the_node(const dsl::Graph& graph) {
  const dsl::Node* found = nullptr;
  for (const dsl::Node& node : graph.nodes()) {
    if (!std::holds_alternative<Op>(node.op)) continue;
    EXPECT_EQ(found, nullptr) << "two " << Op::name;
    found = &node;
  }
  if (found == nullptr) throw std::out_of_range(std::string(Op::name));
  return *found;
}

template <class Op>
bool has(const dsl::Graph& graph) {
  return std::ranges::any_of(
      graph.nodes(), [](const dsl::Node& node) { return std::holds_alternative<Op>(node.op); });
}

Shape output_shape(const dsl::Graph& graph) { return graph.shape(graph.outputs.at(0).value); }

TEST(Import, KeepsNamesAndWeights) {
  dsl::Graph graph = conv_model().import().graph;
  EXPECT_EQ(graph.name.view(), "small");
  EXPECT_EQ(the_node<ops::Input>(graph).name.view(), "x");
  EXPECT_EQ(the_node<ops::Conv>(graph).name.view(), "the_conv");
  EXPECT_EQ(the_node<ops::Parameter>(graph).name.view(), "w");
  EXPECT_EQ(graph.outputs.at(0).name.view(), "y");
  EXPECT_EQ(output_shape(graph), (Shape{kBatch, 3, 2, 2}));
  const runtime::WeightFile weights = take_weights(graph);
  ASSERT_EQ(weights.tensors.size(), 1U);
  EXPECT_EQ(weights.tensors[0].shape, (std::vector<int64_t>{3, 2, 3, 3}));
  EXPECT_EQ(weights.tensors[0].floats()[53], 0.5f);
  EXPECT_TRUE(graph.constants.empty());
}

TEST(Import, SeesAFirstExtentOfOneAsSample) {
  ModelWriter model;
  model.input("x", {1, 2, 4, 4}).node("Relu", {"x"}, {"y"}).output("y");
  EXPECT_EQ(output_shape(model.import().graph), (Shape{kBatch, 2, 4, 4}));
}

TEST(Import, TakesEqualFirstExtentsForTheBatchWhereSamplesStayApart) {
  ModelWriter apart;
  apart.input("x", {3, 2, 4}).input("z", {3, 2, 4}).node("Add", {"x", "z"}, {"y"}).output("y");
  EXPECT_EQ(output_shape(apart.import().graph), (Shape{kBatch, 2, 4}));
  ModelWriter mixed;
  mixed.input("x", {3, 2, 4}).node("ReduceSum", {"x"}, {"y"}).with("keepdims", 0).output("y");
  EXPECT_EQ(output_shape(mixed.import().graph), (Shape{kBatch, 1}));
  ModelWriter repeated;
  repeated.input("x", {3, 2, 4}).input("z", {4}).node("Add", {"x", "z"}, {"y"}).output("y");
  EXPECT_EQ(output_shape(repeated.import().graph), (Shape{kBatch, 3, 2, 4}));
}

TEST(Import, ComputesShapesWithTheBatchInThem) {
  // What exporters write for x.view(x.shape[0], -1).
  ModelWriter model;
  model.input("x", {0, 2, 3, 4})
      .integers("zero", {0})
      .integers("rest", {-1})
      .node("Shape", {"x"}, {"extents"})
      .node("Gather", {"extents", "zero"}, {"batch"})
      .node("Concat", {"batch", "rest"}, {"flat"})
      .with("axis", 0)
      .node("Reshape", {"x", "flat"}, {"y"})
      .output("y");
  const dsl::Graph graph = model.import().graph;
  EXPECT_EQ(output_shape(graph), (Shape{kBatch, 24}));
  EXPECT_EQ(graph.node_count(), 2) << "shape arithmetic is no part of the network";
}

TEST(Import, GivesOpenExtentsTheShapeThatItIsTold) {
  ModelWriter model = conv_model();
  auto& shape =
      *model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(2)->set_dim_param("height");
  shape.mutable_dim(3)->set_dim_param("width");
  const ImportOptions options = {.input_shapes = {{"x", {kBatchNumber, 2, 7, 5}}}};
  EXPECT_EQ(output_shape(model.import(options).graph), (Shape{kBatch, 3, 5, 3}));
  const ImportOptions one = {.input_shapes = {{"", {1, 2, 6, 5}}}};
  EXPECT_EQ(output_shape(model.import(one).graph), (Shape{kBatch, 3, 4, 3}));
}

TEST(Import, LeavesOutWhatNoOutputNeeds) {
  ModelWriter model = conv_model();
  model.weight("unused", {2}, 1).node("Mul", {"y", "unused"}, {"nobody_reads"});
  const dsl::Graph graph = model.import().graph;
  EXPECT_EQ(graph.node_count(), 3);
}

TEST(Import, TellsOutputsThatAreConstant) {
  ModelWriter model = conv_model();
  model.node("Shape", {"x"}, {"extents"})
      .integers("one", {1})
      .node("Gather", {"extents", "one"}, {"c"});
  model.output("c");
  const ImportedModel imported = model.import();
  EXPECT_EQ(imported.known_outputs.at("c").integers().at(0), 2);
  EXPECT_EQ(imported.graph.outputs.size(), 1U);
}

TEST(Import, MakesADenseLayerOfGemm) {
  ModelWriter model;
  model.input("x", {0, 2})
      .weight("w", {2, 3}, {1, 2, 3, 4, 5, 6})
      .weight("b", {3}, {1, 1, 1})
      .node("Gemm", {"x", "w", "b"}, {"y"})
      .with_real("alpha", 2)
      .output("y");
  const dsl::Graph graph = model.import().graph;
  const dsl::Node& dense = the_node<ops::Dense>(graph);
  EXPECT_EQ(graph.shape(dense.inputs[1]), (Shape{3, 2}));
  const auto values = dsl::given_values(graph.node(dense.inputs[1]).op);
  EXPECT_EQ(graph.constants.at(static_cast<std::size_t>(*values)),
            (std::vector<float>{2, 8, 4, 10, 6, 12}));
}

TEST(Import, MakesNumbersPartOfTheFormula) {
  ModelWriter model;
  model.input("x", {0, 2, 3, 3})
      .weight("half", {}, std::vector<float>{0.5f})
      .node("Mul", {"x", "half"}, {"y"})
      .output("y");
  const dsl::Graph graph = model.import().graph;
  EXPECT_EQ(the_node<ops::Pointwise>(graph).inputs.size(), 1U);
  EXPECT_FALSE(has<ops::Parameter>(graph));
}

TEST(Import, SeesOneNumberPerChannel) {
  ModelWriter model;
  model.input("x", {0, 2, 3, 3})
      .weight("scale", {2, 1, 1}, {1, 2})
      .node("Mul", {"x", "scale"}, {"y"})
      .output("y");
  const dsl::Graph graph = model.import().graph;
  EXPECT_EQ(the_node<ops::Parameter>(graph).outputs.at(0), Shape{2});
}

TEST(Import, ReadsNodesInAnyOrder) {
  ModelWriter model;
  model.input("x", {0, 2}).node("Relu", {"a"}, {"y"}).node("Neg", {"x"}, {"a"}).output("y");
  EXPECT_EQ(model.import().graph.node_count(), 3);
}

TEST(Import, SharesAWeightThatIsReadTwice) {
  ModelWriter model = conv_model();
  model.node("Conv", {"x", "w"}, {"z"}).node("Add", {"y", "z"}, {"sum"});
  model.graph().mutable_output(0)->set_name("sum");
  const dsl::Graph graph = model.import().graph;
  EXPECT_TRUE(has<ops::Parameter>(graph));
  EXPECT_EQ(graph.constants.size(), 1U);
}

TEST(Import, CountsNodesOfOneName) {
  ModelWriter model;
  model.input("x", {0, 2}).node("Relu", {"x"}, {"a"}).node("Relu", {"a"}, {"b"});
  const dsl::Graph graph = model.node("Relu", {"b"}, {"y"}).output("y").import().graph;
  ASSERT_EQ(graph.node_count(), 4);
  EXPECT_EQ(graph.node(1).name.view(), "the_relu");
  EXPECT_EQ(graph.node(2).name.view(), "the_relu.2");
  EXPECT_EQ(graph.node(3).name.view(), "the_relu.3");
}

TEST(Import, SlicesBackwardsDownToTheLeastNumber) {
  // What ONNX recommends for "the first position, too".
  ModelWriter model;
  model.input("x", {0, 4})
      .integers("starts", {-1})
      .integers("ends", {INT64_MIN})
      .integers("axes", {1})
      .integers("steps", {-1})
      .node("Slice", {"x", "starts", "ends", "axes", "steps"}, {"y"})
      .output("y");
  const dsl::Graph graph = model.import().graph;
  EXPECT_EQ(output_shape(graph), (Shape{kBatch, 4}));
  const auto& slice = std::get<ops::Slice>(the_node<ops::Slice>(graph).op);
  EXPECT_EQ(slice.begin[0], 3);
  EXPECT_EQ(slice.end[0], -1);
  EXPECT_EQ(slice.step[0], -1);
}

TEST(Import, CutsNamesThatAreTooLong) {
  ModelWriter model = conv_model();
  const std::string name(200, 'n');
  model.graph().mutable_initializer(0)->set_name(name);
  model.last().set_input(1, name);
  model.last().set_name("quo\"ted\n");
  const dsl::Graph graph = model.import().graph;
  EXPECT_EQ(the_node<ops::Parameter>(graph).name.view(), name.substr(0, 62));
  EXPECT_EQ(the_node<ops::Conv>(graph).name.view(), "quo_ted_");
}

}  // namespace
}  // namespace halcyon::compiler
