/// The meaning of Winograd's convolution: that of the convolution it stands for.

#include "compiler/ops/winograd.h"

#include <gtest/gtest.h>

#include <random>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

HostTensor random_tensor(const Shape& shape, uint64_t seed) {
  HostTensor t = zeros(shape);
  std::mt19937_64 random(seed);
  for (double& v : t.values) v = std::uniform_real_distribution<double>(-1, 1)(random);
  return t;
}

// F(2,3) by hand, up to the signs of a frequency: two outputs of a window of three.
TEST(WinogradTransforms, MultiplyFourNumbersForTwoOutputs) {
  const WinogradTransforms t = winograd_transforms(2, 3);
  const double d[] = {1, 2, 4, 8}, g[] = {3, 5, 7};
  double y[2] = {};
  for (std::size_t f = 0; f < 4; ++f) {
    double u = 0, v = 0;
    for (std::size_t i = 0; i < 3; ++i) u += t.filter[f][i] * g[i];
    for (std::size_t i = 0; i < 4; ++i) v += t.input[f][i] * d[i];
    for (std::size_t i = 0; i < 2; ++i) y[i] += t.output[i][f] * u * v;
  }
  EXPECT_NEAR(y[0], 1 * 3 + 2 * 5 + 4 * 7, 1e-12);
  EXPECT_NEAR(y[1], 2 * 3 + 4 * 5 + 8 * 7, 1e-12);
}

TEST(WinogradTransforms, AreRefusedForLongPatches) {
  EXPECT_THROW(winograd_transforms(4, 5), InternalError);
}

struct Case {
  int64_t tile, kernel, groups;
  Shape x;
  dsl::Spatial pad_begin, pad_end;
};

TEST(WinogradConv, MeansTheConvolutionThatItStandsFor) {
  const Case cases[] = {{2, 3, 1, {2, 4, 5, 6}, 1, 1},
                        {4, 3, 1, {1, 3, 9, 7}, 0, 0},
                        {4, 3, 2, {2, 4, 4, 5}, {1, 0}, {2, 1}},
                        {2, 5, 1, {1, 2, 6, 9}, 2, 2},
                        {4, 3, 1, {1, 1, 1, 1}, 1, 1}};
  for (const Case& c : cases) {
    SCOPED_TRACE("F(" + std::to_string(c.tile) + "," + std::to_string(c.kernel) + ") of " +
                 to_string(c.x));
    const ops::Conv conv{.filters = 6,
                         .kernel = {c.kernel, c.kernel},
                         .pad_begin = c.pad_begin,
                         .pad_end = c.pad_end,
                         .groups = c.groups};
    const HostTensor x = random_tensor(c.x, 1);
    const HostTensor w = random_tensor({6, c.x[1] / c.groups, c.kernel, c.kernel}, 2);
    const HostTensor bias = random_tensor({6}, 3);
    const ops::WinogradFilters filters{.tile = c.tile, .block = 4};
    const ops::WinogradConv tiled{.filters = 6,
                                  .kernel = c.kernel,
                                  .tile = c.tile,
                                  .block = 4,
                                  .pad_begin = c.pad_begin,
                                  .pad_end = c.pad_end,
                                  .groups = c.groups};
    const HostTensor u = reference(filters, std::array{w}, c.x[0])[0];
    const HostTensor found = reference(tiled, std::array{x, u, bias}, c.x[0])[0];
    const HostTensor expected = reference(conv, std::array{x, w, bias}, c.x[0])[0];
    ASSERT_EQ(found.shape, expected.shape);
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      ASSERT_NEAR(found.values[i], expected.values[i], 1e-10) << i;
    }
  }
}

}  // namespace
}  // namespace halcyon::compiler
