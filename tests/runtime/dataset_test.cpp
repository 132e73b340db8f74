#include "runtime/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/count_allocations.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

/// Two pictures of 2x3x2 whose bytes count up from 0.
Dataset counting() {
  std::vector<uint8_t> pixels(24);
  std::iota(pixels.begin(), pixels.end(), uint8_t{0});
  return Dataset("counting", {2, 3, 2}, 5, std::move(pixels), {4, 1});
}

TEST(Dataset, NormalisesEachChannel) {
  Dataset data = counting();
  data.set_normalization({{0.5f, 0.25f}, {2.0f, 0.5f}});
  std::vector<float> images(24);
  std::vector<int32_t> labels(2);
  data.fill(std::vector<int64_t>{1, 0}, images.data(), labels.data());
  EXPECT_EQ(labels, (std::vector<int32_t>{1, 4}));
  for (int i = 0; i < 24; ++i) {
    const double byte = (i + 12) % 24;
    const double expected = i % 2 == 0 ? (byte / 255 - 0.5) / 2 : (byte / 255 - 0.25) / 0.5;
    EXPECT_NEAR(images[static_cast<size_t>(i)], expected, 1e-6) << i;
  }
}

TEST(Dataset, FillsPlanesForNetworksThatWantChannelsFirst) {
  Dataset data = counting();
  data.set_normalization({{0.0f, 0.5f}, {1.0f, 0.25f}});
  std::vector<float> hwc(24), chw(24);
  std::vector<int32_t> labels(2);
  const std::vector<int64_t> both = {0, 1};
  data.fill(both, hwc.data(), labels.data(), PixelOrder::kHWC);
  data.fill(both, chw.data(), labels.data(), PixelOrder::kCHW);
  for (size_t n = 0; n < 2; ++n)
    for (size_t pixel = 0; pixel < 6; ++pixel)
      for (size_t c = 0; c < 2; ++c)
        EXPECT_EQ(chw[n * 12 + c * 6 + pixel], hwc[n * 12 + pixel * 2 + c]);
}

TEST(Dataset, TakesFloatsAsTheyAre) {
  const Dataset data("floats", {1, 1, 2}, 2, std::vector<float>{-1.5f, 2, 1e9f, 0}, {0, 1});
  std::vector<float> images(2);
  int32_t label = -1;
  data.fill(std::vector<int64_t>{1}, images.data(), &label);
  EXPECT_EQ(images, (std::vector<float>{1e9f, 0}));
  EXPECT_EQ(label, 1);
  EXPECT_TRUE(data.is_float());
  EXPECT_FALSE(data.first_not_finite());
  expect_error<UserError>([&] { static_cast<void>(data.picture(0)); },
                          "'floats' holds floats, it has no 8-bit");
}

TEST(Dataset, FindsThePictureThatIsNotFinite) {
  Dataset data("floats", {1, 1, 2}, 2, std::vector<float>{0, 1, 2, NAN}, {0, 1});
  EXPECT_EQ(data.first_not_finite(), 1);
  Dataset large("floats", {1, 1, 2}, 2, std::vector<float>{1e38f, 1, 2, 3}, {0, 1});
  EXPECT_FALSE(large.first_not_finite());
  large.set_normalization({{0.0f}, {1e-3f}});
  EXPECT_EQ(large.first_not_finite(), 0);
}

TEST(Dataset, MeasuresMeanAndDeviation) {
  Dataset data("grey", {1, 2, 2}, 1, std::vector<uint8_t>{0, 51, 255, 51}, {0});
  const Normalization found = data.measure_normalization();
  EXPECT_NEAR(found.mean[0], 0.5, 1e-6);
  EXPECT_NEAR(found.deviation[0], 0.5, 1e-6);
  EXPECT_NEAR(found.mean[1], 0.2, 1e-6);
  EXPECT_EQ(found.deviation[1], 1);  // a channel that never changes
  data.set_normalization(found);
}

TEST(Dataset, FillsWithoutAllocating) {
  const Dataset data = counting();
  std::vector<float> images(24);
  std::vector<int32_t> labels(2);
  const std::vector<int64_t> both = {0, 1};
  const int64_t before = tests::allocation_count();
  data.fill(both, images.data(), labels.data());
  EXPECT_EQ(tests::allocation_count(), before);
}

TEST(Dataset, RefusesWhatDoesNotFitTogether) {
  const auto make = [](PictureShape shape, int64_t classes, size_t pixels,
                       const std::vector<int32_t>& labels) {
    return [=] { Dataset("bad", shape, classes, std::vector<uint8_t>(pixels), labels); };
  };
  expect_error<UserError>(
      make({2, 2, 1}, 3, 9, {0, 1}),
      "data set 'bad': 9 pixel values, 2 labels for pictures of 2x2x1 need 4 values each");
  expect_error<UserError>(make({2, 2, 1}, 3, 8, {0, 3}),
                          "picture 1 has label 3, labels must be 0 to 2");
  expect_error<UserError>(make({2, 2, 1}, 3, 8, {-1, 0}), "picture 0 has label -1");
  expect_error<UserError>(make({2, 2, 1}, 3, 0, {}), "it has no picture");
  expect_error<UserError>(make({2, 0, 1}, 3, 0, {0}), "pictures of 2x0x1");
  expect_error<UserError>(make({int64_t{1} << 40, 1 << 20, 1 << 20}, 3, 0, {0}),
                          "every extent must be 1 to 1048576");
  expect_error<UserError>(make({2, 2, 1}, 0, 4, {0}), "0 classes");
}

TEST(Dataset, RefusesPicturesThatAreNotThere) {
  const Dataset data = counting();
  std::vector<float> images(12);
  int32_t label = 0;
  for (const int64_t index : {int64_t{-1}, int64_t{2}})
    expect_error<UserError>([&] { data.fill(std::vector<int64_t>{index}, images.data(), &label); },
                            "data set 'counting' has no picture " + std::to_string(index),
                            "they are 0 to 1");
  expect_error<UserError>([&] { static_cast<void>(data.picture(2)); }, "has no picture 2");
}

TEST(Dataset, RefusesNormalisationWithoutMeaningAndKeepsTheOldOne) {
  Dataset data = counting();
  expect_error<UserError>(
      [&] {
        data.set_normalization({{0.0f, 0.0f, 0.0f}, {1.0f}});
      },
      "3 values of mean for 2 channels", "hint: give one, or one per channel");
  expect_error<UserError>(
      [&] {
        data.set_normalization({{0.0f}, {0.0f}});
      },
      "the deviation above 0");
  expect_error<UserError>([&] { data.set_normalization({{NAN}, {1.0f}}); }, "they must be finite");
  expect_error<UserError>(
      [&] {
        data.set_normalization({{0.0f}, {1e-45f}});
      },
      "they must be finite");
  EXPECT_EQ(data.normalization().deviation, (std::vector<float>{1, 1}));
}

TEST(ShuffleEpoch, IsAPermutationThatDependsOnSeedAndEpochOnly) {
  std::vector<int64_t> first, again, other, order;
  shuffle_epoch(100, 7, 3, first);
  order = first;
  std::sort(order.begin(), order.end());
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  again = {5, 5, 5};
  shuffle_epoch(100, 7, 3, again);
  EXPECT_EQ(first, again);
  shuffle_epoch(100, 7, 4, other);
  EXPECT_NE(first, other);
  shuffle_epoch(100, 8, 3, other);
  EXPECT_NE(first, other);
}

}  // namespace
}  // namespace halcyon::runtime
