#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::text_of;

constexpr const char* kConv = R"(
%0 = input "x" () {shape=[N,2,6,6]} -> [N,2,6,6]
%1 = parameter "w" () {shape=[3,2,1,1]} -> [3,2,1,1]
%2 = parameter "b" () {shape=[3]} -> [3]
%3 = conv "conv1" (%0, %1, %2) {filters=3 kernel=[1,1]} -> [N,3,6,6]
)";

TEST(PoolBeforePointwise, AveragesBeforeItMultiplies) {
  Program program = program_of(std::string(kConv) + R"(
%4 = average_pool "pool1" (%3) {kernel=[2,2] stride=[2,2]} -> [N,3,3,3]
%5 = relu "relu1" (%4) {} -> [N,3,3,3]
output "y" %5
)");
  EXPECT_TRUE(pool_before_pointwise(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "pool1 = average_pool (x)\n"
            "conv1 = conv (pool1, w, b)\n"
            "relu1 = relu (conv1)\n"
            "output y relu1\n");
  EXPECT_FALSE(pool_before_pointwise(program, {}));
}

TEST(PoolBeforePointwise, LeavesTheirOrderWhereItWouldChangeValuesOrSaveNothing) {
  for (
      const char* rest :
      {// Padding is no part of the mean, but the bias would be.
       R"(%4 = average_pool "pool1" (%3) {kernel=[2,2] stride=[2,2] pad_begin=[1,1] pad_end=[1,1]} -> [N,3,4,4]
output "y" %4
)",
       R"(%4 = average_pool "pool1" (%3) {kernel=[3,3] stride=[1,1]} -> [N,3,4,4]
output "y" %4
)",
       R"(%4 = max_pool "pool1" (%3) {kernel=[2,2] stride=[2,2]} -> [N,3,3,3]
output "y" %4
)",
       // The map itself is wanted, too.
       R"(%4 = average_pool "pool1" (%3) {kernel=[2,2] stride=[2,2]} -> [N,3,3,3]
output "y" %4
output "map" %3
)"}) {
    Program program = program_of(std::string(kConv) + rest);
    EXPECT_FALSE(pool_before_pointwise(program, {})) << rest;
  }
}

}  // namespace
}  // namespace halcyon::compiler
