#include <gtest/gtest.h>

#include "compiler/passes/pipeline.h"
#include "compiler/passes/verify_program.h"
#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::text_of;
using tests::wide_machine;

/// "a 0+2, b 2+1 of 3; ..." : values with their first block and their blocks, by buffer; names in
/// brackets need no kernel.
std::string slots_of(const Program& program) {
  std::string text;
  for (std::size_t buffer = 0; buffer < program.buffer_blocks.size(); ++buffer) {
    std::string list;
    for (const auto& [v, slot] : program.slots) {
      if (static_cast<std::size_t>(slot.buffer) != buffer) continue;
      const std::string name(program.graph.node(v).name.view());
      list += (list.empty() ? "" : ", ") + (slot.is_computed ? name : "(" + name + ")") + " at " +
              std::to_string(slot.first_block);
    }
    text += list + " of " + std::to_string(program.buffer_blocks[buffer]) + "\n";
  }
  return text;
}

Program shared(const std::string& text) {
  Program program = program_of(text);
  share_buffers(program, wide_machine());
  fuse(program, wide_machine());
  assign_layouts(program, wide_machine());
  plan_memory(program, wide_machine());
  verify_program(program);
  return program;
}

TEST(ShareBuffers, PutsInputsOfAConcatBesideEachOther) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,32,2,2]} -> [N,32,2,2]
%1 = relu "a" (%0) {} -> [N,32,2,2]
%2 = softmax "b" (%0) {} -> [N,32,2,2]
%3 = concat "joined" (%1, %2) {} -> [N,64,2,2]
%4 = softmax "y" (%3) {} -> [N,64,2,2]
output "y" %4
)");
  EXPECT_EQ(slots_of(program), "a at 0, b at 2, (joined) at 0 of 4\n");
  EXPECT_EQ(tests::regions_of(program),
            "a: x -> a\n"
            "b: x -> b\n"
            "y: joined -> y\n");
}

TEST(ShareBuffers, NestsConcats) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,16,2,2]} -> [N,16,2,2]
%1 = relu "a" (%0) {} -> [N,16,2,2]
%2 = softmax "b" (%1) {} -> [N,16,2,2]
%3 = concat "ab" (%1, %2) {} -> [N,32,2,2]
%4 = softmax "c" (%3) {} -> [N,32,2,2]
%5 = concat "abc" (%3, %4) {} -> [N,64,2,2]
%6 = softmax "y" (%5) {} -> [N,64,2,2]
output "y" %6
)");
  EXPECT_EQ(slots_of(program), "a at 0, b at 1, (ab) at 0, c at 2, (abc) at 0 of 4\n");
}

TEST(ShareBuffers, LetsASliceBeginAConcat) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,48,2,2]} -> [N,48,2,2]
%1 = relu "whole" (%0) {} -> [N,48,2,2]
%2 = slice "first" (%1) {begin=[0,0,0] end=[16,2,2]} -> [N,16,2,2]
%3 = slice "last" (%1) {begin=[16,0,0] end=[48,2,2]} -> [N,32,2,2]
%4 = softmax "b" (%2) {} -> [N,16,2,2]
%5 = concat "joined" (%3, %4) {} -> [N,48,2,2]
%6 = softmax "y" (%5) {} -> [N,48,2,2]
output "y" %6
)");
  EXPECT_EQ(slots_of(program),
            "whole at 0, (first) at 0, (last) at 1, b at 3, (joined) at 1 of 4\n");
}

TEST(ShareBuffers, CopiesWhatWouldLieInTwoPlaces) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,16,2,2]} -> [N,16,2,2]
%1 = relu "a" (%0) {} -> [N,16,2,2]
%2 = softmax "b" (%0) {} -> [N,16,2,2]
%3 = softmax "c" (%1) {} -> [N,16,2,2]
%4 = concat "ab" (%1, %2) {} -> [N,32,2,2]
%5 = concat "ac" (%1, %3) {} -> [N,32,2,2]
%6 = softmax "y" (%4) {} -> [N,32,2,2]
%7 = softmax "z" (%5) {} -> [N,32,2,2]
output "y" %6
output "z" %7
)");
  EXPECT_EQ(text_of(program.graph),
            "a = relu (x)\n"
            "b = softmax (x)\n"
            "c = softmax (a)\n"
            "ab = concat (a, b)\n"
            "ac.copy = copy (a)\n"
            "ac = concat (ac.copy, c)\n"
            "y = softmax (ab)\n"
            "z = softmax (ac)\n"
            "output y y\n"
            "output z z\n");
  EXPECT_EQ(slots_of(program),
            "a at 0, b at 1, (ab) at 0 of 2\n"
            "c at 1, ac.copy at 0, (ac) at 0 of 2\n");
}

TEST(ShareBuffers, CopiesWhatTheHostHoldsAndWhatStandsTwice) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,16,2,2]} -> [N,16,2,2]
%1 = relu "a" (%0) {} -> [N,16,2,2]
%2 = concat "joined" (%0, %1, %1) {} -> [N,48,2,2]
%3 = softmax "y" (%2) {} -> [N,48,2,2]
output "y" %3
)");
  EXPECT_EQ(text_of(program.graph),
            "a = relu (x)\n"
            "joined.copy = copy (x)\n"
            "joined.copy = copy (a)\n"
            "joined = concat (joined.copy, a, joined.copy)\n"
            "y = softmax (joined)\n"
            "output y y\n");
}

TEST(ShareBuffers, LeavesConcatsAndSlicesThatDoNotBeginWithABlock) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,24,2,2]} -> [N,24,2,2]
%1 = relu "a" (%0) {} -> [N,24,2,2]
%2 = softmax "b" (%0) {} -> [N,24,2,2]
%3 = concat "joined" (%1, %2) {} -> [N,48,2,2]
%4 = slice "odd" (%3) {begin=[8,0,0] end=[24,2,2]} -> [N,16,2,2]
%5 = slice "ragged" (%3) {begin=[0,0,0] end=[24,2,2]} -> [N,24,2,2]
%6 = slice "window" (%3) {begin=[0,0,0] end=[16,1,2]} -> [N,16,1,2]
%7 = softmax "y" (%4) {} -> [N,16,2,2]
%8 = softmax "z" (%5) {} -> [N,24,2,2]
%9 = softmax "w" (%6) {} -> [N,16,1,2]
output "y" %7
output "z" %8
output "w" %9
)");
  EXPECT_EQ(slots_of(program), "");
}

TEST(ShareBuffers, GivesOneBufferOneHalo) {
  const Program program = shared(R"(
%0 = input "x" () {shape=[N,16,9,9]} -> [N,16,9,9]
%1 = parameter "w" () {id=0 shape=[16,16,3,3]} -> [16,16,3,3]
%2 = relu "a" (%0) {} -> [N,16,9,9]
%3 = conv "b" (%2, %1) {filters=16 kernel=3 pad_begin=1 pad_end=1} -> [N,16,9,9]
%4 = concat "joined" (%2, %3) {} -> [N,32,9,9]
%5 = softmax "y" (%4) {} -> [N,32,9,9]
output "y" %5
)");
  for (const char* name : {"a", "b", "joined"}) {
    const Layout& layout = program.layouts.at(tests::find(program.graph, name));
    EXPECT_EQ(layout.halo(0), 1) << name;
    EXPECT_EQ(layout.sample_stride(), 2 * 11 * 11 * 16) << name;
  }
  EXPECT_EQ(program.memory.per_sample_bytes, program.memory.per_sample_lower_bound);
}

}  // namespace
}  // namespace halcyon::compiler
