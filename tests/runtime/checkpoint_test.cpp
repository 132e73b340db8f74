#include "runtime/checkpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/file.h"
#include "runtime/random.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/fake_network.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

const halcyon_network kFake = tests::fake_network();

void train(Network& network, int64_t first_step, int64_t steps) {
  network.reserve(8);
  for (int64_t step = first_step; step < first_step + steps; ++step) {
    Random random(9, static_cast<uint64_t>(step));
    float images[24], loss = 0;
    int32_t labels[8];
    for (float& value : images) value = static_cast<float>(random.normal());
    for (int32_t& label : labels) label = static_cast<int32_t>(random.below(2));
    const void* inputs[] = {images};
    const void* targets[] = {labels};
    network.train_step(8, inputs, targets, {.learning_rate = 0.01f, .momentum = 0.9f, .step = step},
                       {&loss, 1});
  }
}

std::vector<std::byte> all_bits(const Network& network) {
  std::vector<std::byte> bits = format_weights(network.weights());
  const std::vector<std::byte> state = format_weights(network.state());
  bits.insert(bits.end(), state.begin(), state.end());
  return bits;
}

Network trained(int64_t steps) {
  Network network(kFake, 1);
  network.initialize(0);
  train(network, 1, steps);
  return network;
}

TEST(Checkpoint, ContinuesBitForBit) {
  const TemporaryFolder folder;
  const std::string path = folder.file("c.safetensors");
  Checkpoint::take(trained(10), {.epoch = 1, .step = 10}).save(path);
  Network resumed(kFake, 1);
  const Checkpoint checkpoint = Checkpoint::load(path);
  checkpoint.apply(resumed);
  train(resumed, checkpoint.position.step + 1, 10);
  EXPECT_EQ(all_bits(resumed), all_bits(trained(20)));
}

TEST(Checkpoint, KeepsThePositionExactly) {
  const TemporaryFolder folder;
  const TrainerPosition position{.epoch = 3,
                                 .step = std::numeric_limits<int64_t>::max(),
                                 .shuffle_seed = std::numeric_limits<uint64_t>::max(),
                                 .hyper = {.learning_rate = 0.1f,
                                           .momentum = 1.0f / 3,
                                           .beta2 = std::numeric_limits<float>::denorm_min(),
                                           .epsilon = 1e-8f,
                                           .weight_decay = -0.0f,
                                           .step = 17},
                                 .notes = {{"batch", "64"}, {"a \"note\"", "\n"}}};
  Checkpoint::take(trained(1), position).save(folder.file("c"));
  const Checkpoint back = Checkpoint::load(folder.file("c"));
  EXPECT_EQ(back.position.epoch, position.epoch);
  EXPECT_EQ(back.position.step, position.step);
  EXPECT_EQ(back.position.shuffle_seed, position.shuffle_seed);
  EXPECT_EQ(back.position.hyper.step, position.hyper.step);
  for (float halcyon_hyper::*field :
       {&halcyon_hyper::learning_rate, &halcyon_hyper::momentum, &halcyon_hyper::beta2,
        &halcyon_hyper::epsilon, &halcyon_hyper::weight_decay}) {
    EXPECT_EQ(std::memcmp(&(back.position.hyper.*field), &(position.hyper.*field), sizeof(float)),
              0);
  }
  EXPECT_EQ(back.position.notes, position.notes);
  EXPECT_EQ(back.network, "fake");
  EXPECT_EQ(back.optimizer, "momentum");
}

TEST(Checkpoint, ServesAsAWeightFile) {
  const TemporaryFolder folder;
  const Network source = trained(5);
  Checkpoint::take(source, {}).save(folder.file("c"));
  Network network(kFake, 1);
  network.load(folder.file("c"));
  EXPECT_EQ(format_weights(network.weights()), format_weights(source.weights()));
}

TEST(Checkpoint, OfAnotherNetworkChangesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.file("c");
  Network network = trained(2);
  const std::vector<std::byte> before = all_bits(network);
  Checkpoint checkpoint = Checkpoint::take(trained(5), {});
  checkpoint.optimizer = "adam";
  checkpoint.save(path);
  expect_error<UserError>([&] { Checkpoint::load(path).apply(network); },
                          "checkpoint '" + path +
                              "' was trained with optimizer 'adam', network "
                              "'fake' is compiled for 'momentum'",
                          "hint: compile the network with the checkpoint's optimizer");
  checkpoint.optimizer = "momentum";
  checkpoint.state.tensors.pop_back();
  checkpoint.save(path);
  expect_error<UserError>([&] { Checkpoint::load(path).apply(network); },
                          "weights '" + path +
                              "' do not fit network 'fake': tensor "
                              "'optimizer/0/dense.bias' [2] is missing");
  checkpoint.weights.tensors[0].name = "other.weight";
  checkpoint.network = "other";
  checkpoint.save(path);
  expect_error<UserError>([&] { Checkpoint::load(path).apply(network); },
                          "tensor 'dense.weight' [2,3] is missing",
                          "hint: the weights were saved from network 'other'");
  EXPECT_EQ(all_bits(network), before);
}

