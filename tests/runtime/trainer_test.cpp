#include "runtime/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/file.h"
#include "tests/runtime/count_allocations.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/support/fake_classifier.h"
#include "tests/support/small_pictures.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::fake_calls;
using tests::fake_classifier;
using tests::small_pictures;
using tests::TemporaryFolder;

class TrainerTest : public testing::Test {
 protected:
  TrainerTest() {
    fake_calls() = {};
    network_.initialize(1);
  }

  Report train(const TrainOptions& options) {
    return Trainer(network_, train_, &test_, options, silent_).run();
  }
  std::vector<std::byte> weights() const { return format_weights(network_.weights()); }

  halcyon_network info_ = fake_classifier();
  Network network_{info_, 1};
  Dataset train_ = small_pictures(90, 1, "train"), test_ = small_pictures(60, 2, "test");
  Progress silent_{stderr, Progress::Mode::kSilent};
};

using TrainerErrors = TrainerTest;

TrainOptions options_of(int64_t epochs, int64_t batch, float rate = 0.1f) {
  TrainOptions options;
  options.epochs = epochs;
  options.batch = batch;
  options.hyper.learning_rate = rate;
  return options;
}

std::vector<nlohmann::json> lines_of(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST_F(TrainerTest, LearnsAndReports) {
  const Report report = train(options_of(4, 16));
  ASSERT_EQ(report.epochs.size(), 4u);
  EXPECT_EQ(report.steps, 4 * 6);
  EXPECT_EQ(report.epochs[0].epoch, 1);
  EXPECT_LT(report.epochs[3].loss, report.epochs[0].loss);
  EXPECT_EQ(report.epochs[3].losses, std::vector<double>{report.epochs[3].loss});
  EXPECT_GT(report.test_accuracy.value(), 0.95);
  EXPECT_GT(report.images_per_s, 0);
}

TEST_F(TrainerTest, KeepsTheLastPartialBatchAndCountsSteps) {
  fake_calls().record = true;
  train(options_of(2, 40));
  EXPECT_EQ(fake_calls().batches, (std::vector<int64_t>{40, 40, 10, 40, 40, 10}));
  for (size_t i = 0; i < 6; ++i)
    EXPECT_EQ(fake_calls().hypers[i].step, static_cast<int64_t>(i) + 1);
}

TEST_F(TrainerTest, HandsItsSeedToEveryStep) {
  fake_calls().record = true;
  TrainOptions options = options_of(1, 40);
  options.seed = 77;
  train(options);
  ASSERT_EQ(fake_calls().hypers.size(), 3u);
  for (const halcyon_hyper& hyper : fake_calls().hypers) EXPECT_EQ(hyper.seed, 77u);
}

TEST_F(TrainerTest, TrainsOnAllPicturesAtOnceWhenTheBatchIsLarger) {
  fake_calls().record = true;
  train(options_of(2, 1000));
  EXPECT_EQ(fake_calls().batches, (std::vector<int64_t>{90, 90}));
}

TEST_F(TrainerTest, StopsAfterTheStepsAskedFor) {
  TrainOptions options = options_of(1, 16);
  options.steps = 8;
  const Report report = train(options);
  EXPECT_EQ(report.steps, 8);
  ASSERT_EQ(report.epochs.size(), 2u);
  EXPECT_EQ(report.epochs[1].steps, 2);
}

TEST_F(TrainerTest, FollowsTheSchedule) {
  fake_calls().record = true;
  TrainOptions options = options_of(2, 30, 0.5f);
  options.schedule = {.kind = Schedule::Kind::kCosine, .warmup_steps = 2};
  train(options);
  ASSERT_EQ(fake_calls().hypers.size(), 6u);
  for (int64_t step = 0; step < 6; ++step)
    EXPECT_FLOAT_EQ(fake_calls().hypers[static_cast<size_t>(step)].learning_rate,
                    static_cast<float>(0.5 * options.schedule.factor(step, 6)));
}

TEST_F(TrainerTest, DependsOnTheSeedAndNothingElse) {
  TrainOptions options = options_of(2, 16);
  options.seed = 5;
  train(options);
  const std::vector<std::byte> first = weights();
  network_.initialize(1);
  train(options);
  EXPECT_EQ(weights(), first);
  network_.initialize(1);
  options.seed = 6;
  train(options);
  EXPECT_NE(weights(), first);
  network_.initialize(1);
  options.shuffle = false;
  train(options);
  EXPECT_NE(weights(), first);
}

TEST_F(TrainerTest, ContinuesBitForBitFromTheMiddleOfAnEpoch) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(3, 16);
  options.schedule.kind = Schedule::Kind::kCosine;
  train(options);
  const std::vector<std::byte> expected = weights();
  const std::vector<std::byte> expected_state = format_weights(network_.state());

  // The run breaks off in step 11; the checkpoint of step 10 lies four steps into the second epoch.
  network_.initialize(1);
  options.checkpoint_path = folder.file("run.safetensors");
  options.checkpoint_every = 5;
  fake_calls() = {};
  fake_calls().fail_after = 10;
  EXPECT_THROW(train(options), Error);

  fake_calls() = {};
  fake_calls().record = true;
  Network other(info_, 1);
  Trainer trainer(other, train_, &test_, options, silent_);
  trainer.resume(options.checkpoint_path);
  const Report report = trainer.run();
  EXPECT_EQ(report.steps, 8);
  EXPECT_EQ(fake_calls().hypers.front().step, 11);
  EXPECT_EQ(format_weights(other.weights()), expected);
  EXPECT_EQ(format_weights(other.state()), expected_state);
}

