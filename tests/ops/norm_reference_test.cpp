/// The meaning of reductions and normalisations against numbers worked out by hand.

#include <gtest/gtest.h>

#include <cmath>

#include "compiler/ops/philox.h"
#include "compiler/reference/interpreter.h"

namespace halcyon::compiler {
namespace {

using Numbers = std::vector<double>;

HostTensors run(const Op& op, const HostTensors& in) { return reference(op, in, in[0].shape[0]); }

void expect_near(const Numbers& found, const Numbers& expected, double tolerance = 1e-6) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << i;
}

const HostTensor kTwoByThree{{1, 2, 3}, {1, 5, 3, 4, 2, 5}};  // two channels of three positions

TEST(Reference, ReduceKeepsOrDropsAxes) {
  using Kind = ops::ReduceKind;
  const auto reduce = [](Kind kind, const Shape& axes, bool keep) {
    return run(ops::Reduce{.kind = kind, .axes = axes, .keep_dims = keep}, {kTwoByThree})[0];
  };
  EXPECT_EQ(reduce(Kind::sum, {2}, true).shape, (Shape{1, 2, 1}));
  EXPECT_EQ(reduce(Kind::sum, {2}, true).values, (Numbers{9, 11}));
  EXPECT_EQ(reduce(Kind::sum, {1}, false).shape, (Shape{1, 3}));
  EXPECT_EQ(reduce(Kind::sum, {1}, false).values, (Numbers{5, 7, 8}));
  EXPECT_EQ(reduce(Kind::max, {1}, true).values, (Numbers{4, 5, 5}));
  EXPECT_EQ(reduce(Kind::min, {2}, false).values, (Numbers{1, 2}));
  expect_near(reduce(Kind::mean, {1, 2}, true).values, {20.0 / 6}, 1e-12);
  EXPECT_EQ(reduce(Kind::mean, {2, 1}, false).shape, (Shape{1}));
}

TEST(Reference, ReduceGradSpreadsToAllOrToTheFirstBest) {
  const ops::ReduceGrad mean{
      .kind = ops::ReduceKind::mean, .axes = {2}, .keep_dims = true, .input = {kBatch, 2, 3}};
  EXPECT_EQ(run(mean, {{{1, 2, 1}, {3, 6}}})[0].values, (Numbers{1, 1, 1, 2, 2, 2}));
  ops::ReduceGrad most = mean;
  most.kind = ops::ReduceKind::max;
  most.axes = {1, 2};
  // 5 stands twice: the gradient goes to the first.
  EXPECT_EQ(run(most, {{{1, 1, 1}, {7}}, kTwoByThree})[0].values, (Numbers{0, 7, 0, 0, 0, 0}));
}

TEST(Reference, BatchNormUsesTheGivenStatistics) {
  const HostTensors y = run(
      ops::BatchNorm{.epsilon = 1},
      {{{1, 2, 2}, {1, 5, 2, -2}}, {{2}, {3, 1}}, {{2}, {10, 0}}, {{2}, {1, 0}}, {{2}, {3, 0}}});
  expect_near(y[0].values, {10, 16, 2, -2});
}

TEST(Reference, MomentsOfChannelsGroupsAndBatch) {
  const HostTensors channels = run(ops::Moments{}, {{{2, 2, 2}, {1, 3, 0, 0, 5, 5, 2, -2}}});
  EXPECT_EQ(channels[0].values, (Numbers{2, 0, 5, 0}));
  EXPECT_EQ(channels[1].values, (Numbers{1, 0, 0, 4}));
  // Of 1 3 0 0 and of 5 5 2 -2.
  const HostTensors groups = run(ops::GroupMoments{.groups = 1}, channels);
  EXPECT_EQ(groups[0].values, (Numbers{1, 2.5}));
  EXPECT_EQ(groups[1].values, (Numbers{1.5, 8.25}));
  // Of 1 3 5 5 and of 0 0 2 -2.
  const HostTensors batch = run(ops::BatchMoments{}, channels);
  EXPECT_EQ(batch[0].values, (Numbers{3.5, 0}));
  EXPECT_EQ(batch[1].values, (Numbers{2.75, 2}));
}

TEST(Reference, StatisticsMoveTowardsTheUnbiasedOnesOfTheBatch) {
  const HostTensors in = {{{1}, {10}}, {{1}, {1}}, {{1}, {20}}, {{1}, {3}}};
  // Four values: their variance is divided by three.
  const ops::MoveStatistics move{.momentum = 0.25f, .positions = 2};
  const HostTensors moved = reference(move, in, 2);
  expect_near(moved[0].values, {12.5});
  expect_near(moved[1].values, {1.75});
  // A single value has no other variance than its own.
  expect_near(reference(ops::MoveStatistics{.momentum = 0.25f, .positions = 1}, in, 1)[1].values,
              {1.5});
}

TEST(Reference, NormalizeTakesEachGroupsStatistics) {
  const HostTensors y = run(ops::Normalize{.epsilon = 1}, {{{1, 4, 1}, {1, 2, 3, 4}},
                                                           {{4}, {1, 1, 2, 2}},
                                                           {{4}, {0, 0, 0, 1}},
                                                           {{1, 2}, {1, 3}},
                                                           {{1, 2}, {0, 3}}});
  expect_near(y[0].values, {0, 1, 0, 2});
}

TEST(Reference, L2NormalizeDividesByTheLength) {
  const HostTensors y = run(ops::L2Normalize{.epsilon = 0.5f}, {{{1, 2, 2}, {3, 0, 4, 0.25}}});
  expect_near(y[0].values, {0.6, 0, 0.8, 0.5});
}

TEST(Reference, LocalResponseNormSumsNeighbouringChannels) {
  // An even window has one channel below and two above: 1 + 4 + 9, 1 + 4 + 9, 4 + 9, 9.
  const ops::LocalResponseNorm op{.size = 3, .alpha = 3, .beta = 1, .bias = 2};
  const HostTensor x{{1, 3, 1}, {1, 2, 3}};
  expect_near(run(op, {x})[0].values, {1.0 / 7, 2.0 / 16, 3.0 / 15});
  ops::LocalResponseNorm even = op;
  even.size = 4;
  even.alpha = 4;
  expect_near(run(even, {x})[0].values, {1.0 / 16, 2.0 / 16, 3.0 / 15});
}

TEST(Reference, LocalResponseNormSumsNeighbouringPositions) {
  const ops::LocalResponseNorm op{
      .size = 3, .alpha = 9, .beta = 0.5f, .bias = 1, .across = ops::Neighbours::positions};
  const HostTensor x{{1, 1, 2, 3}, {1, 0, 0, 0, 1, 1}};
  const double two = 1 / std::sqrt(3.0), three = 0.5;
  expect_near(run(op, {x})[0].values, {two, 0, 0, 0, three, two});
}

TEST(Reference, LogSoftmaxDoesNotOverflow) {
  const HostTensors y = run(ops::LogSoftmax{}, {{{1, 2, 2}, {0, 1000, std::log(3), 0}}});
  expect_near(y[0].values, {-std::log(4.0), 0, std::log(0.75), -1000}, 1e-12);
}

TEST(Reference, MatMulTransposesEitherFactor) {
  const HostTensor a{{1, 2, 3}, {1, 2, 3, 4, 5, 6}}, b{{1, 3, 1}, {1, 0, -1}};
  EXPECT_EQ(run(ops::MatMul{}, {a, b})[0].values, (Numbers{-2, -2}));
  const HostTensor at{{1, 3, 2}, {1, 4, 2, 5, 3, 6}}, bt{{1, 1, 3}, {1, 0, -1}};
  EXPECT_EQ(run(ops::MatMul{.transpose_a = true}, {at, b})[0].values, (Numbers{-2, -2}));
  EXPECT_EQ(run(ops::MatMul{.transpose_b = true}, {a, bt})[0].values, (Numbers{-2, -2}));
}

// The known answers of the generator's own distribution.
TEST(Philox, GivesTheKnownWords) {
  EXPECT_EQ(Philox::words({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(Philox::words({ones, ones, ones, ones}, {ones, ones}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      Philox::words({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Reference, RandomMaskDropsTheShareAskedForAndScalesTheRest) {
  const HostTensor x{{4, 5, 500}, Numbers(10000, 3)};
  const ops::RandomMask op{.probability = 0.25f};
  const HostTensor y = random_mask_reference(op, x, 7, 1);
  int dropped = 0;
  for (double v : y.values) {
    dropped += v == 0 ? 1 : 0;
    EXPECT_TRUE(v == 0 || v == 4) << v;
  }
  EXPECT_NEAR(dropped, 2500, 200);  // almost five standard deviations
  const auto differs = [&](const HostTensor& other) { return other.values != y.values; };
  EXPECT_FALSE(differs(random_mask_reference(op, x, 7, 1)));
  EXPECT_TRUE(differs(random_mask_reference(op, x, 7, 2)));
  EXPECT_TRUE(differs(random_mask_reference(op, x, 8, 1)));
  EXPECT_TRUE(differs(random_mask_reference(op, x, 7 + (uint64_t{1} << 32), 1)));
  EXPECT_TRUE(differs(random_mask_reference({.probability = 0.25f, .stream = 1}, x, 7, 1)));
  EXPECT_NE(Numbers(y.values.begin(), y.values.begin() + 2500),
            Numbers(y.values.begin() + 2500, y.values.begin() + 5000));
}

}  // namespace
}  // namespace halcyon::compiler
