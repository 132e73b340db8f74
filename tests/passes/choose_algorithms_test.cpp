#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::program_of;
using tests::text_of;
using tests::wide_machine;

std::string attributes_of(const Program& program, std::string_view name) {
  return dsl::attributes_text(program.graph.node(find(program.graph, name)).op);
}

/// A convolution of %1, a map of 64 channels that a layer computes, with %2 of the shape `weight`
/// and perhaps the bias %3.
std::string behind_a_layer(std::string_view conv, std::string_view weight) {
  return R"(
%0 = input "x" () {shape=[N,64,28,28]} -> [N,64,28,28]
%1 = relu "layer" (%0) {} -> [N,64,28,28]
%2 = parameter "w" () {id=0 shape=)" +
         std::string(weight) + "} -> " + std::string(weight) + R"(
%3 = parameter "b" () {id=1 shape=[64]} -> [64]
%4 = )" + std::string(conv) +
         R"(
output "y" %4
)";
}

const std::string kTiled = behind_a_layer(
    "conv \"conv1\" (%1, %2, %3) {filters=64 kernel=3 pad_begin=1 pad_end=1} -> [N,64,28,28]",
    "[64,64,3,3]");

TEST(ChooseAlgorithms, ComputesAConvolutionOfManyChannelsInTiles) {
  Program program = program_of(kTiled);
  EXPECT_TRUE(choose_algorithms(program, wide_machine()));
  EXPECT_EQ(text_of(program.graph),
            "layer = relu (x)\n"
            "conv1.winograd = winograd_filters (w)\n"
            "conv1 = winograd_conv (layer, conv1.winograd, b)\n"
            "output y conv1\n");
  EXPECT_EQ(attributes_of(program, "conv1.winograd"), "{tile=4 block=16}");
  EXPECT_EQ(attributes_of(program, "conv1"),
            "{filters=64 kernel=3 tile=4 block=16 pad_begin=1 pad_end=1 groups=1}");
  EXPECT_EQ(program.graph.shape(find(program.graph, "conv1")), (Shape{kBatch, 64, 28, 28}));
  EXPECT_FALSE(choose_algorithms(program, wide_machine()));
}

TEST(ChooseAlgorithms, KeepsPaddingAndGroupsAndTheMissingBias) {
  Program program = program_of(behind_a_layer(
      "conv \"conv1\" (%1, %2) {filters=96 kernel=3 pad_begin=[1,0] pad_end=[0,2] groups=2} -> "
      "[N,96,27,28]",
      "[96,32,3,3]"));
  EXPECT_TRUE(choose_algorithms(program, wide_machine()));
  EXPECT_EQ(text_of(program.graph),
            "layer = relu (x)\n"
            "conv1.winograd = winograd_filters (w)\n"
            "conv1 = winograd_conv (layer, conv1.winograd)\n"
            "output y conv1\n");
  EXPECT_EQ(attributes_of(program, "conv1"),
            "{filters=96 kernel=3 tile=4 block=16 pad_begin=[1,0] pad_end=[0,2] groups=2}");
}

TEST(ChooseAlgorithms, TakesTheTileThatPaysForEachConvolution) {
  // 5 x 5 windows have small tiles only; 3 x 3 ones too where 49 positions share many filters.
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,512,7,7]} -> [N,512,7,7]
%1 = relu "layer" (%0) {} -> [N,512,7,7]
%2 = parameter "wa" () {id=0 shape=[512,512,3,3]} -> [512,512,3,3]
%3 = conv "a" (%1, %2) {filters=512 kernel=3 pad_begin=1 pad_end=1} -> [N,512,7,7]
%4 = resize "wide" (%1) {size=28} -> [N,512,28,28]
%5 = parameter "wb" () {id=1 shape=[64,512,3,3]} -> [64,512,3,3]
%6 = conv "b" (%4, %5) {filters=64 kernel=3 pad_begin=1 pad_end=1} -> [N,64,28,28]
%7 = parameter "wc" () {id=2 shape=[64,512,5,5]} -> [64,512,5,5]
%8 = conv "c" (%4, %7) {filters=64 kernel=5 pad_begin=2 pad_end=2} -> [N,64,28,28]
output "a" %3
output "b" %6
output "c" %8
)");
  EXPECT_TRUE(choose_algorithms(program, wide_machine()));
  EXPECT_EQ(attributes_of(program, "a.winograd"), "{tile=2 block=16}");
  EXPECT_EQ(attributes_of(program, "b.winograd"), "{tile=4 block=16}");
  EXPECT_EQ(attributes_of(program, "c.winograd"), "{tile=2 block=16}");
}

