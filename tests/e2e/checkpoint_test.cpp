/// Training that stops and goes on: bit for bit, and whole whenever it is killed.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "e2e_adam.h"
#include "e2e_grey.h"
#include "e2e_momentum.h"
#include "runtime/checkpoint.h"
#include "runtime/data/digits.h"
#include "runtime/trainer.h"
#include "tests/e2e/batches.h"
#include "tests/e2e/command.h"
#include "tests/e2e/idx_files.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

using runtime::Checkpoint;
using runtime::Network;

class Resume : public testing::TestWithParam<const halcyon_network* (*)()> {
 protected:
  /// Trains from the start, or from a checkpoint, to `steps`; returns what the network then holds.
  std::vector<std::byte> train_to(int64_t steps, const std::string& save, const std::string& resume,
                                  int threads) {
    Network network(*GetParam()(), threads);
    network.initialize(4);
    runtime::TrainOptions options = {.steps = steps, .batch = 32, .seed = 9};
    options.hyper = runtime::default_hyper(network.info().optimizer);
    options.checkpoint_path = save;
    runtime::Progress progress(stderr, runtime::Progress::Mode::kSilent);
    runtime::Trainer trainer(network, digits_, nullptr, options, progress);
    if (!resume.empty()) trainer.resume(resume);
    trainer.run();
    return bits_of(network);
  }

  // 400 pictures: 13 steps are an epoch, so the runs stop within one and its last batch is short.
  const runtime::Dataset digits_ = runtime::make_digits(
      {.count = 400,
       .shape = {GetParam()()->inputs[0].shape[0], GetParam()()->inputs[0].shape[1],
                 GetParam()()->inputs[0].shape[2]},
       .seed = 1});
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Networks, Resume,
                         testing::Values(&e2e_momentum_network, &e2e_adam_network,
                                         &e2e_grey_network),
                         [](const auto& info) { return std::string(info.param()->name); });

TEST_P(Resume, ThirtyStepsAreFifteenAndFifteenBitForBit) {
  const std::string half = folder_.file("half"), whole = folder_.file("whole"),
                    resumed = folder_.file("resumed");
  const std::vector<std::byte> straight = train_to(30, whole, "", 2);
  train_to(15, half, "", 1);
  EXPECT_EQ(Checkpoint::load(half).position.step, 15);
  EXPECT_TRUE(train_to(30, resumed, half, 2) == straight);
  EXPECT_TRUE(read_text(whole) == read_text(resumed));
}

/// halcyon train on a small data set of files.
class TrainCommand : public testing::Test {
 protected:
  Command train(std::vector<std::string> more) const {
    std::vector<std::string> words = {"train", "zoo:lenet5:28x28x1", "--data", data_};
    words.insert(words.end(), more.begin(), more.end());
    return halcyon_command(words);
  }

  TemporaryFolder folder_;
  const std::string data_ = write_small_mnist(folder_.file("mnist"));
};

TEST_F(TrainCommand, AResumedRunWritesTheSameFilesAsAStraightOne) {
  const std::string half = folder_.file("half"), a = folder_.file("a"), b = folder_.file("b");
  const std::vector<std::string> common = {"--schedule", "constant"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), common.begin(), common.end());
    const Finished finished = run_program(train(words));
    EXPECT_EQ(finished.status, 0) << finished.errors;
  };
  run({"--steps", "30", "--save", a, "--threads", "1"});
  run({"--steps", "15", "--checkpoint", half, "--threads", "2"});
  run({"--steps", "30", "--resume", half, "--save", b, "--threads", "2"});
  EXPECT_TRUE(read_text(a) == read_text(b));
}

TEST_F(TrainCommand, LogsJsonLines) {
  const std::string log = folder_.file("log.jsonl");
  ASSERT_EQ(run_program(train({"--steps", "12", "--log", log})).status, 0);
  int64_t steps = 0, epochs = 0;
  for (const std::string& line : lines_of(read_text(log))) {
    const nlohmann::json json = nlohmann::json::parse(line);
    steps += json.at("event") == "step" ? 1 : 0;
    epochs += json.at("event") == "epoch" ? 1 : 0;
  }
  EXPECT_EQ(steps, 12);
  EXPECT_EQ(epochs, 2);  // 640 pictures are ten steps
}

/// A checkpoint of 12 MB after every second step: most of the time one is being written.
class KilledWhileSaving : public testing::Test {
 protected:
  Command train(std::vector<std::string> more) const {
    std::vector<std::string> words = {"train", "zoo:lenet5:124x124x1", "--data",  data_, "--batch",
                                      "24",    "--schedule",           "constant"};
    words.insert(words.end(), more.begin(), more.end());
    return halcyon_command(words);
  }
  void train_well(std::vector<std::string> more) const {
    const Finished finished = run_program(train(std::move(more)));
    ASSERT_EQ(finished.status, 0) << finished.errors;
  }

  TemporaryFolder folder_;
  const std::string data_ =
      write_small_mnist(folder_.file("mnist"), {.side = 124, .train = 48, .test = 8});
  const std::string checkpoint_ = folder_.file("c.safetensors");
  const std::string partial_ = checkpoint_ + ".partial";  // what a save writes before it renames
};

TEST_F(KilledWhileSaving, ItLeavesAWholeCheckpointThatGoesOnBitForBit) {
  constexpr int kWanted = 5, kMostKills = 40;
  train_well({"--steps", "2", "--checkpoint", checkpoint_});
  const auto whole_bytes = std::filesystem::file_size(checkpoint_);
  int64_t last_step = 2;
  int while_saving = 0, cut_off = 0;
  for (int kills = 0; kills < kMostKills && while_saving < kWanted; ++kills) {
    std::filesystem::remove(partial_);
    // The first save is hit in one run, the second or third in another.
    int saves_to_pass = kills % 3;
    bool seen = false, any = false;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto is_saving = [&] {
      const bool now = std::filesystem::exists(partial_);
      if (seen && !now) --saves_to_pass;
      seen = now;
      any = any || now;
      return (now && saves_to_pass <= 0) || std::chrono::steady_clock::now() > give_up;
    };
    const Finished run = run_and_kill(
        train({"--epochs", "100000", "--resume", checkpoint_, "--checkpoint", checkpoint_}),
        is_saving);
    ASSERT_EQ(run.status, 128 + 9) << run.errors;
    ASSERT_TRUE(any) << "no save was seen: does it still write " << partial_ << "?";
    if (std::filesystem::exists(partial_)) {
      ++while_saving;
      cut_off += std::filesystem::file_size(partial_) < whole_bytes ? 1 : 0;
    }
    const Checkpoint found = Checkpoint::load(checkpoint_);
    EXPECT_GE(found.position.step, last_step);
    EXPECT_EQ(found.position.step % 2, 0);
    last_step = found.position.step;
  }
  RecordProperty("cut_off", std::to_string(cut_off));
  EXPECT_EQ(while_saving, kWanted) << "so few of " << kMostKills << " kills fell into a save";
  EXPECT_GT(last_step, 2) << "no run came as far as its first save";

  // What the last killed run left beside the checkpoint is in nobody's way.
  const std::string steps = std::to_string(last_step + 2), resumed = folder_.file("resumed"),
                    straight = folder_.file("straight");
  train_well(
      {"--steps", steps, "--resume", checkpoint_, "--checkpoint", checkpoint_, "--save", resumed});
  EXPECT_FALSE(std::filesystem::exists(partial_));
  train_well({"--steps", steps, "--save", straight});
  EXPECT_TRUE(read_text(resumed) == read_text(straight));
}

}  // namespace
}  // namespace halcyon::tests
