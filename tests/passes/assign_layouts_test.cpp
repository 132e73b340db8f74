#include <gtest/gtest.h>

#include "compiler/passes/pipeline.h"
#include "dsl/layers.h"
#include "tests/passes/graph_text.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::Network;
using dsl::Tensor;
using tests::find;
using tests::program_of;
using tests::wide_machine;

std::string layout_of(const Program& program, std::string_view name) {
  const Value v = find(program.graph, name);
  const auto weight = program.weights.find(v);
  return weight != program.weights.end() ? to_string(weight->second)
                                         : to_string(program.layouts.at(v));
}

/// Fused and laid out, nothing else.
Program laid_out(std::string_view text) {
  Program program = program_of(text);
  fuse(program, wide_machine());
  EXPECT_TRUE(assign_layouts(program, wide_machine()));
  return program;
}

Program compiled(const Network& net, std::span<const Pass> passes) {
  Program program;
  program.graph = net.graph();
  run_passes(program, wide_machine(), passes);
  return program;
}

TEST(AssignLayouts, CutsChannelsIntoVectorsOrTheNextPowerOfTwo) {
  const std::pair<int, int> blocks[] = {{1, 1},   {2, 2},   {3, 4},   {5, 8},
                                        {15, 16}, {16, 16}, {17, 16}, {48, 16}};
  for (const auto& [channels, block] : blocks) {
    const std::string shape = "[N," + std::to_string(channels) + ",2,2]";
    const Program program = laid_out("%0 = input \"x\" () {shape=" + shape + "} -> " + shape +
                                     "\n%1 = relu \"y\" (%0) {} -> " + shape + "\n");
    EXPECT_EQ(layout_of(program, "y"), "f32" + shape + " block " + std::to_string(block));
  }
}

TEST(AssignLayouts, KeepsTheHostsOrder) {
  const Program program = laid_out(R"(
%0 = input "hwc" () {shape=[N,3,2,2] channels_last=true} -> [N,3,2,2]
%1 = input "chw" () {shape=[N,3,2,2] channels_last=false} -> [N,3,2,2]
%2 = input "label" () {shape=[N] dtype=i32 target=true classes=3} -> [N]
%3 = input "flat" () {shape=[N,7] channels_last=false} -> [N,7]
%4 = add "sum" (%0, %1) {} -> [N,3,2,2]
%5 = copy "out" (%4) {} -> [N,3,2,2]
output "y" %5
)");
  EXPECT_EQ(layout_of(program, "flat"), "f32[N,7] block 7");
  EXPECT_EQ(layout_of(program, "hwc"), "f32[N,3,2,2] block 3");
  EXPECT_EQ(layout_of(program, "chw"), "f32[N,3,2,2] block 1");
  EXPECT_EQ(layout_of(program, "label"), "i32[N] block 1");
  EXPECT_EQ(layout_of(program, "sum"), "f32[N,3,2,2] block 4");
  EXPECT_EQ(layout_of(program, "out"), "f32[N,3,2,2] block 3");
}

TEST(AssignLayouts, StoresPositionsOfMaximaInBytesWhereTheyFit) {
  const Program program = laid_out(R"(
%0 = input "x" () {shape=[N,5,17,17]} -> [N,5,17,17]
%1 = max_pool "pool" (%0) {kernel=[16,16] stride=[1,1] with_argmax=true} -> [N,5,2,2] [N,5,2,2]
%2 = max_pool "wide" (%0) {kernel=[16,17] with_argmax=true} -> [N,5,1,1] [N,5,1,1]
)");
  EXPECT_EQ(to_string(program.layouts.at({1, 1})), "u8[N,5,2,2] block 8");
  EXPECT_EQ(to_string(program.layouts.at({2, 1})), "i32[N,5,1,1] block 8");
}

