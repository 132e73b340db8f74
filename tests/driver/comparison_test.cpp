#include "compiler/driver/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

TEST(Comparison, KeepsTheLargestErrorAndValue) {
  Comparer comparer("output y");
  comparer.add(1.5, 1);
  comparer.add(-4, -4.25);
  EXPECT_EQ(comparer.result().largest_error, 0.5);
  EXPECT_EQ(comparer.result().largest_value, 4.25);
  EXPECT_TRUE(comparer.result().finite);
  EXPECT_EQ(comparer.result().undefined, 0);
}

TEST(Comparison, WhatIsFoundMustBeFiniteWhereTheReferenceIs) {
  for (const double found : {std::nan(""), double{INFINITY}, -double{INFINITY}}) {
    Comparer comparer("output y");
    comparer.add(found, 1);
    EXPECT_FALSE(comparer.result().finite) << found;
  }
}

TEST(Comparison, NothingIsHeldAgainstAReferenceThatNoFloatHolds) {
  Comparer comparer("output y");
  for (const double expected : {std::nan(""), double{INFINITY}, -1e39}) comparer.add(0, expected);
  EXPECT_EQ(comparer.result().undefined, 3);
  EXPECT_EQ(comparer.result().largest_error, 0);
  EXPECT_TRUE(comparer.result().finite);
}

/// Each of 40 scores is 1 in the reference, and 1 but for rounding in single precision.
TEST(Comparison, ATieThatRoundingBreaksIsNoOtherTop) {
  dsl::Network net("ties");
  const dsl::Tensor x = net.input("x", {40});
  net.output("y", x | dsl::custom("one", [](auto v) { return exp(3 * v) * exp(-3 * v); }));
  bool rounded = false;
  for (const Comparison& c : verify_network(net.graph(), tests::cached_options(), {.batch = 8})) {
    EXPECT_EQ(c.other_tops, 0) << c.what;
    rounded = rounded || c.largest_error > 0;
  }
  EXPECT_TRUE(rounded);
}

}  // namespace
}  // namespace halcyon::compiler
