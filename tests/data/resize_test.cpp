#include "runtime/data/resize.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace halcyon::runtime {
namespace {

void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4f) << i;
}

TEST(Resize, KeepsAPictureOfTheSameSize) {
  std::vector<float> pixels(5 * 7 * 3);
  std::iota(pixels.begin(), pixels.end(), 0.0f);
  expect_near(resize_bilinear(pixels, {5, 7, 3}, 5, 7), pixels);
}

TEST(Resize, EnlargesBetweenTheCentresOfPixels) {
  const std::vector<float> row = {0, 8};
  expect_near(resize_bilinear(row, {1, 2, 1}, 1, 4), {0, 2, 6, 8});
  expect_near(resize_bilinear(row, {2, 1, 1}, 4, 1), {0, 2, 6, 8});
}

TEST(Resize, ShrinksWithoutSkippingPixels) {
  // The triangle over 4 old pixels around each new one: 1 3 3 1, cut at the edges.
  const std::vector<float> row = {0, 0, 0, 28, 0, 0};
  expect_near(resize_bilinear(row, {1, 6, 1}, 1, 3), {0, 10.5f, 4});
  const std::vector<float> stripes = {0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9};
  for (const float value : resize_bilinear(stripes, {1, 12, 1}, 1, 3))
    EXPECT_NEAR(value, 4.5f, 0.6f);
}

TEST(Resize, KeepsChannelsApartAndAFlatPictureFlat) {
  std::vector<float> pixels;
  for (int i = 0; i < 9 * 11; ++i) pixels.insert(pixels.end(), {1, -2, 300});
  const std::vector<float> result = resize_bilinear(pixels, {9, 11, 3}, 4, 17);
  ASSERT_EQ(result.size(), 4u * 17 * 3);
  for (std::size_t i = 0; i < result.size(); i += 3) {
    EXPECT_NEAR(result[i], 1, 1e-5f);
    EXPECT_NEAR(result[i + 1], -2, 1e-5f);
    EXPECT_NEAR(result[i + 2], 300, 1e-3f);
  }
}

}  // namespace
}  // namespace halcyon::runtime
