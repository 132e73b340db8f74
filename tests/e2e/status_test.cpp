/// What the C interface answers to a host's mistake; each leaves outputs, parameters and state as
/// they were.

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "e2e_momentum.h"
#include "runtime/memory.h"
#include "runtime/trainer.h"
#include "tests/e2e/batches.h"

namespace halcyon::tests {
namespace {

using runtime::AlignedBuffer;

/// Everything that one call of infer or train_step is given, right until a test spoils it.
class StatusCodes : public testing::Test {
 protected:
  static constexpr int64_t kBatch = 4;

  StatusCodes() {
    Batch random = random_batch(info_, kBatch, 1);
    images_ = random.images;
    labels_ = random.labels;
    scores_.assign(static_cast<std::size_t>(kBatch * info_.outputs[0].elements), 123.0f);
    for (int32_t i = 0; i < info_.parameter_count; ++i) {
      const std::vector<float> values(static_cast<std::size_t>(info_.parameters[i].elements), 0.1f);
      info_.pack(i, values.data(), parameters_.data());
    }
    context_.workspace = workspace_.data();
    context_.workspace_bytes = workspace_.size_bytes();
    context_.workers = 1;
    info_.prepare(&context_, parameters_.data());
  }

  halcyon_status infer() {
    return info_.infer(context_given_ ? &context_ : nullptr, batch_, parameters_given_,
                       inputs_given_, outputs_given_);
  }
  halcyon_status train() {
    return info_.train_step(context_given_ ? &context_ : nullptr, batch_, parameters_given_,
                            state_given_, inputs_given_, targets_given_,
                            hyper_given_ ? &hyper_ : nullptr, losses_given_, outputs_given_);
  }

  /// Spoils something, expects `status` from both calls, or from train_step alone, and nothing
  /// written.
  void expect(halcyon_status status, const std::function<void()>& spoil, bool train_only = false) {
    const std::vector<float> scores = scores_;
    const std::vector<std::byte> parameters = copy(parameters_), state = copy(state_);
    spoil();
    if (!train_only) {
      EXPECT_EQ(infer(), status);
    }
    EXPECT_EQ(train(), status);
    EXPECT_EQ(scores_, scores);
    EXPECT_EQ(loss_, -7);
    EXPECT_TRUE(copy(parameters_) == parameters);
    EXPECT_TRUE(copy(state_) == state);
  }

  static std::vector<std::byte> copy(const AlignedBuffer& buffer) {
    return {buffer.data(), buffer.data() + buffer.size_bytes()};
  }

  const halcyon_network& info_ = *e2e_momentum_network();
  AlignedBuffer parameters_{info_.parameter_bytes, "parameters"};
  AlignedBuffer state_{info_.state_bytes, "state"};
  AlignedBuffer workspace_{info_.train_workspace_bytes(kBatch, 1), "workspace"};
  std::vector<float> images_, scores_;
  std::vector<int32_t> labels_;
  halcyon_hyper hyper_ = runtime::default_hyper(HALCYON_MOMENTUM);
  float loss_ = -7;

  halcyon_context context_ = {};
  int64_t batch_ = kBatch;
  bool context_given_ = true, hyper_given_ = true;
  void* parameters_given_ = parameters_.data();
  void* state_given_ = state_.data();
  float* losses_given_ = &loss_;
  const void* inputs_[1] = {nullptr};
  const void* targets_[1] = {nullptr};
  void* outputs_[1] = {nullptr};
  const void* const* inputs_given_ = inputs_;
  const void* const* targets_given_ = targets_;
  void* const* outputs_given_ = outputs_;

