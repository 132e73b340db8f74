#include "runtime/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

TEST(Largest, TakesTheFirstOfEqualsAndIgnoresWhatIsNoNumber) {
  EXPECT_EQ(largest(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(largest(std::vector<float>{NAN, -5, -4}), 2);
  EXPECT_EQ(largest(std::vector<float>{-INFINITY, NAN}), 0);
  EXPECT_EQ(largest(std::vector<float>{NAN, NAN}), -1);
  EXPECT_EQ(largest(std::vector<float>{}), -1);
}

TEST(CountCorrect, ComparesRowsWithLabels) {
  const std::vector<float> scores = {0.1f, 0.9f, 0.8f, 0.2f, NAN, NAN};
  EXPECT_EQ(count_correct(scores, std::vector<int32_t>{1, 1, 0}), 1);
  EXPECT_EQ(count_correct(scores, std::vector<int32_t>{1, 0, 0}), 2);
  EXPECT_EQ(count_correct({}, {}), 0);
  expect_error<UserError>(
      [&] {
        count_correct(scores, std::vector<int32_t>{1, 0, 0, 1});
      },
      "accuracy: 6 scores do not spread over 4 labels");
}

TEST(RunningMean, WeighsItsValues) {
  RunningMean mean;
  EXPECT_EQ(mean.mean(), 0);
  mean.add(1, 64);
  mean.add(4, 32);
  EXPECT_DOUBLE_EQ(mean.mean(), 2);
  EXPECT_EQ(mean.weight(), 96);
  mean.reset();
  EXPECT_EQ(mean.mean(), 0);
}

TEST(ConfusionMatrix, CountsWhoIsTakenForWhom) {
  ConfusionMatrix matrix(3);
  EXPECT_EQ(matrix.accuracy(), 0);
  matrix.add(0, 0);
  matrix.add(0, 2);
  matrix.add(1, 1);
  matrix.add(2, -1);  // no answer: wrong
  EXPECT_EQ(matrix.total(), 4);
  EXPECT_EQ(matrix.correct(), 2);
  EXPECT_EQ(matrix.at(0, 2), 1);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 0.5);
  EXPECT_DOUBLE_EQ(matrix.recall(0), 0.5);
  EXPECT_DOUBLE_EQ(matrix.precision(2), 0);
  EXPECT_DOUBLE_EQ(matrix.recall(2), 0);
}

TEST(ConfusionMatrix, CountsAnswerlessPicturesAgainstTheRecall) {
  ConfusionMatrix matrix(2);
  matrix.add(1, 1);
  matrix.add(1, -1);
  EXPECT_DOUBLE_EQ(matrix.recall(1), 0.5);
}

TEST(ConfusionMatrix, PrintsOneLinePerClass) {
  ConfusionMatrix matrix(2);
  matrix.add(0, 0);
  matrix.add(1, 0);
  EXPECT_EQ(matrix.to_text(),
            "true\\said     0     1  recall\n"
            "        0     1     0 100.00%\n"
            "        1     1     0   0.00%\n");
}

TEST(ConfusionMatrix, RefusesClassesThatAreNot) {
  expect_error<UserError>([] { ConfusionMatrix(0); }, "confusion matrix: 0 classes");
  expect_error<UserError>([] { ConfusionMatrix(2).add(2, 0); }, "true class 2, it must be 0 to 1");
  expect_error<UserError>([] { static_cast<void>(ConfusionMatrix(2).at(0, 2)); },
                          "no cell of class 0 taken for 2");
}

}  // namespace
}  // namespace halcyon::runtime
