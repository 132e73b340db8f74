#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::text_of;

/// dw of a convolution of `channels` channels behind which a pool with that attribute stands.
std::string network(const std::string& channels, const std::string& pool) {
  return "%0 = input \"x\" () {shape=[N," + channels + ",6,6]} -> [N," + channels + ",6,6]\n" + R"(
%1 = input "map" () {shape=[N,2,4,4]} -> [N,2,4,4]
%2 = parameter "weight" () {shape=[2,)" +
         channels + ",3,3]} -> [2," + channels + R"(,3,3]
%3 = max_pool "pool" (%1) {with_argmax=true)" +
         pool + R"(} -> [N,2,2,2] [N,2,2,2]
%4 = max_pool_grad "scatter" (%3, %3.1) {input=[N,2,4,4])" +
         pool + R"(} -> [N,2,4,4]
%5 = conv_weight_grad "dw" (%0, %4) {weight=[2,)" +
         channels + ",3,3]} -> [2," + channels + R"(,3,3]
%6 = update "update" (%2, %5) {} ->
)";
}

TEST(GatherWeightGradients, ReadsThePooledGradient) {
  Program program = program_of(network("3", ""));
  EXPECT_TRUE(gather_weight_gradients(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "pool = max_pool (map)\n"
            "scatter = max_pool_grad (pool, pool.1)\n"
            "dw = conv_pool_weight_grad (x, pool, pool.1)\n"
            "update = update (weight, dw)\n");
  EXPECT_FALSE(gather_weight_gradients(program, {}));
}

TEST(GatherWeightGradients, LeavesManyChannelsToWholeVectorsOfFilters) {
  Program program = program_of(network("17", ""));
  EXPECT_FALSE(gather_weight_gradients(program, {}));
}

TEST(GatherWeightGradients, LeavesPoolsThatDropNothing) {
  Program program = program_of(network("3", " kernel=3 stride=1"));
  EXPECT_FALSE(gather_weight_gradients(program, {}));
}

TEST(GatherWeightGradients, LeavesPoolsWhosePlacesAreNotThoseOfPlainWindows) {
  for (const char* pool : {" kernel=2 stride=3 pad_begin=1", " stride=2 dilation=2 pad_end=1",
                           " kernel=3 stride=2 ceil=true"}) {
    Program program = program_of(network("3", pool));
    EXPECT_FALSE(gather_weight_gradients(program, {})) << pool;
  }
}

}  // namespace
}  // namespace halcyon::compiler