  void SetUp() override {
    inputs_[0] = images_.data();
    targets_[0] = labels_.data();
    outputs_[0] = scores_.data();
  }
};

TEST_F(StatusCodes, OkWhenEverythingIsRight) {
  EXPECT_EQ(infer(), HALCYON_OK);
  EXPECT_EQ(train(), HALCYON_OK);
  EXPECT_NE(scores_[0], 123.0f);
  EXPECT_NE(loss_, -7);
}

TEST_F(StatusCodes, ANullContext) {
  expect(HALCYON_NULL_ARGUMENT, [&] { context_given_ = false; });
}
TEST_F(StatusCodes, NullParameters) {
  expect(HALCYON_NULL_ARGUMENT, [&] { parameters_given_ = nullptr; });
}
TEST_F(StatusCodes, ANullListOfInputs) {
  expect(HALCYON_NULL_ARGUMENT, [&] { inputs_given_ = nullptr; });
}
TEST_F(StatusCodes, ANullInput) {
  expect(HALCYON_NULL_ARGUMENT, [&] { inputs_[0] = nullptr; });
}
TEST_F(StatusCodes, ANullWorkspace) {
  expect(HALCYON_NULL_ARGUMENT, [&] { context_.workspace = nullptr; });
}
TEST_F(StatusCodes, NullOutputsOfInference) {
  outputs_[0] = nullptr;
  EXPECT_EQ(infer(), HALCYON_NULL_ARGUMENT);
  outputs_given_ = nullptr;
  EXPECT_EQ(infer(), HALCYON_NULL_ARGUMENT);
}
TEST_F(StatusCodes, NullOutputsOfTrainingAreNotWanted) {
  outputs_[0] = nullptr;
  EXPECT_EQ(train(), HALCYON_OK);
  outputs_given_ = nullptr;
  EXPECT_EQ(train(), HALCYON_OK);
  EXPECT_EQ(scores_[0], 123.0f);
}
TEST_F(StatusCodes, NullStateTargetsHyperOrLosses) {
  expect(
      HALCYON_NULL_ARGUMENT, [&] { state_given_ = nullptr; }, true);
  state_given_ = state_.data();
  expect(
      HALCYON_NULL_ARGUMENT, [&] { targets_given_ = nullptr; }, true);
  targets_given_ = targets_;
  expect(
      HALCYON_NULL_ARGUMENT, [&] { targets_[0] = nullptr; }, true);
  targets_[0] = labels_.data();
  expect(
      HALCYON_NULL_ARGUMENT, [&] { hyper_given_ = false; }, true);
  hyper_given_ = true;
  expect(
      HALCYON_NULL_ARGUMENT, [&] { losses_given_ = nullptr; }, true);
}

TEST_F(StatusCodes, BatchesOutOfRange) {
  for (const int64_t batch :
       {int64_t{0}, int64_t{-1}, (int64_t{1} << 20) + 1, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min(), (int64_t{1} << 32) + 1}) {
    expect(HALCYON_BATCH_OUT_OF_RANGE, [&] { batch_ = batch; });
  }
}

TEST_F(StatusCodes, ABatchWhoseValuesKernelsCannotCount) {
  // 32 * 32 * 3 * 700,000 values are more than 2^31.
  context_.workspace_bytes = std::numeric_limits<uint64_t>::max();
  expect(HALCYON_BATCH_OUT_OF_RANGE, [&] { batch_ = 700'000; });
}

TEST_F(StatusCodes, WorkersOutOfRange) {
  for (const int32_t workers :
       {0, -1, 1025, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    expect(HALCYON_BAD_WORKERS, [&] { context_.workers = workers; });
  }
}

TEST_F(StatusCodes, AWorkspaceThatIsTooSmall) {
  context_.workspace_bytes = info_.workspace_bytes(kBatch, 1) - 1;
  EXPECT_EQ(infer(), HALCYON_WORKSPACE_TOO_SMALL);
  ++context_.workspace_bytes;
  EXPECT_EQ(infer(), HALCYON_OK);
  scores_.assign(scores_.size(), 123.0f);
  expect(
      HALCYON_WORKSPACE_TOO_SMALL,
      [&] { context_.workspace_bytes = info_.train_workspace_bytes(kBatch, 1) - 1; }, true);
  expect(HALCYON_WORKSPACE_TOO_SMALL, [&] { context_.workspace_bytes = 0; });
}

TEST_F(StatusCodes, MoreWorkersAndLargerBatchesNeedNoLessMemory) {
  for (const auto bytes : {info_.workspace_bytes, info_.train_workspace_bytes}) {
    for (int32_t workers = 1; workers < 5; ++workers) {
      EXPECT_LE(bytes(8, workers), bytes(8, workers + 1));
      EXPECT_LE(bytes(8, workers), bytes(9, workers));
    }
  }
}

TEST_F(StatusCodes, MisalignedBlocks) {
  expect(HALCYON_MISALIGNED, [&] { context_.workspace = workspace_.data() + 4; });
  context_.workspace = workspace_.data();
  expect(HALCYON_MISALIGNED, [&] { parameters_given_ = parameters_.data() + 32; });
  parameters_given_ = parameters_.data();
  expect(
      HALCYON_MISALIGNED, [&] { state_given_ = state_.data() + 1; }, true);
}

TEST_F(StatusCodes, LabelsOutOfRange) {
  for (const int32_t label :
       {-1, 10, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}) {
    for (const std::size_t at : {std::size_t{0}, labels_.size() - 1}) {
      const int32_t right = labels_[at];
      expect(
          HALCYON_LABEL_OUT_OF_RANGE, [&] { labels_[at] = label; }, true);
      labels_[at] = right;
    }
  }
}

/// A pool that says which worker numbers it used.
struct Recorder {
  int64_t calls = 0;
  static void parallel_for(void* pool, int64_t count, halcyon_task task, void* closure) {
    ++static_cast<Recorder*>(pool)->calls;
    for (int64_t i = count - 1; i >= 0; --i) task(closure, i, static_cast<int32_t>(i % 3));
  }
};

TEST_F(StatusCodes, TheHostsOwnParallelForMayUseAnyOrderAndWorker) {
  ASSERT_EQ(infer(), HALCYON_OK);
  const std::vector<float> expected = scores_;
  Recorder recorder;
  context_.parallel_for = &Recorder::parallel_for;
  context_.pool = &recorder;
  context_.workers = 3;
  AlignedBuffer mine(info_.train_workspace_bytes(kBatch, 3), "workspace");
  context_.workspace = mine.data();
  context_.workspace_bytes = mine.size_bytes();
  scores_.assign(scores_.size(), 0);
  ASSERT_EQ(infer(), HALCYON_OK);
  EXPECT_TRUE(same_bits(scores_, expected));
  EXPECT_GT(recorder.calls, 0);
}

TEST_F(StatusCodes, NothingIsWrittenOutsideOfWhatTheHostGave) {
  constexpr std::size_t kGuard = 4096;
  const uint64_t bytes = info_.train_workspace_bytes(kBatch, 1);
  AlignedBuffer guarded(bytes + 2 * kGuard, "workspace");
  std::memset(guarded.data(), 0x5a, guarded.size_bytes());
  context_.workspace = guarded.data() + kGuard;
  context_.workspace_bytes = bytes;
  for (int i = 0; i < 3; ++i) {
    hyper_.step = i + 1;
    ASSERT_EQ(info_.prepare(&context_, parameters_.data()), HALCYON_OK);
    ASSERT_EQ(infer(), HALCYON_OK);
    ASSERT_EQ(train(), HALCYON_OK);
  }
  for (std::size_t i = 0; i < kGuard; ++i) {
    ASSERT_EQ(guarded.data()[i], std::byte{0x5a}) << "before, at " << i;
    ASSERT_EQ(guarded.data()[kGuard + bytes + i], std::byte{0x5a}) << "behind, at " << i;
  }
}

TEST(StatusText, EveryStatusHasOne) {
  for (int status = HALCYON_OK; status <= HALCYON_BAD_WORKERS; ++status) {
    EXPECT_STRNE(halcyon_status_text(static_cast<halcyon_status>(status)), "an unknown status");
  }
  EXPECT_STREQ(halcyon_status_text(static_cast<halcyon_status>(99)), "an unknown status");
}

}  // namespace
}  // namespace halcyon::tests
