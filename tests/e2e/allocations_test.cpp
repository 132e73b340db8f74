/// Nothing allocates while a network runs: every malloc of the program is counted, by any thread.

#include <gtest/gtest.h>

#include <cstddef>

#include "e2e_grey.h"
#include "e2e_momentum.h"
#include "runtime/trainer.h"
#include "tests/e2e/batches.h"
#include "tests/e2e/count_mallocs.h"

namespace halcyon::tests {
namespace {

using runtime::Network;

constexpr int64_t kBatch = 64;

class SteadyState : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (!counts_mallocs()) GTEST_SKIP() << "a sanitizer has its own malloc, which is not counted";
  }

  /// Mallocs during 20 calls of infer and 20 of train_step, after the first of each.
  static int64_t mallocs_of_20_calls(const halcyon_network& info, int threads) {
    Network network(info, threads);
    network.initialize(1);
    network.reserve(kBatch);
    const Batch batch = random_batch(info, kBatch, 1);
    std::vector<float> scores(static_cast<std::size_t>(kBatch * info.outputs[0].elements));
    const void* const inputs[] = {batch.images.data()};
    const void* const targets[] = {batch.labels.data()};
    void* const outputs[] = {scores.data()};
    halcyon_hyper hyper = runtime::default_hyper(info.optimizer);
    float loss = 0;
    int64_t begin = 0;
    for (int64_t i = 0; i < 21; ++i) {
      if (i == 1) begin = malloc_count();
      hyper.step = i + 1;
      network.infer(kBatch, inputs, outputs);
      network.train_step(kBatch, inputs, targets, hyper, {&loss, 1}, outputs);
    }
    return malloc_count() - begin;
  }
};

INSTANTIATE_TEST_SUITE_P(Threads, SteadyState, testing::Values(1, 2),
                         testing::PrintToStringParamName());

TEST_P(SteadyState, InferenceAndTrainingAllocateNothing) {
  EXPECT_EQ(mallocs_of_20_calls(*e2e_momentum_network(), GetParam()), 0);
  EXPECT_EQ(mallocs_of_20_calls(*e2e_grey_network(), GetParam()), 0);
}

TEST_P(SteadyState, TheCounterCounts) {
  const int64_t before = malloc_count();
  const std::vector<int> taken(100, GetParam());
  EXPECT_EQ(taken.back(), GetParam());
  EXPECT_GT(malloc_count(), before);
}

}  // namespace
}  // namespace halcyon::tests
