#include "runtime/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace halcyon::runtime {
namespace {

// The numbers are a promise to whoever quotes a seed: they may never change.
TEST(Random, GivesTheSameNumbersEverywhere) {
  Random random(0);
  EXPECT_EQ(random.bits(), 9579327875526494010u);
  EXPECT_EQ(random.below(1000), 155u);
  EXPECT_DOUBLE_EQ(random.uniform(), 0.67958694830838073);
  EXPECT_DOUBLE_EQ(random.normal(), 0.59715469815133326);
}

TEST(Random, HasIndependentStreams) {
  EXPECT_EQ(Random(1, 2).bits(), Random(1, 2).bits());
  EXPECT_NE(Random(1, 2).bits(), Random(2, 1).bits());
  EXPECT_NE(Random(1, 0).bits(), Random(1, 1).bits());
  EXPECT_NE(stream_of("conv1.weight"), stream_of("conv1.bias"));
}

TEST(Random, DrawsEveryNumberBelowACountEquallyOften) {
  Random random(4);
  std::vector<int> hits(6);
  for (int i = 0; i < 60'000; ++i) ++hits.at(random.below(hits.size()));
  for (const int count : hits) EXPECT_NEAR(count, 10'000, 400);  // four standard errors are 365
  EXPECT_EQ(random.below(1), 0u);
  const uint64_t large = (uint64_t{1} << 63) + 1;
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(large), large);
}

TEST(Random, ShufflesWithoutLosingAnything) {
  std::vector<int> values(100), sorted(100);
  std::iota(sorted.begin(), sorted.end(), 0);
  values = sorted;
  Random(5).shuffle(std::span(values));
  EXPECT_NE(values, sorted);
  EXPECT_TRUE(std::is_permutation(values.begin(), values.end(), sorted.begin()));
  std::vector<int> none;
  Random(5).shuffle(std::span(none));
}

}  // namespace
}  // namespace halcyon::runtime
