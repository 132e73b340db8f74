/// Models that are wrong: each gives one message that names the node by its name and its index.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "runtime/base/error.h"
#include "tests/onnx/models.h"

namespace halcyon::compiler {
namespace {

using onnx::TensorProto;
using tests::conv_model;
using tests::ModelWriter;

void expect_error(const ModelWriter& model, const std::string& text,
                  const ImportOptions& options = {}) {
  try {
    model.import(options);
    ADD_FAILURE() << "was imported; expected: " << text;
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos)
        << "found: " << error.what() << "\nexpected: " << text;
    EXPECT_EQ(std::string(error.what()).rfind("small.onnx: ", 0), 0U) << error.what();
  }
}

TEST(BrokenModels, NodesWithAnInputThatNobodyMakes) {
  ModelWriter model = conv_model();
  model.last().set_input(0, "nothing");
  expect_error(model, "node 0 'the_conv' (Conv): input 'nothing' is made by no node");
}

TEST(BrokenModels, NodesThatReadEachOther) {
  ModelWriter model;
  model.input("x", {0, 2}).node("Add", {"x", "b"}, {"a"}).node("Relu", {"a"}, {"b"}).output("b");
  expect_error(model, "a cycle");
}

TEST(BrokenModels, TensorsThatAreMadeTwice) {
  ModelWriter model = conv_model();
  model.node("Relu", {"x"}, {"y"});
  expect_error(model, "node 1 'the_relu' (Relu): tensor 'y' is made a second time");
}

TEST(BrokenModels, InitializersOfOneName) {
  ModelWriter model = conv_model();
  model.weight("w", {1}, 1);
  expect_error(model, "has two initializers 'w'");
}

TEST(BrokenModels, OutputsThatNobodyMakes) {
  ModelWriter model = conv_model();
  model.output("z");
  expect_error(model, "output 'z' is made by no node");
}

TEST(BrokenModels, InputsOfAnotherType) {
  ModelWriter model;
  model.input("x", {0, 2}, TensorProto::INT64).node("Relu", {"x"}, {"y"}).output("y");
  expect_error(model, "input 'x' is of type int64, expected real numbers");
}

TEST(BrokenModels, OperandsOfDifferentTypes) {
  ModelWriter model;
  model.input("x", {0, 2}).integers("two", {1, 2}).node("Add", {"x", "two"}, {"y"}).output("y");
  expect_error(model, "node 0 'the_add' (Add): has operands of different types");
}

TEST(BrokenModels, WeightsOfIntegers) {
  ModelWriter model = conv_model();
  TensorProto& weight = *model.graph().mutable_initializer(0);
  weight.set_data_type(TensorProto::INT32);
  weight.clear_float_data();
  for (int i = 0; i < 54; ++i) weight.add_int32_data(1);
  expect_error(model, "node 0 'the_conv' (Conv): has a weight that is not of real numbers");
}

TEST(BrokenModels, NegativeExtents) {
  ModelWriter model = conv_model();
  model.graph().mutable_initializer(0)->set_dims(2, -3);
  expect_error(model, "tensor 'w' has the shape [3,2,-3,3], with an extent below zero");
}

TEST(BrokenModels, ExtentsThatCannotBeCounted) {
  ModelWriter model = conv_model();
  model.graph().mutable_initializer(0)->set_dims(2, int64_t{1} << 40);
  expect_error(model, "more than 2147483647 values cannot be counted");
  ModelWriter large;
  large.input("x", {0, 1 << 20, 1 << 20}).node("Relu", {"x"}, {"y"}).output("y");
  expect_error(large, "input 'x' has the shape");
}

TEST(BrokenModels, ConstantsThatFillTheMemory) {
  ModelWriter model;
  model.input("x", {0, 2})
      .integers("shape", {1, 2000000000})
      .node("ConstantOfShape", {"shape"}, {"c"})
      .node("Add", {"x", "c"}, {"y"})
      .output("y");
  expect_error(model, "node 0 'the_constantofshape' (ConstantOfShape): constants that the model");
}

TEST(BrokenModels, DataOfAWrongLength) {
  ModelWriter model = conv_model();
  model.graph().mutable_initializer(0)->add_float_data(1);
  expect_error(model, "tensor 'w' has 55 values, and float[3,2,3,3] needs 54");
  TensorProto& weight = *model.graph().mutable_initializer(0);
  weight.clear_float_data();
  weight.set_raw_data("abc");
  expect_error(model, "tensor 'w' has 3 bytes of data, and float[3,2,3,3] needs 216");
}

TEST(BrokenModels, WeightsThatAreNotFinite) {
  ModelWriter model = conv_model();
  model.graph().mutable_initializer(0)->set_float_data(7, std::numeric_limits<float>::infinity());
  expect_error(model, "node 0 'the_conv' (Conv): value 7 of tensor 'w' is inf");
}

TEST(BrokenModels, UnknownOperators) {
  ModelWriter model = conv_model();
  model.last().set_op_type("Convolve");
  expect_error(model, "node 0 'the_conv' (Convolve): operator 'Convolve' is not supported");
  model.last().set_op_type("Conv");
  model.last().set_domain("com.example");
  expect_error(model, "operator 'Conv' of domain 'com.example' is not supported");
}

TEST(BrokenModels, AttributesThatNobodyKnows) {
  ModelWriter model = conv_model();
  model.with("sharpness", 3);
  expect_error(model, "node 0 'the_conv' (Conv): attribute 'sharpness' is not supported");
}

TEST(BrokenModels, AttributesOfAnotherType) {
  ModelWriter model = conv_model();
  model.with("strides", 2);
  expect_error(model, "attribute 'strides' is of type INT, expected INTS");
}

TEST(BrokenModels, AttributesThatDoNotFit) {
  ModelWriter model = conv_model();
  model.with("strides", std::vector<int64_t>{1, 1, 1});
  expect_error(model, "has 3 numbers in strides for its 2 spatial axes");
  model = conv_model();
  model.with("group", 5);
  expect_error(model, "node 0 'the_conv' (Conv): ");
  model = conv_model();
  model.with("pads", std::vector<int64_t>{0, 0, -1, 0});
  expect_error(model, "node 0 'the_conv' (Conv): ");
  model = conv_model();
  model.with("dilations", std::vector<int64_t>{int64_t{1} << 62, 1});
  expect_error(model, "node 0 'the_conv' (Conv): has 4611686018427387904 in dilations");
}

TEST(BrokenModels, InputsThatStayOpen) {
  ModelWriter model = conv_model();
  model.graph()
      .mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(2)
      ->set_dim_param("height");
  expect_error(model, "input 'x' leaves the extent of axis 2 open");
  expect_error(model, "has no input 'z'", {.input_shapes = {{"z", {1}}}});
  expect_error(conv_model(), "--input-shape gives 5",
               {.input_shapes = {{"", {kBatchNumber, 2, 5, 4}}}});
}

TEST(BrokenModels, WeightsThatAreComputed) {
  ModelWriter model;
  model.input("x", {0, 2, 4, 4})
      .input("w", {0, 2, 3, 3})
      .node("Conv", {"x", "w"}, {"y"})
      .output("y");
  expect_error(model, "node 0 'the_conv' (Conv): input 'w' is computed when the network runs");
}

TEST(BrokenModels, OperatorsThatMixSamples) {
  ModelWriter model;
  model.input("x", {0, 2, 3}).node("Transpose", {"x"}, {"y"}).output("y");
  expect_error(model, "node 0 'the_transpose' (Transpose): works along the first axis");
}

TEST(BrokenModels, UnknownOperatorSets) {
  ModelWriter model(99);
  model.input("x", {0, 2}).node("Relu", {"x"}, {"y"}).output("y");
  expect_error(model, "uses operator set 99 of ONNX; known are 6 to 17");
}

TEST(BrokenModels, ReshapesThatChangeTheNumberOfValues) {
  ModelWriter model;
  model.input("x", {0, 6})
      .integers("shape", {-1, 4})
      .node("Reshape", {"x", "shape"}, {"y"})
      .output("y");
  expect_error(model, "node 0 'the_reshape' (Reshape): ");
}

TEST(BrokenModels, ConstantsWithTheBatchAsExtent) {
  ModelWriter model;
  model.input("x", {0, 2})
      .weight("c", {1}, 1)
      .integers("zero", {0})
      .integers("one", {1})
      .node("Shape", {"x"}, {"extents"})
      .node("Gather", {"extents", "zero"}, {"batch"})
      .node("Reshape", {"c", "batch"}, {"repeated"})
      .node("Slice", {"repeated", "zero", "one"}, {"y"})
      .output("y");
  expect_error(model, "node 2 'the_reshape' (Reshape): makes [N] of [1], which is the same for");
}

TEST(BrokenModels, NumbersThatNoIntegerHolds) {
  ModelWriter power;
  power.input("x", {0, 2})
      .integers("zero", {0})
      .integers("below", {-1})
      .node("Pow", {"zero", "below"}, {"p"})
      .node("Reshape", {"x", "p"}, {"y"})
      .output("y");
  expect_error(power, "node 0 'the_pow' (Pow): raises 0 to the power -1, which is no integer");
  ModelWriter range;
  range.input("x", {0, 2})
      .integers("start", {INT64_MAX - 1})
      .integers("limit", {INT64_MAX})
      .integers("delta", {1})
      .node("Range", {"start", "limit", "delta"}, {"r"})
      .node("Reshape", {"x", "r"}, {"y"})
      .output("y");
  expect_error(range, "node 0 'the_range' (Range): has the bound 9223372036854775806");
}

TEST(BrokenModels, PartsThatAreNotThere) {
  ModelWriter split;
  split.input("x", {0, 4})
      .integers("sizes", {4, INT64_MAX})
      .node("Split", {"x", "sizes"}, {"y", "z"})
      .with("axis", 1)
      .output("y");
  expect_error(split, "splits an extent of 4 into [4,9223372036854775807] for 2 outputs");
  ModelWriter pad;
  pad.input("x", {0, 4})
      .integers("pads", {0, 0, -1, 0})
      .node("Pad", {"x", "pads"}, {"y"})
      .output("y");
  expect_error(pad, "node 0 'the_pad' (Pad): works along the first axis of [N,4]");
}

TEST(BrokenModels, GathersOfTooManyParts) {
  std::vector<int64_t> even;
  for (int64_t i = 0; i < 1025; ++i) even.push_back(2 * i);
  ModelWriter model;
  model.input("x", {0, 3000})
      .integers("even", even)
      .node("Gather", {"x", "even"}, {"y"})
      .with("axis", 1)
      .output("y");
  expect_error(model, "takes positions of [N,3000] in more than 1024 separate runs");
}

}  // namespace
}  // namespace halcyon::compiler
