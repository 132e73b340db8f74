/// Training that stops and goes on: bit for bit, and whole whenever it is killed.

#include <gtest/gtest.h>

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

TEST_F(TrainCommand, KilledAtAnyTimeItLeavesAWholeCheckpoint) {
  const std::string checkpoint = folder_.file("c.safetensors");
  const std::string partial = checkpoint + ".partial";  // what a save writes before it renames
  Finished finished =
      run_program(train({"--schedule", "constant", "--steps", "10", "--checkpoint", checkpoint}));
  ASSERT_EQ(finished.status, 0) << finished.errors;
  int64_t last_step = 10, killed = 0, while_saving = 0;
  // The kills fall where they fall: into the start, into steps, now and then into a save, which
  // its temporary file shows. How many did is recorded, not demanded: a save is short.
  for (const int after_ms : {150, 250, 300, 350, 400, 450, 500, 600}) {
    std::filesystem::remove(partial);
    const Finished run = run_and_kill(train({"--schedule", "constant", "--epochs", "100000",
                                             "--resume", checkpoint, "--checkpoint", checkpoint}),
                                      after_ms);
    killed += run.status == 128 + 9 ? 1 : 0;
    while_saving += std::filesystem::exists(partial) ? 1 : 0;
    const Checkpoint found = Checkpoint::load(checkpoint);
    EXPECT_GE(found.position.step, last_step);
    EXPECT_EQ(found.position.step % 10, 0);
    last_step = found.position.step;
  }
  RecordProperty("killed_while_saving", std::to_string(while_saving));
  EXPECT_EQ(killed, 8);
  if (!HALCYON_SANITIZED) {
    EXPECT_GT(last_step, 10) << "no run came as far as its first save";
  }
  // What a killed process leaves beside it is in nobody's way. Half a file, as from a save that
  // was cut off, is there in any case.
  const std::string whole = read_text(checkpoint);
  write_text(partial, whole.substr(0, whole.size() / 2));
  finished = run_program(train({"--schedule", "constant", "--steps", std::to_string(last_step + 10),
                                "--resume", checkpoint, "--checkpoint", checkpoint}));
  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_EQ(Checkpoint::load(checkpoint).position.step, last_step + 10);
  EXPECT_FALSE(std::filesystem::exists(partial));
}

}  // namespace
}  // namespace halcyon::tests