TEST_F(TrainerTest, ResumedAtTheEndOnlyEvaluates) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(1, 16);
  options.checkpoint_path = folder.file("run.safetensors");
  const double accuracy = train(options).test_accuracy.value();
  const std::vector<std::byte> trained = weights();
  Trainer trainer(network_, train_, &test_, options, silent_);
  trainer.resume(options.checkpoint_path);
  const Report report = trainer.run();
  EXPECT_EQ(report.steps, 0);
  EXPECT_EQ(report.test_accuracy, accuracy);
  EXPECT_EQ(weights(), trained);
}

TEST_F(TrainerTest, LogsEveryStepAndEpochAsJsonLines) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(2, 30);
  options.log_path = folder.file("log.jsonl");
  const Report report = train(options);
  const std::vector<nlohmann::json> lines = lines_of(options.log_path);
  ASSERT_EQ(lines.size(), 1u + 6 + 2);
  EXPECT_EQ(lines[0]["event"], "start");
  EXPECT_EQ(lines[0]["optimizer"], "momentum");
  EXPECT_EQ(lines[0]["steps"], 6);
  EXPECT_EQ(lines[1]["event"], "step");
  EXPECT_EQ(lines[1]["step"], 1);
  EXPECT_EQ(lines[1]["epoch"], 1);
  EXPECT_FLOAT_EQ(lines[1]["lr"].get<float>(), 0.1f);
  EXPECT_GT(lines[1]["images_per_s"].get<double>(), 0);
  EXPECT_EQ(lines[4]["event"], "epoch");
  EXPECT_EQ(lines[4]["step"], 3);
  EXPECT_NEAR(lines[8]["loss"].get<double>(), report.epochs[1].loss, 1e-8);
  EXPECT_NEAR(lines[8]["test_accuracy"].get<double>(), *report.test_accuracy, 1e-8);
}

TEST_F(TrainerTest, LogsFewerStepsWhenAskedAndAppendsWhenResumed) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(1, 10);
  options.log_path = folder.file("log.jsonl");
  options.log_every = 4;
  options.checkpoint_path = folder.file("run.safetensors");
  train(options);
  ASSERT_EQ(lines_of(options.log_path).size(), 1u + 3 + 1);  // steps 4, 8 and the last, 9
  options.epochs = 2;
  Trainer trainer(network_, train_, nullptr, options, silent_);
  trainer.resume(options.checkpoint_path);
  trainer.run();
  const std::vector<nlohmann::json> lines = lines_of(options.log_path);
  ASSERT_EQ(lines.size(), 5u + 1 + 3 + 1);
  EXPECT_EQ(lines[5]["event"], "resume");
  EXPECT_EQ(lines[5]["done"], 9);
  EXPECT_EQ(lines[6]["step"], 12);
}

