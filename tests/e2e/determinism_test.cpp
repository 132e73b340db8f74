/// The same bits whatever runs them: one thread or two, once or again, one picture or a batch.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "e2e_adam.h"
#include "e2e_grey.h"
#include "e2e_momentum.h"
#include "tests/e2e/batches.h"

namespace halcyon::tests {
namespace {

using runtime::Network;

constexpr int64_t kBatch = 64;

std::string name_of(const testing::TestParamInfo<const halcyon_network* (*)()>& info) {
  return info.param()->name;
}

class Determinism : public testing::TestWithParam<const halcyon_network* (*)()> {
 protected:
  const halcyon_network& info() const { return *GetParam()(); }

  Network ready(int threads, int64_t batch = kBatch) const {
    Network network(info(), threads);
    network.initialize(7);
    network.reserve(batch);
    return network;
  }

  std::vector<std::byte> trained(int threads) const {
    Network network = ready(threads);
    for (int64_t step = 1; step <= 20; ++step) {
      train(network, random_batch(info(), kBatch, static_cast<uint64_t>(step)), step);
    }
    return bits_of(network);
  }
};

INSTANTIATE_TEST_SUITE_P(Networks, Determinism,
                         testing::Values(&e2e_momentum_network, &e2e_adam_network,
                                         &e2e_grey_network),
                         name_of);

TEST_P(Determinism, OneAndTwoThreadsInferTheSameBits) {
  Network one = ready(1), two = ready(2);
  for (const int64_t size : {1, 2, 3, 17, 64}) {
    const Batch batch = random_batch(info(), size, static_cast<uint64_t>(size));
    EXPECT_TRUE(same_bits(infer(one, batch), infer(two, batch))) << "batch " << size;
  }
}

TEST_P(Determinism, OneTwoAndThreeThreadsTrainToTheSameBits) {
  const std::vector<std::byte> one = trained(1);
  EXPECT_TRUE(one == trained(2));
  EXPECT_TRUE(one == trained(3));
}

TEST_P(Determinism, ARepeatedRunEndsWithTheSameBits) { EXPECT_TRUE(trained(2) == trained(2)); }

TEST_P(Determinism, ABatchGivesWhatItsPicturesGiveAlone) {
  Network network = ready(2);
  const Batch batch = random_batch(info(), 3, 5);
  const std::vector<float> together = infer(network, batch);
  const std::size_t pixels = batch.images.size() / 3, classes = together.size() / 3;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto begin = batch.images.begin() + static_cast<std::ptrdiff_t>(i * pixels);
    const Batch alone = {1, {begin, begin + static_cast<std::ptrdiff_t>(pixels)}, {}};
    const auto row = together.begin() + static_cast<std::ptrdiff_t>(i * classes);
    EXPECT_TRUE(same_bits(infer(network, alone), {row, row + static_cast<std::ptrdiff_t>(classes)}))
        << "picture " << i;
  }
}

TEST_P(Determinism, WhatTheWorkspaceHeldBeforeDoesNotMatter) {
  Network used = ready(2), fresh = ready(2);
  train(used, random_batch(info(), kBatch, 99), 1);
  infer(used, random_batch(info(), kBatch, 98));
  used.initialize(7);
  const Batch batch = random_batch(info(), 5, 1);
  EXPECT_TRUE(same_bits(infer(used, batch), infer(fresh, batch)));
  EXPECT_EQ(train(used, batch, 1), train(fresh, batch, 1));
  EXPECT_TRUE(bits_of(used) == bits_of(fresh));
}

TEST(ManyThreads, RunOneNetworkAtOnceEachWithItsOwnContext) {
  const halcyon_network& info = *e2e_momentum_network();
  const Batch batch = random_batch(info, 8, 1);
  Network alone(info, 1);
  alone.initialize(7);
  alone.reserve(8);
  const std::vector<float> expected = infer(alone, batch);
  for (int64_t step = 1; step <= 3; ++step) train(alone, batch, step);
  const std::vector<std::byte> expected_bits = bits_of(alone);

  constexpr std::size_t kThreads = 8;
  std::vector<int> right(kThreads, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Network mine(info, t % 2 == 0 ? 1 : 2);
      mine.initialize(7);
      mine.reserve(8);
      bool same = true;
      for (int i = 0; i < 5; ++i) same = same && same_bits(infer(mine, batch), expected);
      for (int64_t step = 1; step <= 3; ++step) train(mine, batch, step);
      right[t] = same && bits_of(mine) == expected_bits ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(right.begin(), right.end(), 1), static_cast<std::ptrdiff_t>(kThreads));
}

TEST(ManyNetworks, InOneProgramShareKernelsAndNothingElse) {
  // The two differ in their optimizer only: most of their kernels are one and the same function.
  Network momentum(*e2e_momentum_network(), 1), adam(*e2e_adam_network(), 1);
  Network grey(*e2e_grey_network(), 1);
  for (Network* network : {&momentum, &adam, &grey}) {
    network->initialize(3);
    network->reserve(16);
  }
  const Batch colour = random_batch(momentum.info(), 16, 1);
  const Batch ramp = random_batch(grey.info(), 16, 2);
  EXPECT_TRUE(same_bits(infer(momentum, colour), infer(adam, colour)));
  const std::vector<float> before = infer(grey, ramp);

  EXPECT_EQ(train(momentum, colour, 1), train(adam, colour, 1));
  EXPECT_FALSE(same_bits(infer(momentum, colour), infer(adam, colour)));
  EXPECT_TRUE(same_bits(infer(grey, ramp), before));
}

}  // namespace
}  // namespace halcyon::tests
