#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::program_of;
using tests::text_of;

TEST(FoldConstants, ComputesWhatFollowsFromConstantsAlone) {
  Program program = program_of(R"(
constant 0 [1,2]
constant 1 [10,20]
%0 = input "x" () {shape=[N,2,3]} -> [N,2,3]
%1 = constant "a" () {shape=[2] values=0} -> [2]
%2 = constant "b" () {shape=[2] values=1} -> [2]
%3 = mul "product" (%1, %2) {} -> [2]
%4 = neg "negated" (%3) {} -> [2]
%5 = add "sum" (%0, %4) {} -> [N,2,3]
output "y" %5
)");
  EXPECT_TRUE(fold_constants(program, {}));
  EXPECT_EQ(text_of(program.graph), "sum = add (x, negated)\noutput y sum\n");
  const auto& folded =
      std::get<dsl::ops::Constant>(program.graph.node(find(program.graph, "negated")).op);
  EXPECT_EQ(program.graph.constants.at(static_cast<std::size_t>(folded.values)),
            (std::vector<float>{-10, -40}));
  EXPECT_FALSE(fold_constants(program, {}));
}

TEST(FoldConstants, LeavesParametersThatAWeightFileMayReplace) {
  Program program = program_of(R"(
constant 0 [1,2]
%0 = input "x" () {shape=[N,2,3]} -> [N,2,3]
%1 = parameter "p" () {id=0 shape=[2] init=values values=0} -> [2]
%2 = neg "negated" (%1) {} -> [2]
%3 = add "sum" (%0, %2) {} -> [N,2,3]
output "y" %3
)");
  EXPECT_FALSE(fold_constants(program, {}));
}

}  // namespace
}  // namespace halcyon::compiler
