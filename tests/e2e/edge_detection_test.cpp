#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "edges.h"
#include "examples/edge_detection/tiles.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "vertical_edges.h"

namespace halcyon::tests {
namespace {

using examples::Tiles;
using runtime::Network;

TEST(EdgeDetection, FindsTheVerticalEdgeExactly) {
  std::vector<float> picture;
  for (int y = 0; y < 6; ++y) picture.insert(picture.end(), {10, 10, 10, 0, 0, 0});
  std::vector<float> edges(16);
  Network network(*vertical_edges_network(), 1);
  network.initialize(/*seed=*/0);
  network.reserve_inference(1);
  const void* const inputs[] = {picture.data()};
  void* const outputs[] = {edges.data()};
  network.infer(1, inputs, outputs);
  EXPECT_EQ(edges, (std::vector<float>{0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0}));
}

struct Strengths {
  std::vector<float> sobel, scharr;
};

Strengths compiled(const std::vector<float>& tiles, int64_t count) {
  Network network(*edges_network(), 2);
  network.initialize(/*seed=*/0);
  network.reserve_inference(count);
  const auto values = static_cast<size_t>(count * network.info().outputs[0].elements);
  Strengths result{std::vector<float>(values), std::vector<float>(values)};
  const void* const inputs[] = {tiles.data()};
  void* const outputs[] = {result.sobel.data(), result.scharr.data()};
  network.infer(count, inputs, outputs);
  return result;
}

std::vector<float> random_picture(int64_t height, int64_t width) {
  runtime::Random random(7);
  std::vector<float> picture(static_cast<size_t>(height * width * 3));
  for (float& value : picture) value = static_cast<float>(random.uniform(0, 1));
  return picture;
}

/// Plain loops over the whole picture, whose outermost pixels are repeated.
std::vector<float> loops(const std::vector<float>& picture, int64_t height, int64_t width,
                         double corner, double side) {
  const auto grey = [&](int64_t y, int64_t x) {
    y = std::clamp(y, int64_t{0}, height - 1);
    x = std::clamp(x, int64_t{0}, width - 1);
    const float* const rgb = picture.data() + (y * width + x) * 3;
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  };
  const double weights[] = {corner, side, corner};
  std::vector<float> strength;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      double across = 0, down = 0;
      for (int i = 0; i < 3; ++i) {
        across += weights[i] * (grey(y + i - 1, x - 1) - grey(y + i - 1, x + 1));
        down += weights[i] * (grey(y - 1, x + i - 1) - grey(y + 1, x + i - 1));
      }
      strength.push_back(static_cast<float>(std::hypot(across, down)));
    }
  }
  return strength;
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected,
                 float tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance) << "at " << i;
  }
}

TEST(EdgeDetection, SobelAndScharrAgreeWithPlainLoops) {
  // Neither extent is a multiple of a tile's 64.
  const int64_t height = 70, width = 131;
  const Tiles tiles{.height = height, .width = width, .side = 64};
  const std::vector<float> picture = random_picture(height, width);
  const Strengths found = compiled(tiles.cut(picture, 3), tiles.count());
  // Rounding of sums of up to 32 (Sobel: 8) times a grey of at most 1.
  expect_near(tiles.join(found.sobel), loops(picture, height, width, 1, 2), 4e-6f);
  expect_near(tiles.join(found.scharr), loops(picture, height, width, 3, 10), 2e-5f);
}

TEST(EdgeDetection, FindsNothingInAPictureOfOneColour) {
  const Strengths found = compiled(std::vector<float>(66 * 66 * 3, 0.25f), 1);
  for (float value : found.sobel) ASSERT_NEAR(value, 0, 1e-6f);
}

TEST(EdgeDetection, TilesOfASmallPictureRepeatItsBorder) {
  const Tiles tiles{.height = 1, .width = 3, .side = 2};
  EXPECT_EQ(tiles.count(), 2);
  EXPECT_EQ(tiles.cut({1, 2, 3}, 1),
            (std::vector<float>{1, 1, 2, 3, 1, 1, 2, 3, 1, 1, 2, 3, 1, 1, 2, 3,  //
                                2, 3, 3, 3, 2, 3, 3, 3, 2, 3, 3, 3, 2, 3, 3, 3}));
  EXPECT_EQ(tiles.join({1, 2, 0, 0, 3, 0, 0, 0}), (std::vector<float>{1, 2, 3}));
}

}  // namespace
}  // namespace halcyon::tests
