#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::text_of;

constexpr const char* kTrained = R"(
%0 = input "x" () {shape=[N,4]} -> [N,4]
%1 = input "unread" () {shape=[N,2]} -> [N,2]
%2 = input "label" () {shape=[N] dtype=i32 target=true classes=4} -> [N]
%3 = relu "relu1" (%0) {} -> [N,4]
%4 = softmax "softmax1" (%3) {} -> [N,4]
%5 = relu "side" (%0) {} -> [N,4]
%6 = softmax_cross_entropy "entropy" (%5, %2) {} -> []
output "scores" %4
loss "loss" %6 weight=1
)";

TEST(DropTraining, RemovesLossesTargetsAndWhatOnlyTheyNeed) {
  Program program = program_of(kTrained);
  EXPECT_TRUE(drop_training(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "relu1 = relu (x)\n"
            "softmax1 = softmax (relu1)\n"
            "output scores softmax1\n");
  EXPECT_EQ(program.graph.node_count(), 4);
}

TEST(DropTraining, KeepsInputsThatNothingReads) {
  Program program = program_of(kTrained);
  drop_training(program, {});
  EXPECT_EQ(program.graph.node(1).name.view(), "unread");
}

TEST(DropTraining, LeavesAGraphWithoutLossesAlone) {
  Program program = program_of(kTrained);
  EXPECT_TRUE(drop_training(program, {}));
  EXPECT_FALSE(drop_training(program, {}));
}

TEST(RemoveDeadNodes, RemovesChainsThatEndNowhere) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4]} -> [N,4]
%1 = relu "kept" (%0) {} -> [N,4]
%2 = relu "dead" (%1) {} -> [N,4]
%3 = softmax "deader" (%2) {} -> [N,4]
output "y" %1
)");
  EXPECT_TRUE(remove_dead_nodes(program, {}));
  EXPECT_EQ(text_of(program.graph), "kept = relu (x)\noutput y kept\n");
  EXPECT_FALSE(remove_dead_nodes(program, {}));
}

TEST(RemoveDeadNodes, KeepsTheUpdateAndWhatLossesNeed) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4]} -> [N,4]
%1 = parameter "bias" () {shape=[4]} -> [4]
%2 = mean_square "loss1" (%0, %0) {} -> []
%3 = bias_grad "grad" (%0) {} -> [4]
%4 = update "update" (%1, %3) {} ->
loss "loss" %2 weight=1
)");
  EXPECT_FALSE(remove_dead_nodes(program, {}));
}

TEST(MergeCommonNodes, JoinsEqualOperatorsOnEqualInputs) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = relu "a" (%0) {} -> [N,1,4,4]
%2 = relu "b" (%0) {} -> [N,1,4,4]
%3 = max_pool "pool_a" (%1) {with_argmax=true} -> [N,1,2,2] [N,1,2,2]
%4 = max_pool "pool_b" (%2) {with_argmax=true} -> [N,1,2,2] [N,1,2,2]
%5 = add "sum" (%3, %4) {} -> [N,1,2,2]
output "y" %5
output "b" %4
)");
  EXPECT_TRUE(merge_common_nodes(program, {}));
  while (merge_common_nodes(program, {})) {
  }
  remove_dead_nodes(program, {});
  EXPECT_EQ(text_of(program.graph),
            "a = relu (x)\n"
            "pool_a = max_pool (a)\n"
            "sum = add (pool_a, pool_a)\n"
            "output y sum\n"
            "output b pool_a\n");
}

TEST(MergeCommonNodes, KeepsApartWhatDiffersInAttributesOrIsAParameter) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = parameter "p" () {id=0 shape=[1,1,1,1]} -> [1,1,1,1]
%2 = parameter "q" () {id=1 shape=[1,1,1,1]} -> [1,1,1,1]
%3 = conv "conv_p" (%0, %1) {} -> [N,1,4,4]
%4 = conv "conv_q" (%0, %2) {} -> [N,1,4,4]
%5 = conv "strided" (%0, %1) {stride=2} -> [N,1,2,2]
output "a" %3
output "b" %4
output "c" %5
)");
  EXPECT_FALSE(merge_common_nodes(program, {}));
}

TEST(RemoveIdentities, RemovesFlattenOfFlatValuesAndConcatOfOne) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = concat "alone" (%0) {} -> [N,1,4,4]
%2 = flatten "flatten1" (%1) {} -> [N,16]
%3 = flatten "flatten2" (%2) {} -> [N,16]
%4 = concat "pair" (%3, %2) {} -> [N,32]
output "y" %4
)");
  EXPECT_TRUE(remove_identities(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "flatten1 = flatten (x)\n"
            "pair = concat (flatten1, flatten1)\n"
            "output y pair\n");
  EXPECT_FALSE(remove_identities(program, {}));
}

}  // namespace
}  // namespace halcyon::compiler