TEST_F(TrainerTest, StepsAllocateNothing) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(1, 1);
  options.log_path = folder.file("log.jsonl");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> null(std::fopen("/dev/null", "w"),
                                                             std::fclose);
  Progress bar(null.get(), Progress::Mode::kBar, 80);
  const auto allocations_of = [&](int64_t steps) {
    options.steps = steps;
    Trainer trainer(network_, train_, &test_, options, bar);
    const int64_t before = tests::allocation_count();
    trainer.run();
    return tests::allocation_count() - before;
  };
  allocations_of(10);
  EXPECT_EQ(allocations_of(80), allocations_of(10));
}

TEST_F(TrainerTest, ShowsOneLinePerEpoch) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  {
    Progress lines(stream, Progress::Mode::kLines);
    Trainer(network_, train_, &test_, options_of(2, 30), lines).run();
  }
  std::fclose(stream);
  const std::string shown(text, size);
  std::free(text);
  EXPECT_NE(shown.find("epoch 1/2  loss "), std::string::npos) << shown;
  EXPECT_NE(shown.find("  test accuracy "), std::string::npos) << shown;
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 2) << shown;
}

TEST_F(TrainerErrors, InferenceLibrary) {
  halcyon_network info = info_;
  info.train_step = nullptr;
  info.train_workspace_bytes = nullptr;
  Network network(info, 1);
  expect_error<UserError>([&] { Trainer(network, train_, nullptr, {}, silent_); },
                          "network 'fake' is an inference library, it cannot be trained",
                          "hint: compile it with --train");
}

TEST_F(TrainerErrors, PicturesOfAnotherSize) {
  const Dataset data("mnist", {28, 28, 1}, 3, std::vector<uint8_t>(784), {0});
  expect_error<UserError>(
      [&] { Trainer(network_, data, nullptr, {}, silent_); },
      "data set 'mnist' has pictures of 28x28x1, input 'image' of network 'fake' takes 4x3x2");
  expect_error<UserError>([&] { Trainer(network_, train_, &data, {}, silent_); },
                          "data set 'mnist' has pictures");
}

TEST_F(TrainerErrors, LabelsTheNetworkDoesNotKnow) {
  const Dataset data("many", {4, 3, 2}, 10, std::vector<uint8_t>(48), {2, 7});
  expect_error<UserError>(
      [&] { Trainer(network_, data, nullptr, {}, silent_); },
      "data set 'many': label 7 of picture 1, target 'label' of network 'fake' takes 0 to 2");
}

TEST_F(TrainerErrors, InputsThatAreNotFinite) {
  std::vector<float> values(48);
  values[24] = INFINITY;
  const Dataset data("measured", {4, 3, 2}, 3, values, {0, 1});
  expect_error<UserError>([&] { Trainer(network_, data, nullptr, {}, silent_); },
                          "data set 'measured': picture 1");
}

TEST_F(TrainerErrors, ALearningRateThatIsTooHigh) {
  expect_error<UserError>([&] { train(options_of(5, 16, 3e38f)); }, "training step ",
                          "loss 'loss' is ", "its 16 pictures are finite (up to ",
                          "the learning rate is 3e+38",
                          "hint: the learning rate is probably too high");
}

TEST_F(TrainerErrors, ALastStepThatSpoilsTheParametersLeavesTheCheckpointWhole) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(1, 90);
  options.checkpoint_path = folder.file("run.safetensors");
  train(options);
  const std::vector<std::byte> before = read_file(options.checkpoint_path);
  train_.set_normalization({{0.4f}, {0.02f}});  // large inputs, so that a single step overflows
  options.hyper.learning_rate = 3e38f;
  expect_error<UserError>([&] { train(options); }, "after training step 1: parameter 'dense.",
                          "the learning rate is 3e+38", "hint: the learning rate is probably");
  EXPECT_EQ(read_file(options.checkpoint_path), before);
}

