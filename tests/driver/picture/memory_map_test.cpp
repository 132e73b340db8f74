#include "compiler/driver/picture/memory_map.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dsl/zoo/googlenet.h"
#include "dsl/zoo/lenet5.h"
#include "dsl/zoo/resnet.h"
#include "tests/driver/picture/networks.h"

namespace halcyon::compiler {
namespace {

using tests::planned;

void expect_sound(const MemoryMap& map) {
  for (std::size_t i = 0; i < map.blocks.size(); ++i) {
    const MemoryBlock& a = map.blocks[i];
    EXPECT_GE(a.offset_bytes, 0) << a.name;
    EXPECT_LE(a.offset_bytes + a.size_bytes, map.size_bytes) << a.name;
    EXPECT_LE(a.first_step, a.last_step) << a.name;
    EXPECT_LT(a.last_step, map.steps) << a.name;
    for (std::size_t j = 0; j < i; ++j) {
      const MemoryBlock& b = map.blocks[j];
      const bool apart = a.last_step < b.first_step || b.last_step < a.first_step ||
                         a.offset_bytes + a.size_bytes <= b.offset_bytes ||
                         b.offset_bytes + b.size_bytes <= a.offset_bytes;
      EXPECT_TRUE(apart) << a.name << " and " << b.name;
    }
  }
}

TEST(MemoryMap, WhatIsAliveTogetherLiesApart) {
  for (const bool train : {false, true}) {
    for (const dsl::Graph& graph :
         {dsl::zoo::lenet5().graph(), dsl::zoo::googlenet({64, 64, 3}).graph(),
          dsl::zoo::resnet18({32, 32, 3}).graph(), tests::small_network().graph()}) {
      const Program program = planned(graph, train);
      const MemoryMap map = memory_map(program, Storage::workspace);
      EXPECT_FALSE(map.blocks.empty());
      expect_sound(map);
      expect_sound(memory_map(program, Storage::fixed));
      EXPECT_EQ(map.size_bytes, program.memory.per_sample_bytes);
    }
  }
}

TEST(MemoryMap, ItsLargestLiveSetIsTheLowerBoundOfThePlan) {
  const Program program = planned(tests::small_network().graph(), false);
  const MemoryMap map = memory_map(program, Storage::workspace);
  EXPECT_EQ(map.largest_live_bytes, program.memory.per_sample_lower_bound);
}

TEST(MemoryMap, PartsOfOneBufferAreOneBlock) {
  dsl::Network net("joined");
  const dsl::Tensor x = net.input("x", {.height = 8, .width = 8, .channels = 3});
  const dsl::Tensor a = x | dsl::conv(32, 1, {.name = "a"});
  const dsl::Tensor b = x | dsl::conv(16, 3, {.pad = 1, .name = "b"});
  net.output("y", dsl::concat({a, b}, "ab") | dsl::conv(4, 1));
  const MemoryMap map = memory_map(planned(net.graph(), false), Storage::workspace);
  expect_sound(map);
  const auto block = std::find_if(map.blocks.begin(), map.blocks.end(),
                                  [](const MemoryBlock& m) { return m.name == "a, b, ab"; });
  ASSERT_NE(block, map.blocks.end());
  EXPECT_EQ(block->size_bytes, 4 * 8 * 8 * 48);
  EXPECT_EQ(block->last_step, 2);
}

TEST(MemoryMap, IsDrawnWithBothLinesWhereTheyDiffer) {
  MemoryMap map;
  map.steps = 2;
  map.size_bytes = 256;
  map.largest_live_bytes = 192;
  map.blocks = {{"<a>", Kind::dense, 0, 192, 0, 1}};
  const std::string svg = memory_svg(map, "memory");
  EXPECT_NE(svg.find("workspace 256 bytes"), svg.npos);
  EXPECT_NE(svg.find("largest live set 192 bytes"), svg.npos);
  EXPECT_NE(svg.find("aria-label=\"&lt;a&gt;\""), svg.npos);
  EXPECT_EQ(svg.find("<a>"), svg.npos);
  map.largest_live_bytes = 256;
  EXPECT_NE(memory_svg(map, "memory").find("nothing is wasted"), svg.npos);
}

}  // namespace
}  // namespace halcyon::compiler
