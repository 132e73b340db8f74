#include "compiler/passes/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace halcyon::compiler {
namespace {

constexpr int64_t kAlignment = 64;

std::vector<Interval> random_intervals(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto roll = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1));
  };
  std::vector<Interval> list(static_cast<std::size_t>(roll(1, 60)));
  for (Interval& i : list) {
    i.size_bytes = roll(0, 3) == 0 ? roll(0, 100000) : roll(1, 500);
    i.first_step = static_cast<int32_t>(roll(0, 30));
    i.last_step = i.first_step + static_cast<int32_t>(roll(0, 8));
  }
  return list;
}

bool share_memory(const Packing& packing, const std::vector<Interval>& list, std::size_t a,
                  std::size_t b) {
  return packing.offsets[a] < packing.offsets[b] + list[b].size_bytes &&
         packing.offsets[b] < packing.offsets[a] + list[a].size_bytes;
}

TEST(Arena, NeverOverlapsWhatLivesAtOnce) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::vector<Interval> list = random_intervals(seed);
    const Packing packing = pack(list, kAlignment);
    for (std::size_t a = 0; a < list.size(); ++a) {
      EXPECT_GE(packing.offsets[a], 0);
      EXPECT_EQ(packing.offsets[a] % kAlignment, 0) << "seed " << seed;
      EXPECT_LE(packing.offsets[a] + list[a].size_bytes, packing.size_bytes) << "seed " << seed;
      for (std::size_t b = 0; b < a; ++b) {
        const bool together =
            list[a].first_step <= list[b].last_step && list[b].first_step <= list[a].last_step;
        EXPECT_FALSE(together && share_memory(packing, list, a, b)) << "seed " << seed;
      }
    }
  }
}

TEST(Arena, NeedsAtLeastWhatLivesInOneStep) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::vector<Interval> list = random_intervals(seed);
    const Packing packing = pack(list, 1);
    int64_t largest = 0;
    for (int32_t step = 0; step < 40; ++step) {
      int64_t sum = 0;
      for (const Interval& i : list) {
        if (i.first_step <= step && step <= i.last_step) sum += i.size_bytes;
      }
      largest = std::max(largest, sum);
    }
    EXPECT_EQ(packing.lower_bound_bytes, largest) << "seed " << seed;
    EXPECT_GE(packing.size_bytes, largest) << "seed " << seed;
  }
}

TEST(Arena, ReusesTheMemoryOfWhatIsDead) {
  const Packing packing = pack({{100, 0, 1}, {100, 1, 2}, {100, 2, 3}}, 1);
  EXPECT_EQ(packing.size_bytes, 200);
  EXPECT_EQ(packing.offsets[0], packing.offsets[2]);
}

TEST(Arena, PacksNothingIntoNothing) {
  const Packing packing = pack({}, kAlignment);
  EXPECT_EQ(packing.size_bytes, 0);
  EXPECT_TRUE(packing.offsets.empty());
}

TEST(Pack, TriesAgainWhereTheLargestFirstIsNotBest) {
  // Largest first alone needs 11 units.
  const std::vector<Interval> list = {{.size_bytes = 64 * 5, .first_step = 2, .last_step = 2},
                                      {.size_bytes = 64 * 5, .first_step = 4, .last_step = 5},
                                      {.size_bytes = 64 * 5, .first_step = 1, .last_step = 3},
                                      {.size_bytes = 64 * 4, .first_step = 1, .last_step = 1},
                                      {.size_bytes = 64 * 1, .first_step = 3, .last_step = 5}};
  const Packing packing = pack(list, kAlignment);
  EXPECT_EQ(packing.size_bytes, 64 * 10);
}

}  // namespace
}  // namespace halcyon::compiler
