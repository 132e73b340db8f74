#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::text_of;

TEST(SinkReluBelowMaxPool, TakesTheMaximumFirst) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = softmax "before" (%0) {} -> [N,1,4,4]
%2 = relu "relu1" (%1) {} -> [N,1,4,4]
%3 = max_pool "pool1" (%2) {} -> [N,1,2,2]
output "y" %3
)");
  EXPECT_TRUE(sink_relu_below_max_pool(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "before = softmax (x)\n"
            "pool1 = max_pool (before)\n"
            "relu1 = relu (pool1)\n"
            "output y relu1\n");
  EXPECT_FALSE(sink_relu_below_max_pool(program, {}));
}

TEST(SinkReluBelowMaxPool, SinksBelowEachOfSeveralPools) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = relu "relu1" (%0) {} -> [N,1,4,4]
%2 = max_pool "pool1" (%1) {} -> [N,1,2,2]
%3 = max_pool "pool2" (%1) {stride=1} -> [N,1,3,3]
output "a" %2
output "b" %3
)");
  EXPECT_TRUE(sink_relu_below_max_pool(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "pool1 = max_pool (x)\n"
            "relu1 = relu (pool1)\n"
            "pool2 = max_pool (x)\n"
            "relu1 = relu (pool2)\n"
            "output a relu1\n"
            "output b relu1\n");
}

TEST(SinkReluBelowMaxPool, StaysWhereSomebodyElseReadsTheRelu) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = relu "relu1" (%0) {} -> [N,1,4,4]
%2 = max_pool "pool1" (%1) {} -> [N,1,2,2]
%3 = softmax "softmax1" (%1) {} -> [N,1,4,4]
output "a" %2
output "b" %3
)");
  EXPECT_FALSE(sink_relu_below_max_pool(program, {}));
}

TEST(SinkReluBelowMaxPool, StaysWhereTheReluIsAnOutput) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = relu "relu1" (%0) {} -> [N,1,4,4]
%2 = max_pool "pool1" (%1) {} -> [N,1,2,2]
output "a" %1
output "b" %2
)");
  EXPECT_FALSE(sink_relu_below_max_pool(program, {}));
}

TEST(SinkReluBelowMaxPool, LeavesAveragesAlone) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = relu "relu1" (%0) {} -> [N,1,4,4]
%2 = average_pool "pool1" (%1) {} -> [N,1,2,2]
output "y" %2
)");
  EXPECT_FALSE(sink_relu_below_max_pool(program, {}));
}

TEST(UnflattenBeforeSum, PushesItToEveryPart) {
  Program program = program_of(R"(
%0 = input "a" () {shape=[N,4]} -> [N,4]
%1 = input "b" () {shape=[N,4]} -> [N,4]
%2 = input "c" () {shape=[N,4]} -> [N,4]
%3 = add "ab" (%0, %1) {} -> [N,4]
%4 = add "abc" (%3, %2) {} -> [N,4]
%5 = unflatten "map" (%4) {shape=[N,1,2,2]} -> [N,1,2,2]
output "y" %5
)");
  while (unflatten_before_sum(program, {})) {
  }
  EXPECT_EQ(text_of(program.graph),
            "map = unflatten (a)\n"
            "map = unflatten (b)\n"
            "ab = add (map, map)\n"
            "map = unflatten (c)\n"
            "abc = add (ab, map)\n"
            "output y abc\n");
}

TEST(SumBeforeScatter, SumsThePooledGradient) {
  Program program = program_of(R"(
%0 = input "dy" () {shape=[N,1,2,2]} -> [N,1,2,2]
%1 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%2 = parameter "bias" () {shape=[1]} -> [1]
%3 = max_pool "pool1" (%1) {with_argmax=true} -> [N,1,2,2] [N,1,2,2]
%4 = max_pool_grad "scatter" (%0, %3.1) {input=[N,1,4,4]} -> [N,1,4,4]
%5 = bias_grad "sum" (%4) {} -> [1]
%6 = update "update" (%2, %5) {} ->
)");
  EXPECT_TRUE(sum_before_scatter(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "pool1 = max_pool (x)\n"
            "scatter = max_pool_grad (dy, pool1.1)\n"
            "sum = bias_grad (dy)\n"
            "update = update (bias, sum)\n");
  EXPECT_FALSE(sum_before_scatter(program, {}));
}

}  // namespace
}  // namespace halcyon::compiler
