#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::text_of;

TEST(SeparateResults, GivesEachLossAValueOfItsOwn) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4]} -> [N,4]
%1 = input "wanted" () {shape=[N,4] target=true} -> [N,4]
%2 = mean_square "error" (%0, %1) {} -> []
loss "first" %2 weight=1
loss "second" %2 weight=2
)");
  EXPECT_TRUE(separate_results(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "second = mean_square (x, wanted)\n"
            "error = mean_square (x, wanted)\n"
            "loss first error\n"
            "loss second second\n");
  EXPECT_FALSE(separate_results(program, {}));
}

TEST(SeparateResults, GivesEachParameterAGradientOfItsOwn) {
  Program program = program_of(R"(
%0 = input "dy" () {shape=[N,4]} -> [N,4]
%1 = parameter "a" () {id=0 shape=[4]} -> [4]
%2 = parameter "b" () {id=1 shape=[4]} -> [4]
%3 = bias_grad "sum" (%0) {} -> [4]
%4 = update "update" (%1, %2, %3, %3) {} ->
)");
  EXPECT_TRUE(separate_results(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "sum = bias_grad (dy)\n"
            "sum.copy = copy (sum)\n"
            "update = update (a, b, sum, sum.copy)\n");
  EXPECT_FALSE(separate_results(program, {}));
}

TEST(CopyOutputs, CopiesEveryOutputThatNoSoftmaxWrites) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4]} -> [N,4]
%1 = relu "y" (%0) {} -> [N,4]
%2 = softmax "alone" (%1) {} -> [N,4]
%3 = softmax "read" (%0) {} -> [N,4]
%4 = relu "reader" (%3) {} -> [N,4]
output "input" %0
output "relu" %4
output "twice" %2
output "again" %2
output "read" %3
)");
  EXPECT_TRUE(copy_outputs(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "y = relu (x)\n"
            "alone = softmax (y)\n"
            "read = softmax (x)\n"
            "reader = relu (read)\n"
            "input.copy = copy (x)\n"
            "relu.copy = copy (reader)\n"
            "again.copy = copy (alone)\n"
            "read.copy = copy (read)\n"
            "output input input.copy\n"
            "output relu relu.copy\n"
            "output twice alone\n"
            "output again again.copy\n"
            "output read read.copy\n");
}

}  // namespace
}  // namespace halcyon::compiler
