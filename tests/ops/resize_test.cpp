/// The meaning of resize: numbers of PyTorch and of ONNX's operator page.

#include <gtest/gtest.h>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

using Numbers = std::vector<double>;
using ops::Coordinates;
using ops::Interpolation;
using ops::Rounding;

Numbers run(const ops::Resize& op, const HostTensor& x) {
  return reference(op, HostTensors{x}, x.shape[0])[0].values;
}

void expect_near(const Numbers& found, const Numbers& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6) << i;
}

const HostTensor kRow = {{1, 1, 4}, {1, 2, 4, 8}};

// torch.nn.functional.interpolate(x, size=7 or 3)
TEST(Resize, TakesTheNearestLikePytorch) {
  ops::Resize op{.size = 7, .coordinates = Coordinates::asymmetric, .rounding = Rounding::floor};
  EXPECT_EQ(run(op, kRow), (Numbers{1, 1, 2, 2, 4, 4, 8}));
  op.size = 3;
  EXPECT_EQ(run(op, kRow), (Numbers{1, 2, 4}));
}

// torch.nn.functional.interpolate(x, size, mode="linear"), then with align_corners=True
TEST(Resize, InterpolatesLikePytorch) {
  ops::Resize op{.size = 8, .interpolation = Interpolation::linear};
  expect_near(run(op, kRow), {1, 1.25, 1.75, 2.5, 3.5, 5, 7, 8});
  op.size = 3;
  expect_near(run(op, kRow), {1 + 1.0 / 6, 3, 8 - 4.0 / 6});
  op.size = 7;
  op.coordinates = Coordinates::align_corners;
  expect_near(run(op, kRow), {1, 1.5, 2, 3, 4, 6, 8});
}

TEST(Resize, RoundsHalfwayAsAsked) {
  // asymmetric at scale 2: the coordinates 0, 0.5, 1, 1.5, ...
  ops::Resize op{.scale = 2, .coordinates = Coordinates::asymmetric};
  const HostTensor x{{1, 1, 3}, {1, 2, 3}};
  EXPECT_EQ(run(op, x), (Numbers{1, 1, 2, 2, 3, 3}));
  op.rounding = Rounding::prefer_ceil;
  EXPECT_EQ(run(op, x), (Numbers{1, 2, 2, 3, 3, 3}));
  op.rounding = Rounding::ceil;
  EXPECT_EQ(run(op, x), (Numbers{1, 2, 2, 3, 3, 3}));
  op.rounding = Rounding::floor;
  EXPECT_EQ(run(op, x), (Numbers{1, 1, 2, 2, 3, 3}));
}

// resize_downsample_scales_linear and resize_downsample_scales_nearest of ONNX's operator page.
TEST(Resize, ShrinksByTheGivenScaleNotByTheQuotientOfTheExtents) {
  const HostTensor x{{1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}};
  ops::Resize op{.scale = {0.6f, 0.6f}, .interpolation = Interpolation::linear};
  expect_near(run(op, x), {2.6666665, 4.3333331});
  op.interpolation = Interpolation::nearest;
  EXPECT_EQ(run(op, x), (Numbers{1, 3}));
}

// resize_downsample_sizes_linear_pytorch_half_pixel of ONNX's operator page.
TEST(Resize, ReadsTheFirstPositionWherePytorchHalfPixelHasOne) {
  HostTensor x{{1, 1, 4, 4}, {}};
  for (int i = 1; i <= 16; ++i) x.values.push_back(i);
  const ops::Resize op{.size = {3, 1},
                       .interpolation = Interpolation::linear,
                       .coordinates = Coordinates::pytorch_half_pixel};
  expect_near(run(op, x), {1.6666666, 7, 12.333333});
}

TEST(Resize, WorksAxisByAxis) {
  const HostTensor x{{2, 1, 2, 2}, {1, 2, 3, 4, 10, 20, 30, 40}};
  const ops::Resize op{.size = {4, 2}};
  EXPECT_EQ(run(op, x), (Numbers{1, 2, 1, 2, 3, 4, 3, 4, 10, 20, 10, 20, 30, 40, 30, 40}));
}

}  // namespace
}  // namespace halcyon::compiler