TEST_F(TrainerErrors, StartingWeightsThatAreNotFinite) {
  WeightFile broken = network_.weights();
  broken.tensors[0].floats()[0] = INFINITY;
  network_.set_weights(broken);
  expect_error<UserError>([&] { train(options_of(5, 16)); },
                          "before the first step: parameter 'dense.weight' holds inf",
                          "hint: the starting weights are not finite");
}

TEST_F(TrainerErrors, NormalisationThatOverflowsLater) {
  Dataset data("measured", {4, 3, 2}, 3, std::vector<float>(48, 1e30f), {0, 1});
  Trainer trainer(network_, data, nullptr, options_of(1, 2), silent_);
  data.set_normalization({{0.0f}, {1e-20f}});
  expect_error<UserError>([&] { trainer.run(); }, "training step 1 (epoch 1)",
                          "of data set 'measured' holds inf", "hint: check the normalisation");
}

TEST_F(TrainerErrors, OptionsOutOfRange) {
  const auto expect = [&](auto change, const char* text) {
    TrainOptions options;
    change(options);
    expect_error<UserError>([&] { Trainer(network_, train_, nullptr, options, silent_); }, text);
  };
  expect([](TrainOptions& o) { o.epochs = 0; },
         "training options: epochs is 0, it must be 1 to 1000000");
  expect([](TrainOptions& o) { o.steps = -1; }, "steps is -1");
  expect([](TrainOptions& o) { o.batch = 0; }, "batch is 0, it must be 1 to 1048576");
  expect([](TrainOptions& o) { o.batch = int64_t{1} << 21; }, "batch is 2.09715e+06");
  expect([](TrainOptions& o) { o.hyper.learning_rate = 0; },
         "learning_rate is 0, it must be above 0");
  expect([](TrainOptions& o) { o.hyper.learning_rate = NAN; }, "learning_rate is nan");
  expect([](TrainOptions& o) { o.hyper.momentum = 1; },
         "momentum is 1, it must be 0 or more and below 1");
  expect([](TrainOptions& o) { o.hyper.weight_decay = -1; }, "weight_decay is -1");
  expect([](TrainOptions& o) { o.log_every = 0; }, "log_every is 0");
  expect([](TrainOptions& o) { o.checkpoint_every = -1; }, "checkpoint_every is -1");
  expect([](TrainOptions& o) { o.schedule.warmup_steps = -1; }, "schedule: warm-up of -1 steps");
}

TEST_F(TrainerErrors, OutputsThatCannotBeWritten) {
  const TemporaryFolder folder;
  TrainOptions options;
  options.checkpoint_path = folder.file("missing/run.safetensors");
  expect_error<SystemError>([&] { Trainer(network_, train_, nullptr, options, silent_); },
                            "cannot write '" + options.checkpoint_path + "': there is no folder");
  options.checkpoint_path.clear();
  options.log_path = folder.file("missing/log.jsonl");
  expect_error<SystemError>([&] { train(options); }, "cannot write log '" + options.log_path + "'");
}