TEST(AssignLayouts, GivesAValueTheWidestHaloOfItsReaders) {
  const Program program = laid_out(R"(
%0 = input "x" () {shape=[N,2,16,16]} -> [N,2,16,16]
%1 = parameter "w" () {id=0 shape=[1,2,3,3]} -> [1,2,3,3]
%2 = relu "y" (%0) {} -> [N,2,16,16]
%3 = conv "a" (%2, %1) {kernel=[3,3] pad_begin=[2,0] pad_end=[0,1]} -> [N,1,16,15]
%4 = conv "b" (%2, %1) {kernel=[3,3] pad_begin=[1,1] pad_end=[1,0]} -> [N,1,16,15]
%5 = conv_weight_grad "c" (%2, %3) {weight=[1,2,3,3] pad_begin=[2,0] pad_end=[0,1]} -> [1,2,3,3]
)");
  EXPECT_EQ(layout_of(program, "y"), "f32[N,2,16,16] block 2 halo 2,1/1,1");
  EXPECT_EQ(layout_of(program, "x"), "f32[N,2,16,16] block 2");
}

TEST(AssignLayouts, StoresNoHaloThatIsLargeOrAroundWhatMustBeDense) {
  const Program program = laid_out(R"(
%0 = input "picture" () {shape=[N,2,16,16]} -> [N,2,16,16]
%1 = parameter "w" () {id=0 shape=[2,2,3,3]} -> [2,2,3,3]
%2 = conv "small" (%0, %1) {filters=2 kernel=[3,3] stride=[4,4] pad_begin=[1,1]} -> [N,2,4,4]
%3 = conv "y" (%2, %1) {filters=2 kernel=[3,3] pad_begin=[1,1] pad_end=[1,1]} -> [N,2,4,4]
%4 = relu "flattened" (%0) {} -> [N,2,16,16]
%5 = conv "z" (%4, %1) {filters=2 kernel=[3,3] pad_begin=[1,1] pad_end=[1,1]} -> [N,2,16,16]
%6 = flatten "flat" (%4) {} -> [N,512]
)");
  EXPECT_EQ(layout_of(program, "small"), "f32[N,2,4,4] block 2");
  EXPECT_EQ(layout_of(program, "picture"), "f32[N,2,16,16] block 2");
  EXPECT_EQ(layout_of(program, "flattened"), "f32[N,2,16,16] block 2");
}

TEST(AssignLayouts, LaysWeightsOutAsTheValueTheyMeet) {
  const Program program = laid_out(R"(
%0 = input "x" () {shape=[N,6,4,4]} -> [N,6,4,4]
%1 = parameter "w" () {id=0 shape=[24,6,3,3]} -> [24,6,3,3]
%2 = parameter "b" () {id=1 shape=[24]} -> [24]
%3 = parameter "grouped" () {id=2 shape=[3,8,1,1]} -> [3,8,1,1]
%4 = parameter "dense" () {id=3 shape=[5,12]} -> [5,12]
%5 = conv "conv1" (%0, %1, %2) {filters=24 kernel=[3,3]} -> [N,24,2,2]
%6 = conv "conv2" (%5, %3) {filters=3 kernel=[1,1] groups=3} -> [N,3,2,2]
%7 = flatten "flat" (%6) {} -> [N,12]
%8 = dense "dense1" (%7, %4) {units=5} -> [N,5]
)");
  EXPECT_EQ(layout_of(program, "w"), "24 filters in blocks of 16 of f32[N,6,3,3] block 6");
  EXPECT_EQ(layout_of(program, "b"), "24 filters in blocks of 16 of f32[N,1] block 1");
  EXPECT_EQ(layout_of(program, "grouped"), "3 filters in blocks of 4 of f32[N,8,1,1] block 8");
  EXPECT_EQ(layout_of(program, "flat"), "f32[N,3,2,2] block 4");
  EXPECT_EQ(layout_of(program, "dense"), "5 filters in blocks of 8 of f32[N,3,2,2] block 4");
}

