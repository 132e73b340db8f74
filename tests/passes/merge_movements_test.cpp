#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::program_of;
using tests::text_of;

// "slice {begin=...}" of the node of that name.
std::string op_of(const Program& program, std::string_view name) {
  const dsl::Node& node = program.graph.node(find(program.graph, name));
  return std::string(dsl::name_of(node.op)) + " " + dsl::attributes_text(node.op);
}

TEST(MergeMovements, KeepsTheLastOfTwoReshapes) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,6,4]} -> [N,6,4]
%1 = reshape "first" (%0) {shape=[N,2,3,4]} -> [N,2,3,4]
%2 = reshape "second" (%1) {shape=[N,8,3]} -> [N,8,3]
output "y" %2
)");
  EXPECT_TRUE(merge_movements(program, {}));
  EXPECT_EQ(text_of(program.graph), "second = reshape (x)\noutput y second\n");
  EXPECT_FALSE(merge_movements(program, {}));
}

TEST(MergeMovements, MakesViewsOfReshapesFromAndToFlatValues) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,6,4]} -> [N,6,4]
%1 = reshape "flat" (%0) {shape=[N,24]} -> [N,24]
%2 = softmax "softmax1" (%1) {} -> [N,24]
%3 = reshape "map" (%2) {shape=[N,2,12]} -> [N,2,12]
output "y" %3
)");
  EXPECT_TRUE(merge_movements(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "flat = flatten (x)\n"
            "softmax1 = softmax (flat)\n"
            "map = unflatten (softmax1)\n"
            "output y map\n");
  EXPECT_FALSE(merge_movements(program, {}));
}

TEST(MergeMovements, ComposesSlicesInEitherDirection) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4,10]} -> [N,4,10]
%1 = slice "first" (%0) {begin=[1,9] end=[4,0] step=[1,-2]} -> [N,3,5]
%2 = slice "second" (%1) {begin=[2,1] end=[-1,5] step=[-2,2]} -> [N,2,2]
output "y" %2
)");
  EXPECT_TRUE(merge_movements(program, {}));
  EXPECT_EQ(text_of(program.graph), "second = slice (x)\noutput y second\n");
  // 9 7 5 3 1, of which 7 and 3.
  EXPECT_EQ(op_of(program, "second"), "slice {begin=[3,7] end=[0,2] step=[-2,-4]}");
}

TEST(MergeMovements, ComposesTransposes) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,2,3,4]} -> [N,2,3,4]
%1 = transpose "first" (%0) {permutation=[3,1,2]} -> [N,4,2,3]
%2 = transpose "second" (%1) {permutation=[2,1,3]} -> [N,2,4,3]
output "y" %2
)");
  EXPECT_TRUE(merge_movements(program, {}));
  EXPECT_EQ(op_of(program, "second"), "transpose {permutation=[1,3,2]}");
}

TEST(MergeMovements, LeavesTheFirstWhereSomebodyElseReadsIt) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,2,3]} -> [N,2,3]
%1 = transpose "first" (%0) {permutation=[2,1]} -> [N,3,2]
%2 = transpose "second" (%1) {permutation=[2,1]} -> [N,2,3]
%3 = softmax "other" (%1) {} -> [N,3,2]
output "a" %2
output "b" %3
)");
  EXPECT_TRUE(merge_movements(program, {}));
  EXPECT_TRUE(remove_idle_movements(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "first = transpose (x)\n"
            "other = softmax (first)\n"
            "output a x\n"
            "output b other\n");
}

TEST(RemoveIdleMovements, TakesOutWhatMovesNothing) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4,3,5]} -> [N,4,3,5]
%1 = pad "pad1" (%0) {mode=reflect} -> [N,4,3,5]
%2 = slice "slice1" (%1) {begin=0 end=[4,3,5] step=1} -> [N,4,3,5]
%3 = resize "resize1" (%2) {scale=0x1p+0 interpolation=linear} -> [N,4,3,5]
%4 = channel_shuffle "shuffle1" (%3) {groups=4} -> [N,4,3,5]
%5 = transpose "transpose1" (%4) {permutation=[1,2,3]} -> [N,4,3,5]
%6 = depth_to_space "depth1" (%5) {block=1} -> [N,4,3,5]
%7 = reshape "reshape1" (%6) {shape=[N,4,3,5]} -> [N,4,3,5]
%8 = softmax "softmax1" (%7) {} -> [N,4,3,5]
output "y" %8
)");
  EXPECT_TRUE(remove_idle_movements(program, {}));
  EXPECT_EQ(text_of(program.graph), "softmax1 = softmax (x)\noutput y softmax1\n");
  EXPECT_FALSE(remove_idle_movements(program, {}));
}

TEST(RemoveIdleMovements, LeavesWhatKeepsTheShapeButMovesValues) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4,3,3]} -> [N,4,3,3]
%1 = slice "slice1" (%0) {begin=[0,0,2] end=[4,3,-1] step=[1,1,-1]} -> [N,4,3,3]
%2 = channel_shuffle "shuffle1" (%1) {groups=2} -> [N,4,3,3]
%3 = transpose "transpose1" (%2) {permutation=[1,3,2]} -> [N,4,3,3]
%4 = resize "resize1" (%3) {size=3 coordinates=asymmetric scale=0x1.8p+0} -> [N,4,3,3]
%5 = relu "relu1" (%4) {} -> [N,4,3,3]
output "y" %5
)");
  EXPECT_TRUE(remove_idle_movements(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "slice1 = slice (x)\n"
            "shuffle1 = channel_shuffle (slice1)\n"
            "transpose1 = transpose (shuffle1)\n"
            "relu1 = relu (transpose1)\n"
            "output y relu1\n");
}

}  // namespace
}  // namespace halcyon::compiler