TEST_F(TrainerErrors, ACheckpointOfAnotherRun) {
  const TemporaryFolder folder;
  TrainOptions options = options_of(1, 16);
  options.checkpoint_path = folder.file("run.safetensors");
  train(options);
  const std::vector<std::byte> before = weights();
  const auto expect = [&](auto change, const char* text) {
    TrainOptions other = options;
    change(other);
    Trainer trainer(network_, train_, nullptr, other, silent_);
    expect_error<UserError>([&] { trainer.resume(options.checkpoint_path); },
                            options.checkpoint_path, text);
  };
  expect([](TrainOptions& o) { o.batch = 8; }, "is from a run with batch 16, this one has 8");
  expect([](TrainOptions& o) { o.seed = 8; }, "is from a run with seed 0, this one has 8");
  expect([](TrainOptions& o) { o.shuffle = false; },
         "is from a run with shuffle on, this one has off");
  expect([](TrainOptions& o) { o.hyper.learning_rate = 0.1000001f; },
         "is from a run with learning rate 0.1, this one has 0.1000001");
  expect([](TrainOptions& o) { o.hyper.momentum = 0.5f; },
         "is from a run with momentum 0.9, this one has 0.5");
  expect([](TrainOptions& o) { o.hyper.beta2 = 0.5f; }, "with beta2 0, this one has 0.5");
  expect([](TrainOptions& o) { o.hyper.epsilon = 0.5f; }, "with epsilon 0, this one has 0.5");
  expect([](TrainOptions& o) { o.hyper.weight_decay = 0.25f; },
         "is from a run with weight decay 0, this one has 0.25");
  expect([](TrainOptions& o) { o.schedule.kind = Schedule::Kind::kCosine; },
         "is from a run with schedule constant, this one has cosine");
  expect([](TrainOptions& o) { o.schedule.warmup_steps = 3; },
         "is from a run with warm-up steps 0, this one has 3");
  expect(
      [](TrainOptions& o) {
        o.schedule.warmup_steps = 3;
        o.hyper.weight_decay = 0.25f;
      },
      "weight decay");  // the first difference is the one that is named
  expect([](TrainOptions& o) { o.batch = 8; },
         "hint: give the same options, or begin a new run from these parameters with --weights");
  Trainer trainer(network_, test_, nullptr, options, silent_);
  expect_error<UserError>([&] { trainer.resume(options.checkpoint_path); },
                          "is from a run with pictures 90, this one has 60");
  EXPECT_EQ(weights(), before);
}

TEST_F(TrainerErrors, ACheckpointOfARunOfAnotherLengthOrSchedule) {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.safetensors");
  const auto expect = [&](Schedule::Kind kind, auto change, const char* text) {
    TrainOptions options = options_of(2, 16);
    options.schedule.kind = kind;
    options.checkpoint_path = path;
    train(options);
    Trainer(network_, train_, nullptr, options, silent_).resume(path);
    const std::vector<std::byte> before = weights();
    change(options);
    Trainer trainer(network_, train_, nullptr, options, silent_);
    expect_error<UserError>([&] { trainer.resume(path); }, path, text,
                            "hint: give the same options");
    EXPECT_EQ(weights(), before);
  };
  const auto longer = [](TrainOptions& o) { o.epochs = 3; };
  expect(Schedule::Kind::kCosine, longer, "is from a run with total steps 12, this one has 18");
  expect(Schedule::Kind::kStep, longer, "is from a run with total steps 12, this one has 18");
  expect(
      Schedule::Kind::kCosine, [](TrainOptions& o) { o.schedule.final_fraction = 0.5; },
      "is from a run with final fraction 0, this one has 0.5");
  expect(
      Schedule::Kind::kStep, [](TrainOptions& o) { o.schedule.step_every = 4; },
      "is from a run with steps between drops 0, this one has 4");
  expect(
      Schedule::Kind::kStep, [](TrainOptions& o) { o.schedule.step_factor = 0.5; },
      "is from a run with drop factor 0.1, this one has 0.5");
}

TEST(DefaultHyper, IsWhatPyTorchStartsWithWhereItHasADefault) {
  EXPECT_EQ(default_hyper(HALCYON_SGD).momentum, 0);
  EXPECT_EQ(default_hyper(HALCYON_MOMENTUM).momentum, 0.9f);
  EXPECT_EQ(default_hyper(HALCYON_RMSPROP).momentum, 0.99f);
  EXPECT_EQ(default_hyper(HALCYON_RMSPROP).epsilon, 1e-8f);
  EXPECT_EQ(default_hyper(HALCYON_ADAM).learning_rate, 1e-3f);
  EXPECT_EQ(default_hyper(HALCYON_ADAM).beta2, 0.999f);
}

}  // namespace
}  // namespace halcyon::runtime
