#include "compiler/passes/fusion_cost.h"

#include <gtest/gtest.h>

namespace halcyon::compiler {
namespace {

constexpr int64_t kMega = 1024 * 1024;

Target machine(int64_t l2_bytes) {
  Target target;
  target.vector_width = 16;
  target.l2_bytes = l2_bytes;
  return target;
}

/// The stem of GoogLeNet: 7x7 windows over 3 channels, 64 filters.
const Shape kStemMap = {kBatch, 64, 112, 112};
constexpr int64_t kStemMacs = int64_t{112} * 112 * 64 * 7 * 7 * 3;

dsl::ops::MaxPool pool_3_by_2() {
  dsl::ops::MaxPool pool;
  pool.kernel = 3;
  pool.stride = 2;
  pool.pad_end = 1;
  return pool;
}

FusionCost stem(int64_t l2_bytes) {
  return pooled_conv_cost(kStemMap, kStemMacs, pool_3_by_2(), {kBatch, 64, 56, 56},
                          machine(l2_bytes));
}

TEST(FusionCost, PaysWhereTheMapOutgrowsTheCache) {
  const FusionCost cost = stem(2 * kMega);
  // Two pairs of filter blocks in four tasks each, of 14 output rows and the 29 that they read.
  EXPECT_EQ(cost.rows_per_task, 14);
  EXPECT_EQ(cost.scratch_bytes, 29 * 112 * 32 * 4);
  EXPECT_EQ(cost.saved_bytes, 2 * 64 * 112 * 112 * 4);
  EXPECT_EQ(cost.recomputed_macs, kStemMacs * (4 * 29 - 112) / 112);
  EXPECT_TRUE(cost.pays(machine(2 * kMega)));
}

TEST(FusionCost, DoesNotPayWhereTheMapStaysInTheCache) {
  const FusionCost cost = stem(8 * kMega);
  EXPECT_EQ(cost.saved_bytes, 0);
  EXPECT_GT(cost.recomputed_macs, 0);
  EXPECT_FALSE(cost.pays(machine(8 * kMega)));
}

TEST(FusionCost, DoesNotPayWhereBytesHideBehindArithmetic) {
  // AlexNet's stem: 11x11/4 over 3 channels, 96 filters.
  const Shape map = {kBatch, 96, 55, 55};
  dsl::ops::MaxPool pool = pool_3_by_2();
  pool.pad_end = 0;
  const FusionCost cost = pooled_conv_cost(map, map.elements() * 11 * 11 * 3, pool,
                                           {kBatch, 96, 27, 27}, machine(2 * kMega));
  EXPECT_GT(cost.saved_bytes, 0);
  EXPECT_GT(cost.recomputed_macs, 0);
  EXPECT_FALSE(cost.pays(machine(2 * kMega)));
}

TEST(FusionCost, CostsNothingWhereNoRowIsComputedTwice) {
  // The last convolution of AlexNet: its filters alone give enough tasks.
  const FusionCost cost = pooled_conv_cost({kBatch, 256, 13, 13}, int64_t{13} * 13 * 256 * 9 * 192,
                                           pool_3_by_2(), {kBatch, 256, 6, 6}, machine(2 * kMega));
  EXPECT_EQ(cost.rows_per_task, 6);
  EXPECT_EQ(cost.recomputed_macs, 0);
  EXPECT_EQ(cost.saved_bytes, 0);
  EXPECT_TRUE(cost.pays(machine(2 * kMega)));
}

TEST(FusionCost, RefusesToLeaveThreadsIdle) {
  // Two filter blocks of a small map: whole maps are one task, and cutting them computes too much.
  const FusionCost cost = pooled_conv_cost({kBatch, 32, 28, 28}, int64_t{28} * 28 * 32 * 9 * 64,
                                           pool_3_by_2(), {kBatch, 32, 14, 14}, machine(2 * kMega));
  EXPECT_FALSE(cost.fills_threads);
  EXPECT_FALSE(cost.pays(machine(2 * kMega)));
}

TEST(FusionCost, KeepsTheRowsOfATaskInTheCache) {
  const FusionCost small = stem(256 * 1024);
  EXPECT_LE(small.scratch_bytes, 128 * 1024);
  EXPECT_LT(small.rows_per_task, 14);
  // Not even the rows of one window.
  const FusionCost tiny = stem(32 * 1024);
  EXPECT_EQ(tiny.rows_per_task, 0);
  EXPECT_FALSE(tiny.pays(machine(32 * 1024)));
}

TEST(FusionCost, LetsAPoolLeadIntoAPointwiseConvolutionForNothing) {
  // Inception 3a: rows of the pool that all filters of a task read, in tasks that share none.
  const Shape map = {kBatch, 192, 28, 28}, y = {kBatch, 32, 28, 28};
  const dsl::ops::Conv conv = {.filters = 32, .kernel = 1};
  const FusionCost cost = rows_into_conv_cost(map, 9 * map.elements(), conv, 32 * map.elements(),
                                              32 * 192, y, machine(2 * kMega));
  EXPECT_EQ(cost.rows_per_task, 4);
  EXPECT_EQ(cost.recomputed_macs, 0);
  EXPECT_TRUE(cost.pays(machine(2 * kMega)));
}

TEST(FusionCost, CountsTheWeightsThatEachTaskReads) {
  const Shape map = {kBatch, 832, 7, 7}, y = {kBatch, 1024, 7, 7};
  const dsl::ops::Conv conv = {.filters = 1024, .kernel = 1};
  const FusionCost cost = rows_into_conv_cost(map, 9 * map.elements(), conv, 1024 * map.elements(),
                                              1024 * 832, y, machine(2 * kMega));
  EXPECT_EQ(cost.recomputed_macs, 0);
  EXPECT_LT(cost.saved_bytes, 0);
  EXPECT_FALSE(cost.pays(machine(2 * kMega)));
}

// Rows around a window of 3x3 are computed by two tasks. That pays where the map is large and
// quickly computed.
TEST(FusionCost, WeighsRowsComputedTwiceAgainstBytes) {
  dsl::ops::Conv conv = {.filters = 64, .kernel = 3, .pad_begin = 1, .pad_end = 1};
  const Shape map = {kBatch, 64, 56, 56};
  const auto resnet = [&](int64_t l2_bytes) {
    return rows_into_conv_cost(map, 256 * map.elements(), conv, 64 * 9 * map.elements(),
                               64 * 64 * 9, map, machine(l2_bytes));
  };
  EXPECT_EQ(resnet(2 * kMega).saved_bytes, 0);
  EXPECT_FALSE(resnet(2 * kMega).pays(machine(2 * kMega)));
  EXPECT_GT(resnet(kMega).saved_bytes, 0);
  EXPECT_FALSE(resnet(kMega).pays(machine(kMega)));

  const Shape wide = {kBatch, 96, 112, 112};
  const FusionCost cost =
      rows_into_conv_cost(wide, 16 * wide.elements(), conv, 9 * 64 * wide.elements(), 64 * 96 * 9,
                          {kBatch, 64, 112, 112}, machine(2 * kMega));
  EXPECT_GT(cost.recomputed_macs, 0);
  EXPECT_TRUE(cost.pays(machine(2 * kMega)));
}

TEST(FusionCost, TakesLinesAndVolumes) {
  dsl::ops::MaxPool pool = pool_3_by_2();
  const FusionCost line =
      pooled_conv_cost({kBatch, 5, 40}, 40 * 5 * 9, pool, {kBatch, 5, 19}, machine(kMega));
  EXPECT_EQ(line.rows_per_task, 1);
  EXPECT_EQ(line.scratch_bytes, 40 * 8 * 4);
  const FusionCost volume =
      pooled_conv_cost({kBatch, 16, 6, 9, 8}, 1000, pool, {kBatch, 16, 3, 4, 4}, machine(kMega));
  EXPECT_EQ(volume.rows_per_task, 4);
  EXPECT_EQ(volume.scratch_bytes, 6 * 9 * 8 * 16 * 4);
}

}  // namespace
}  // namespace halcyon::compiler
