#include "compiler/passes/convolution_cost.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace halcyon::compiler {
namespace {

using dsl::ops::Conv;

Target machine(int vector_width = 16) {
  Target target;
  target.vector_width = vector_width;
  return target;
}

/// A convolution and the maps that it stands between.
struct Layer {
  Conv conv;
  Shape x;

  Shape y() const { return conv.infer({x, conv.weight_shape(x)})[0]; }
  double direct(const Target& target = machine()) const {
    return direct_cycles(conv, x, y(), target);
  }
  double tiled(int64_t tile, const Target& target = machine()) const {
    return winograd_cycles(conv, x, y(), tile, target);
  }
  int64_t best(const Target& target = machine()) const {
    return best_winograd_tile(conv, x, y(), target);
  }
};

/// 3 x 3 with stride 1 on a square map, whose size it keeps.
Layer layer(int64_t channels, int64_t filters, int64_t side) {
  return {{.filters = filters, .kernel = 3, .pad_begin = 1, .pad_end = 1},
          {kBatch, channels, side, side}};
}

Layer layer_of_5x5(int64_t channels, int64_t filters, int64_t side) {
  return {{.filters = filters, .kernel = 5, .pad_begin = 2, .pad_end = 2},
          {kBatch, channels, side, side}};
}

TEST(ConvolutionCost, TakesTheLargestTilesForLargeMapsOfManyChannels) {
  for (const Layer& large : {layer(64, 64, 56), layer(128, 128, 28), layer(256, 256, 14)}) {
    SCOPED_TRACE(to_string(large.x));
    EXPECT_LT(large.tiled(4), large.tiled(2));
    EXPECT_LT(large.tiled(2), large.direct());
    EXPECT_EQ(large.best(), 4);
  }
}

// Filters of large tiles are four times the weight, and come from memory for each sample.
TEST(ConvolutionCost, TakesSmallTilesWhereFewPositionsShareManyFilters) {
  const Layer deep = layer(512, 512, 7);
  EXPECT_EQ(deep.tiled(4), layer(512, 512, 4).tiled(4)) << "it waits for the filters alone";
  EXPECT_LT(deep.tiled(2), deep.tiled(4));
  EXPECT_LT(deep.tiled(2), deep.direct());
  EXPECT_EQ(deep.best(), 2);
}

TEST(ConvolutionCost, TakesLargeTilesThereWhereArithmeticIsSlower) {
  const Layer deep = layer(512, 512, 7);
  EXPECT_EQ(deep.best(machine(16)), 2);
  EXPECT_EQ(deep.best(machine(4)), 4);
  EXPECT_GT(deep.tiled(2, machine(4)), deep.tiled(2, machine(16)));
}

TEST(ConvolutionCost, ComputesMapsOfFewPositionsDirectly) {
  for (int64_t side : {1, 2, 4}) {
    const Layer small = layer(512, 512, side);
    SCOPED_TRACE(to_string(small.x));
    EXPECT_LT(small.direct(), small.tiled(2));
    EXPECT_LT(small.direct(), small.tiled(4));
    EXPECT_EQ(small.best(), 0);
  }
}

// Half of a tile, or three quarters, would be computed for nothing.
TEST(ConvolutionCost, ComputesASingleRowDirectly) {
  Layer row = layer(64, 64, 64);
  row.x = {kBatch, 64, 1, 64};
  EXPECT_LT(row.direct(), row.tiled(2));
  EXPECT_LT(row.tiled(2), row.tiled(4));
  EXPECT_EQ(row.best(), 0);
}

TEST(ConvolutionCost, WantsTilesThatSaveATenth) {
  int even = 0;
  for (int64_t channels : {16, 32, 64}) {
    for (int64_t side = 3; side < 16; ++side) {
      const Layer tried = layer(channels, 16, side);
      const double tiled = std::min(tried.tiled(2), tried.tiled(4));
      if (tiled >= tried.direct() || 1.1 * tiled < tried.direct()) continue;
      EXPECT_EQ(tried.best(), 0) << channels << " channels, " << side << " x " << side;
      ++even;
    }
  }
  EXPECT_GT(even, 0);
}

TEST(ConvolutionCost, CountsTilesThatReachBeyondTheMapAsWhole) {
  for (int64_t side : {53, 54, 55}) {
    EXPECT_EQ(layer(64, 64, side).tiled(4), layer(64, 64, 56).tiled(4)) << side;
  }
  EXPECT_GT(layer(64, 64, 57).tiled(4), layer(64, 64, 56).tiled(4));
  EXPECT_LT(layer(64, 64, 55).direct(), layer(64, 64, 56).direct());
}

TEST(ConvolutionCost, CountsWholeVectorsOfFilters) {
  const Layer full = layer(64, 32, 56), ragged = layer(64, 17, 56);
  EXPECT_EQ(ragged.direct(), full.direct());
  EXPECT_EQ(ragged.tiled(4), full.tiled(4));
  EXPECT_GT(layer(64, 33, 56).direct(), full.direct());
}

// The patch of a larger tile would be longer than there are points to evaluate at.
TEST(ConvolutionCost, TakesSmallTilesForLargerWindows) {
  for (const Layer& large : {layer_of_5x5(48, 128, 27), layer_of_5x5(32, 96, 28)}) {
    SCOPED_TRACE(to_string(large.x));
    EXPECT_LT(large.tiled(2), large.direct());
    EXPECT_EQ(large.best(), 2);
  }
}

TEST(ConvolutionCost, TakesNoTilesForOtherWindowsAndSteps) {
  const Layer tiled = layer(64, 64, 28);
  ASSERT_EQ(tiled.best(), 4);
  const auto with = [&](auto change) {
    Layer other = tiled;
    change(other.conv);
    return other.best();
  };
  EXPECT_EQ(with([](Conv& c) { c.kernel = 1; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.kernel = 2; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.kernel = 7; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.kernel = {3, 5}; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.stride = 2; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.stride = {1, 2}; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.dilation = 2; }), 0);
  EXPECT_EQ(with([](Conv& c) { c.dilation = {2, 1}; }), 0);
  // Padding may differ; where it is as wide as the window, there are outputs that read none of x.
  EXPECT_EQ(with([](Conv& c) { c.pad_end = {1, 2}; }), 4);
  EXPECT_EQ(with([](Conv& c) { c.pad_end = {1, 3}; }), 0);
}

TEST(ConvolutionCost, TakesNoTilesForLinesAndVolumes) {
  EXPECT_EQ((Layer{{.filters = 64, .kernel = 3}, {kBatch, 64, 900}}.best()), 0);
  EXPECT_EQ((Layer{{.filters = 64, .kernel = 3}, {kBatch, 64, 9, 28, 28}}.best()), 0);
}

TEST(ConvolutionCost, TakesNoTilesForLessThanAVector) {
  EXPECT_EQ(layer(16, 16, 56).best(), 4);
  EXPECT_EQ(layer(15, 16, 56).best(), 0);
  EXPECT_EQ(layer(16, 15, 56).best(), 0);
  EXPECT_EQ(layer(15, 15, 56).best(machine(8)), 4);
}

TEST(ConvolutionCost, TakesTilesForGroupsOfWholeVectors) {
  Layer grouped = layer(96, 96, 28);
  for (int64_t groups : {2, 3, 6}) {
    grouped.conv.groups = groups;
    EXPECT_EQ(grouped.best(), 4) << groups;
  }
  for (int64_t groups : {4, 12, 96}) {
    grouped.conv.groups = groups;
    EXPECT_EQ(grouped.best(), 0) << groups;
  }
}

}  // namespace
}  // namespace halcyon::compiler