TEST(AssignLayouts, LaysRepeatedParametersOutAsBiasesOrAsOneSample) {
  const Program program = laid_out(R"(
%0 = input "x" () {shape=[N,24,4,6]} -> [N,24,4,6]
%1 = parameter "channels" () {id=0 shape=[24]} -> [24]
%2 = parameter "one" () {id=1 shape=[1]} -> [1]
%3 = parameter "map" () {id=2 shape=[24,4,1]} -> [24,4,1]
%4 = parameter "row" () {id=3 shape=[4,6]} -> [4,6]
%5 = mul "a" (%0, %1) {} -> [N,24,4,6]
%6 = mul "b" (%5, %2) {} -> [N,24,4,6]
%7 = mul "c" (%6, %3) {} -> [N,24,4,6]
%8 = neg "negative" (%4) {} -> [4,6]
%9 = mul "d" (%7, %8) {} -> [N,24,4,6]
)");
  EXPECT_EQ(layout_of(program, "channels"), "24 filters in blocks of 16 of f32[N,1] block 1");
  EXPECT_EQ(layout_of(program, "one"), "1 filters in blocks of 1 of f32[N,1] block 1");
  EXPECT_EQ(layout_of(program, "map"), "1 filters in blocks of 1 of f32[N,24,4,1] block 16");
  EXPECT_EQ(layout_of(program, "row"), "1 filters in blocks of 1 of f32[N,1,4,6] block 1");
  EXPECT_EQ(layout_of(program, "negative"), layout_of(program, "row"));
}

TEST(AssignLayouts, GivesGradientsTheLayoutOfTheirParameter) {
  Network net("sums");
  Tensor x = net.input("x", Shape{6}) | dsl::relu;
  Tensor weight = net.parameter("weight", {6, 6}, dsl::he());
  for (const char* name : {"first", "second"}) {
    x = net.add(dsl::ops::Dense{.units = 6}, {x.value, weight.value}, name, {});
  }
  net.output("y", x);
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {6})));
  const Program program = compiled(net, training_passes());
  const std::string expected = layout_of(program, "weight");
  EXPECT_EQ(expected, "6 filters in blocks of 8 of f32[N,6] block 8");
  for (const char* name : {"grad.weight.sum", "grad.first.weight", "grad.second.weight"}) {
    EXPECT_EQ(layout_of(program, name), expected) << name;
  }
}

TEST(AssignLayouts, LetsADenseLayerWriteTheMapSeenBehindIt) {
  Network net("maps");
  Tensor x = net.input("x", {.height = 3, .width = 2, .channels = 2}) | conv(5, 2) | dsl::flatten;
  x = dsl::add(x | dsl::dense(3), x | dsl::dense(3));
  net.output("y", x);
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {3})));
  const Program program = compiled(net, training_passes());
  EXPECT_EQ(layout_of(program, "grad.dense1.x"), "f32[N,5,2,1] block 8");
  EXPECT_EQ(layout_of(program, "grad.dense1.transpose"),
            "16 filters in blocks of 8 of f32[N,3] block 4");
  EXPECT_EQ(program.views.size(), 3U);  // flatten1, and unflatten behind each layer
}

TEST(AssignLayouts, RefusesAParameterThatIsNeededInTwoLayouts) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,3] channels_last=true} -> [N,3]
%1 = parameter "w" () {id=0 shape=[3,3]} -> [3,3] @ "net.cpp":7
%2 = dense "a" (%0, %1) {units=3} -> [N,3]
%3 = dense "b" (%2, %1) {units=3} -> [N,3]
)");
  fuse(program, wide_machine());
  tests::expect_error<UserError>(
      [&] { assign_layouts(program, wide_machine()); },
      "parameter 'w' (net.cpp:7) is shared by layers that need it in different layouts",
      "hint: give each layer a parameter of its own");
}

}  // namespace
}  // namespace halcyon::compiler