TEST(Checkpoint, SaysWhatIsWrongWithTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("c");
  const Network network = trained(1);
  network.save(path);
  expect_error<UserError>([&] { Checkpoint::load(path); }, "'" + path + "' is no checkpoint",
                          "hint: to start from these weights, load them");
  expect_error<UserError>([&] { Checkpoint::load(folder.file("none")); }, "no such file");

  Checkpoint::take(network, {}).save(path);
  const WeightFile good = read_weights(path);
  const auto refuse = [&](const std::string& key, const char* value, const std::string& text) {
    WeightFile changed = good;
    changed.metadata.erase(key);
    if (value != nullptr) changed.metadata[key] = value;
    write_weights(path, changed);
    expect_error<UserError>([&] { Checkpoint::load(path); }, "checkpoint '" + path + "': " + text);
  };
  refuse("halcyon.checkpoint", "2", "it has version '2', this program reads version 1");
  for (const char* key : {"halcyon.network", "halcyon.optimizer", "halcyon.epoch", "halcyon.step",
                          "halcyon.shuffle_seed", "halcyon.hyper.step", "halcyon.hyper.beta2"}) {
    refuse(key, nullptr, "metadata " + std::string(key) + " is missing");
  }
  for (const char* value : {"", "x", "1x", " 1", "99999999999999999999"}) {
    refuse("halcyon.step", value,
           "metadata halcyon.step is '" + std::string(value) + "', a number");
  }
  refuse("halcyon.hyper.momentum", "fast", "metadata halcyon.hyper.momentum is 'fast', a number");
  refuse("halcyon.epoch", "-1", "it stands at epoch -1, step 0");
}

TEST(Checkpoint, CutAnywhereIsOneError) {
  const TemporaryFolder folder;
  Checkpoint::take(trained(1), {}).save(folder.file("c"));
  const std::vector<std::byte> bytes = read_file(folder.file("c"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    expect_error<UserError>([&] { parse_weights(std::span(bytes).first(size), "c"); },
                            "weight file 'c': ");
  }
}

/// Saves checkpoint after checkpoint until it is killed; writes a byte to `saved` behind the first.
[[noreturn]] void save_for_ever(const std::string& path, int saved) {
  Network network(kFake, 1);
  network.initialize(0);
  for (int64_t step = 1;; ++step) {
    train(network, step, 1);
    Checkpoint::take(network, {.step = step}).save(path);
    if (step == 1 && ::write(saved, "1", 1) != 1) ::_exit(1);
  }
}

/// Starts saving in a child, and returns when the first checkpoint is there.
pid_t start_saving(const std::string& path) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe failed");
  const pid_t child = ::fork();
  if (child == 0) save_for_ever(path, ends[1]);
  ::close(ends[1]);
  char byte = 0;
  const bool saved = child > 0 && ::read(ends[0], &byte, 1) == 1;
  ::close(ends[0]);
  if (!saved) throw std::runtime_error("the child saved nothing");
  return child;
}

TEST(Checkpoint, SurvivesKillWhileItIsSaved) {
  const TemporaryFolder folder;
  const std::string path = folder.file("c.safetensors");
  Checkpoint::take(trained(0), {}).save(path);
  Random random(3);
  for (int round = 0; round < 30; ++round) {
    const pid_t child = start_saving(path);
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(20'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    const Checkpoint checkpoint = Checkpoint::load(path);
    EXPECT_GE(checkpoint.position.step, 1);
    Network network(kFake, 1);
    checkpoint.apply(network);
    EXPECT_EQ(all_bits(network), all_bits(trained(checkpoint.position.step)));
    EXPECT_LE(folder.count(), 2u);  // the checkpoint, and at most one temporary
  }
  Checkpoint::take(trained(1), {.step = 1}).save(path);
  EXPECT_EQ(Checkpoint::load(path).position.step, 1);
  EXPECT_EQ(folder.count(), 1u);
}

}  // namespace
}  // namespace halcyon::runtime
