#include "runtime/data/resize.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

void expect_near(const Tensor& found, const Shape& shape, const std::vector<float>& expected) {
  EXPECT_EQ(found.shape(), shape);
  ASSERT_EQ(found.floats().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(found.floats()[i], expected[i], 1e-4f) << i;
}

TEST(Resize, KeepsAPictureOfTheSameSize) {
  std::vector<float> pixels(5 * 7 * 3);
  std::iota(pixels.begin(), pixels.end(), 0.0f);
  expect_near(resize_bilinear(Tensor({1, 5, 7, 3}, pixels), 5, 7), {1, 5, 7, 3}, pixels);
}

TEST(Resize, EnlargesBetweenTheCentresOfPixels) {
  const std::vector<float> row = {0, 8};
  expect_near(resize_bilinear(Tensor({1, 1, 2, 1}, row), 1, 4), {1, 1, 4, 1}, {0, 2, 6, 8});
  expect_near(resize_bilinear(Tensor({1, 2, 1, 1}, row), 4, 1), {1, 4, 1, 1}, {0, 2, 6, 8});
}

TEST(Resize, DoesEachPictureOfABatchByItself) {
  const std::vector<float> rows = {0, 8, 100, 108};
  expect_near(resize_bilinear(Tensor({2, 1, 2, 1}, rows), 1, 4), {2, 1, 4, 1},
              {0, 2, 6, 8, 100, 102, 106, 108});
}

TEST(Resize, ShrinksWithoutSkippingPixels) {
  // The triangle over 4 old pixels around each new one: 1 3 3 1, cut at the edges.
  const std::vector<float> row = {0, 0, 0, 28, 0, 0};
  expect_near(resize_bilinear(Tensor({1, 1, 6, 1}, row), 1, 3), {1, 1, 3, 1}, {0, 10.5f, 4});
  const std::vector<float> stripes = {0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9};
  const Tensor shrunk = resize_bilinear(Tensor({1, 1, 12, 1}, stripes), 1, 3);
  for (const float value : shrunk.floats()) EXPECT_NEAR(value, 4.5f, 0.6f);
}

TEST(Resize, KeepsChannelsApartAndAFlatPictureFlat) {
  std::vector<float> pixels;
  for (int i = 0; i < 9 * 11; ++i) pixels.insert(pixels.end(), {1, -2, 300});
  const Tensor resized = resize_bilinear(Tensor({1, 9, 11, 3}, pixels), 4, 17);
  const std::span<const float> result = resized.floats();
  ASSERT_EQ(result.size(), 4u * 17 * 3);
  for (std::size_t i = 0; i < result.size(); i += 3) {
    EXPECT_NEAR(result[i], 1, 1e-5f);
    EXPECT_NEAR(result[i + 1], -2, 1e-5f);
    EXPECT_NEAR(result[i + 2], 300, 1e-3f);
  }
}

TEST(Resize, RefusesWhatIsNoPicture) {
  const char* const text = "pictures are f32 [N,H,W,C], no extent is 0";
  tests::expect_error<UserError>(
      [] {
        resize_bilinear(Tensor({5, 7, 3}), 5, 7);
      },
      "resize f32 [5,7,3] to 5x7", text);
  tests::expect_error<UserError>([] { resize_bilinear(Tensor({1, 0, 7, 3}), 5, 7); }, text);
  tests::expect_error<UserError>([] { resize_bilinear(Tensor({1, 5, 7, 3}), 5, 0); }, text);
  tests::expect_error<UserError>(
      [] {
        resize_bilinear(Tensor({1, 5, 7, 3}, DType::i32), 5, 5);
      },
      text);
}

}  // namespace
}  // namespace halcyon::runtime
