/// A network learns: the drawn digits, and MNIST where it is.

#include <gtest/gtest.h>

#include <filesystem>

#include "e2e_grey.h"
#include "e2e_momentum.h"
#include "runtime/data/digits.h"
#include "runtime/data/mnist.h"
#include "runtime/trainer.h"
#include "tests/e2e/batches.h"
#include "tests/support/data_folder.h"

namespace halcyon::tests {
namespace {

using runtime::Network;
using runtime::Report;
using runtime::TrainTest;

Report train_one_epoch(const halcyon_network& info, const TrainTest& data) {
  Network network(info);
  network.initialize(0);
  runtime::TrainOptions options = {.epochs = 1, .batch = 64, .seed = 0};
  options.hyper.learning_rate = 0.03f;
  options.schedule.kind = runtime::Schedule::Kind::kCosine;
  runtime::Progress progress(stderr, runtime::Progress::Mode::kSilent);
  return runtime::Trainer(network, data.train, &data.test, options, progress).run();
}

TEST(Training, OneEpochOfMnistIsReadAt96Percent) {
  const std::filesystem::path folder = data_folder() / "mnist";
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no folder " << folder << "; set HALCYON_DATA to the folder that holds mnist/";
  }
  const Report report = train_one_epoch(*e2e_grey_network(), runtime::load_mnist(folder.string()));
  EXPECT_GT(report.test_accuracy.value_or(0), 0.96);
}

TEST(Training, OneEpochOfDrawnDigitsIsReadAt90Percent) {
  const int64_t count = 30'000;
  const Report report =
      train_one_epoch(*e2e_momentum_network(), {runtime::make_digits({.count = count, .seed = 1}),
                                                runtime::make_digits({.count = 2'000, .seed = 2})});
  EXPECT_GT(report.test_accuracy.value_or(0), 0.90);
}

TEST(Training, TheLossOfOneBatchFallsTowardsZero) {
  Network network(*e2e_grey_network(), 1);
  network.initialize(0);
  network.reserve(32);
  const Batch batch = random_batch(network.info(), 32, 1);
  const float first = train(network, batch, 1);
  float last = first;
  for (int64_t step = 2; step <= 300; ++step) last = train(network, batch, step);
  EXPECT_NEAR(first, 2.3, 1.0);  // about ln(10): nothing is known yet
  EXPECT_LT(last, 0.05);
}

}  // namespace
}  // namespace halcyon::tests