TEST(ChooseAlgorithms, CutsFiltersIntoBlocksOfTheMachinesVectors) {
  PassContext narrow;
  narrow.target.vector_width = 4;
  Program program = program_of(kTiled);
  EXPECT_TRUE(choose_algorithms(program, narrow));
  EXPECT_EQ(attributes_of(program, "conv1.winograd"), "{tile=4 block=4}");
}

TEST(ChooseAlgorithms, ChangesNothingWhereResultsAreToBeExact) {
  PassContext exact = wide_machine();
  exact.exact = true;
  Program program = program_of(kTiled);
  EXPECT_FALSE(choose_algorithms(program, exact));
  EXPECT_EQ(text_of(program.graph),
            "layer = relu (x)\n"
            "conv1 = conv (layer, w, b)\n"
            "output y conv1\n");
}

void expect_kept(std::string_view attributes, std::string_view weight, std::string_view shape) {
  Program program = program_of(behind_a_layer(
      "conv \"conv1\" (%1, %2) {" + std::string(attributes) + "} -> " + std::string(shape),
      weight));
  EXPECT_FALSE(choose_algorithms(program, wide_machine())) << attributes;
  EXPECT_EQ(text_of(program.graph), "layer = relu (x)\nconv1 = conv (layer, w)\noutput y conv1\n");
}

TEST(ChooseAlgorithms, LeavesConvolutionsThatTilesCannotCompute) {
  expect_kept("filters=64 kernel=3 stride=2 pad_begin=1 pad_end=1", "[64,64,3,3]", "[N,64,14,14]");
  expect_kept("filters=64 kernel=3 dilation=2 pad_begin=2 pad_end=2", "[64,64,3,3]",
              "[N,64,28,28]");
  expect_kept("filters=64 kernel=1", "[64,64,1,1]", "[N,64,28,28]");
  expect_kept("filters=64 kernel=[1,3] pad_begin=[0,1] pad_end=[0,1]", "[64,64,1,3]",
              "[N,64,28,28]");
  // Few filters, and few channels in a group.
  expect_kept("filters=8 kernel=3 pad_begin=1 pad_end=1", "[8,64,3,3]", "[N,8,28,28]");
  expect_kept("filters=64 kernel=3 pad_begin=1 pad_end=1 groups=64", "[64,1,3,3]", "[N,64,28,28]");
}

TEST(ChooseAlgorithms, LeavesConvolutionsOfFewChannels) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,3,56,56]} -> [N,3,56,56]
%1 = relu "layer" (%0) {} -> [N,3,56,56]
%2 = parameter "w" () {shape=[64,3,3,3]} -> [64,3,3,3]
%3 = conv "conv1" (%1, %2) {filters=64 kernel=3} -> [N,64,54,54]
output "y" %3
)");
  EXPECT_FALSE(choose_algorithms(program, wide_machine()));
}

// The host's picture has neither whole vectors of channels nor a border that patches could read.
TEST(ChooseAlgorithms, LeavesWhatReadsTheNetworksInput) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,64,28,28]} -> [N,64,28,28]
%1 = parameter "w" () {id=0 shape=[64,64,3,3]} -> [64,64,3,3]
%2 = conv "conv1" (%0, %1) {filters=64 kernel=3} -> [N,64,26,26]
%3 = parameter "v" () {id=1 shape=[64,64,3,3]} -> [64,64,3,3]
%4 = conv "conv2" (%2, %3) {filters=64 kernel=3} -> [N,64,24,24]
output "y" %4
)");
  EXPECT_TRUE(choose_algorithms(program, wide_machine()));
  EXPECT_EQ(text_of(program.graph),
            "conv1 = conv (x, w)\n"
            "conv2.winograd = winograd_filters (v)\n"
            "conv2 = winograd_conv (conv1, conv2.winograd)\n"
            "output y conv2\n");
}

}  // namespace
}  // namespace halcyon::compiler
