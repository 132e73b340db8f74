#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::program_of;
using tests::text_of;
using tests::wide_machine;

std::string op_of(const Program& program, std::string_view name) {
  return dsl::attributes_text(program.graph.node(find(program.graph, name)).op);
}

// An inception module: a goes straight into the concat, b through another layer.
constexpr const char* kModule = R"(
%0 = input "x" () {shape=[N,3,2,2]} -> [N,3,2,2]
%1 = parameter "wa" () {id=0 shape=[32,3,1,1]} -> [32,3,1,1]
%2 = parameter "ba" () {id=1 shape=[32]} -> [32]
%3 = conv "a" (%0, %1, %2) {filters=32 kernel=1} -> [N,32,2,2]
%4 = relu "relu_a" (%3) {} -> [N,32,2,2]
%5 = parameter "wb" () {id=2 shape=[24,3,1,1]} -> [24,3,1,1]
%6 = parameter "bb" () {id=3 shape=[24]} -> [24]
%7 = conv "b" (%0, %5, %6) {filters=24 kernel=1} -> [N,24,2,2]
%8 = relu "relu_b" (%7) {} -> [N,24,2,2]
%9 = softmax "next" (%8) {} -> [N,24,2,2]
%10 = concat "joined" (%4, %9) {} -> [N,56,2,2]
%11 = softmax "last" (%10) {} -> [N,56,2,2]
output "y" %11
)";

TEST(MergeSiblingConvs, MakesOneConvolutionAndSlices) {
  Program program = program_of(kModule);
  EXPECT_TRUE(merge_sibling_convs(program, wide_machine()));
  EXPECT_EQ(text_of(program.graph),
            "b+a.weight = stack_filters (wb, wa)\n"
            "b+a.bias = stack_filters (bb, ba)\n"
            "b+a = conv (x, b+a.weight, b+a.bias)\n"
            "relu_b+relu_a = relu (b+a)\n"
            "relu_b = slice (relu_b+relu_a)\n"
            "relu_a = slice (relu_b+relu_a)\n"
            "next = softmax (relu_b)\n"
            "joined = concat (relu_a, next)\n"
            "last = softmax (joined)\n"
            "output y last\n");
  // 24 filters are filled up to 32, so that both slices begin with whole vectors.
  EXPECT_EQ(program.graph.shape(find(program.graph, "b+a")), (Shape{kBatch, 64, 2, 2}));
  EXPECT_EQ(op_of(program, "relu_b"), "{begin=[0,0,0] end=[24,2,2] step=1}");
  EXPECT_EQ(op_of(program, "relu_a"), "{begin=[32,0,0] end=[64,2,2] step=1}");
  EXPECT_FALSE(merge_sibling_convs(program, wide_machine()));
}

TEST(MergeSiblingConvs, LeavesConvolutionsThatDiffer) {
  const std::string module = kModule;
  const auto with = [&](std::string_view old_text, std::string_view new_text) {
    std::string text = module;
    text.replace(text.find(old_text), old_text.size(), new_text);
    return text;
  };
  for (const std::string& text : {
           // another function, which moreover does not keep the zeros of filled filters
           with("relu \"relu_b\"", "sigmoid \"relu_b\""),
           // one bias
           with("(%0, %5, %6) {filters=24", "(%0, %5) {filters=24"),
       }) {
    Program program = program_of(text);
    EXPECT_FALSE(merge_sibling_convs(program, wide_machine())) << text;
  }
}

TEST(MergeSiblingConvs, LeavesFilledFiltersWhoseZerosWouldNotStay) {
  std::string text = kModule;
  for (const char* name : {"relu \"relu_a\"", "relu \"relu_b\""}) {
    text.replace(text.find(name), 4, "sigmoid");
  }
  Program program = program_of(text);
  EXPECT_FALSE(merge_sibling_convs(program, wide_machine()));
}

TEST(MergeSiblingConvs, LeavesFewFiltersAndWindows) {
  // 8 of 16 lanes; a kernel of 3.
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,3,4]} -> [N,3,4]
%1 = parameter "wa" () {id=0 shape=[8,3,1]} -> [8,3,1]
%2 = parameter "wb" () {id=1 shape=[8,3,1]} -> [8,3,1]
%3 = parameter "wc" () {id=2 shape=[16,3,3]} -> [16,3,3]
%4 = parameter "wd" () {id=3 shape=[16,3,3]} -> [16,3,3]
%5 = conv "a" (%0, %1) {filters=8 kernel=1} -> [N,8,4]
%6 = conv "b" (%0, %2) {filters=8 kernel=1} -> [N,8,4]
%7 = conv "c" (%0, %3) {filters=16 kernel=3} -> [N,16,2]
%8 = conv "d" (%0, %4) {filters=16 kernel=3} -> [N,16,2]
output "a" %5
output "b" %6
output "c" %7
output "d" %8
)");
  EXPECT_FALSE(merge_sibling_convs(program, wide_machine()));
}

}  // namespace
}  // namespace halcyon::compiler
