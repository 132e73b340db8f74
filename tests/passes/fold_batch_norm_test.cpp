#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::program_of;
using tests::text_of;

constexpr const char* kNormBehindConv = R"(
%0 = input "x" () {shape=[N,3,4,4]} -> [N,3,4,4]
%1 = parameter "w" () {id=0 shape=[2,3,1,1]} -> [2,3,1,1]
%2 = parameter "gamma" () {id=1 shape=[2]} -> [2]
%3 = parameter "beta" () {id=2 shape=[2]} -> [2]
%4 = parameter "mean" () {id=3 shape=[2]} -> [2]
%5 = parameter "variance" () {id=4 shape=[2]} -> [2]
%6 = conv "conv1" (%0, %1) {filters=2 kernel=1} -> [N,2,4,4]
%7 = batch_norm "norm1" (%6, %2, %3, %4, %5) {epsilon=0.5} -> [N,2,4,4]
)";

TEST(FoldBatchNorm, ScalesFiltersAndAddsABias) {
  Program program = program_of(kNormBehindConv + std::string("output \"y\" %7\n"));
  EXPECT_TRUE(fold_batch_norm(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "norm1.scale = scale (gamma, variance)\n"
            "norm1.weight = scale_filters (w, norm1.scale)\n"
            "norm1.shift = shift (gamma, beta, mean, variance)\n"
            "conv1 = conv (x, norm1.weight, norm1.shift)\n"
            "output y conv1\n");
  EXPECT_FALSE(fold_batch_norm(program, {}));
}

TEST(FoldBatchNorm, LeavesALayerWhoseResultIsNeeded) {
  const std::string norm = kNormBehindConv;
  for (const char* other :
       {"%8 = relu \"relu1\" (%6) {} -> [N,2,4,4]\noutput \"z\" %8\n", "output \"z\" %6\n"}) {
    Program program = program_of(norm + other + "output \"y\" %7\n");
    EXPECT_FALSE(fold_batch_norm(program, {})) << other;
  }
}

TEST(FoldBatchNorm, TakesScaleShiftOfADenseLayerWithBias) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,3]} -> [N,3]
%1 = parameter "w" () {id=0 shape=[2,3]} -> [2,3]
%2 = parameter "b" () {id=1 shape=[2]} -> [2]
%3 = parameter "s" () {id=2 shape=[2]} -> [2]
%4 = dense "dense1" (%0, %1, %2) {units=2} -> [N,2]
%5 = pointwise "scaled" (%4, %3) {function="scale" formula="x0*x1"} -> [N,2]
output "y" %5
)");
  EXPECT_TRUE(fold_batch_norm(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "scaled.scale = scale (s)\n"
            "scaled.weight = scale_filters (w, scaled.scale)\n"
            "scaled.shift = shift (b, s)\n"
            "dense1 = dense (x, scaled.weight, scaled.shift)\n"
            "output y dense1\n");
  const auto& shift = program.graph.node(find(program.graph, "scaled.shift")).op;
  EXPECT_TRUE(computes(shift, (dsl::Scalar::input(0) * dsl::Scalar::input(1)).formula));
}

TEST(FoldBatchNorm, LeavesWhatIsNotAStraightLineInItsInput) {
  for (const char* formula : {"max(x0,x1)", "x0*x0*x1", "x1/x0"}) {
    Program program = program_of(R"(
%0 = input "x" () {shape=[N,3]} -> [N,3]
%1 = parameter "w" () {id=0 shape=[2,3]} -> [2,3]
%2 = parameter "s" () {id=1 shape=[2]} -> [2]
%3 = dense "dense1" (%0, %1) {units=2} -> [N,2]
%4 = pointwise "f" (%3, %2) {function="f" formula=")" +
                                 std::string(formula) + R"("} -> [N,2]
output "y" %4
)");
    EXPECT_FALSE(fold_batch_norm(program, {})) << formula;
  }
}

TEST(FoldBatchNorm, LeavesNumbersPerPosition) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,3,4]} -> [N,3,4]
%1 = parameter "w" () {id=0 shape=[2,3,1]} -> [2,3,1]
%2 = parameter "s" () {id=1 shape=[2,4]} -> [2,4]
%3 = conv "conv1" (%0, %1) {filters=2 kernel=1} -> [N,2,4]
%4 = pointwise "f" (%3, %2) {function="f" formula="x0*x1"} -> [N,2,4]
output "y" %4
)");
  EXPECT_FALSE(fold_batch_norm(program, {}));
}

}  // namespace
}  // namespace halcyon::compiler
