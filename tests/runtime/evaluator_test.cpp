#include "runtime/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/support/fake_classifier.h"
#include "tests/support/small_pictures.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::fake_classifier;
using tests::small_pictures;

/// A network that answers from the brightness of rows 0 to 2, as small_pictures() are made.
void set_right_weights(Network& network) {
  WeightFile weights;
  const std::span<float> weight = weights.add("dense.weight", {3, 24});
  for (size_t k = 0; k < 3; ++k)
    for (size_t i = 0; i < 6; ++i) weight[k * 24 + k * 6 + i] = 1;
  weights.add("dense.bias", {3});
  network.set_weights(weights);
}

TEST(Evaluator, MeasuresAccuracyWhateverTheBatch) {
  const halcyon_network info = fake_classifier();
  const Dataset data = small_pictures(101, 1);
  Network network(info, 1);
  set_right_weights(network);
  for (const int64_t batch : {1, 7, 64, 1000}) {
    const Evaluation found = Evaluator(network, data, batch).run();
    EXPECT_EQ(found.confusion.total(), 101);
    EXPECT_GT(found.accuracy, 0.95) << batch;
    EXPECT_GT(found.images_per_s, 0);
  }
}

TEST(Evaluator, GivesTheScoresOfChosenPictures) {
  const halcyon_network info = fake_classifier();
  const Dataset data = small_pictures(10, 1);
  Network network(info, 1);
  set_right_weights(network);
  Evaluator evaluator(network, data, 2);
  const std::vector<int64_t> chosen = {9, 0, 4, 4, 2};
  const std::vector<float> scores = evaluator.scores(chosen);
  ASSERT_EQ(scores.size(), 15u);
  for (size_t n = 0; n < 5; ++n)
    EXPECT_NEAR(scores[3 * n] + scores[3 * n + 1] + scores[3 * n + 2], 1, 1e-5);
  for (size_t k = 0; k < 3; ++k) EXPECT_EQ(scores[6 + k], scores[9 + k]);
}

TEST(Evaluator, CountsScoresThatAreNoNumbersAsWrong) {
  const halcyon_network info = fake_classifier();
  const Dataset data = small_pictures(10, 1);
  Network network(info, 1);
  set_right_weights(network);
  WeightFile broken = network.weights();
  for (WeightTensor& tensor : broken.tensors)
    for (float& value : tensor.floats()) value = NAN;
  network.set_weights(broken);
  EXPECT_EQ(Evaluator(network, data).run().accuracy, 0);
}

TEST(Batches, FillsInTheOrderOfTheNetwork) {
  const halcyon_network hwc = fake_classifier(false), chw = fake_classifier(true);
  const Dataset data = small_pictures(4, 1);
  Batches last(Network(hwc, 1), data, 2), first(Network(chw, 1), data, 2);
  const std::vector<int64_t> chosen = {3, 1};
  last.fill(chosen);
  first.fill(chosen);
  EXPECT_EQ(last.labels()[0], data.labels()[3]);
  for (size_t n = 0; n < 2; ++n)
    for (size_t pixel = 0; pixel < 12; ++pixel)
      for (size_t c = 0; c < 2; ++c)
        EXPECT_EQ(last.images()[n * 24 + pixel * 2 + c], first.images()[n * 24 + c * 12 + pixel]);
  expect_error<UserError>(
      [&] {
        last.fill(std::vector<int64_t>{0, 1, 2});
      },
      "batch of 3, at most 2 were reserved");
}

TEST(Batches, RefusesPicturesOfAnotherSize) {
  const halcyon_network info = fake_classifier();
  const Network network(info, 1);
  const Dataset data("wide", {4, 4, 2}, 3, std::vector<uint8_t>(32), {0});
  expect_error<UserError>(
      [&] { Batches(network, data, 1); },
      "data set 'wide' has pictures of 4x4x2, input 'image' of network 'fake' takes 4x3x2",
      "hint: compile the network for 4x4x2");
  // The same number of values in another order is no fit either.
  const Dataset turned("turned", {3, 4, 2}, 3, std::vector<uint8_t>(24), {0});
  expect_error<UserError>([&] { Batches(network, turned, 1); }, "pictures of 3x4x2", "takes 4x3x2");
  const halcyon_network planes = fake_classifier(true);
  expect_error<UserError>([&] { Batches(Network(planes, 1), turned, 1); }, "pictures of 3x4x2",
                          "takes 4x3x2");
}

TEST(Batches, RefusesNetworksThatDoNotTakePictures) {
  halcyon_network info = fake_classifier();
  halcyon_tensor_info input = *info.inputs;
  const Dataset data = small_pictures(4, 1);
  input.rank = 1;
  input.axes = "C";
  info.inputs = &input;
  expect_error<UserError>(
      [&] { Batches(Network(info, 1), data, 1); },
      "network 'fake': input 'image' is of rank 1 with axes 'C', a data set of pictures needs "
      "HWC or CHW floats");
}

TEST(Batches, RefusesValuesThatAreNotFinite) {
  const halcyon_network info = fake_classifier();
  std::vector<float> values(48);
  values[30] = NAN;
  const Dataset data("measured", {4, 3, 2}, 3, values, {0, 1});
  expect_error<UserError>(
      [&] { Batches(Network(info, 1), data, 1); },
      "data set 'measured': picture 1 holds a value that is infinite or not a number");
}

TEST(Evaluator, RefusesBatchesAndClassesThatDoNotFit) {
  const halcyon_network info = fake_classifier();
  Network network(info, 1);
  network.initialize(0);
  const Dataset data = small_pictures(4, 1);
  for (const int64_t batch : {int64_t{0}, int64_t{-3}, int64_t{1} << 21})
    expect_error<UserError>([&] { Evaluator(network, data, batch); },
                            "batch of " + std::to_string(batch) + ", it must be 1 to 1048576");
  const Dataset many("many", {4, 3, 2}, 10, std::vector<uint8_t>(24), {9});
  expect_error<UserError>(
      [&] { Evaluator(network, many); },
      "data set 'many' has 10 classes, network 'fake' has no output with that many scores (it has "
      "'scores' with 3)");
}

}  // namespace
}  // namespace halcyon::runtime
