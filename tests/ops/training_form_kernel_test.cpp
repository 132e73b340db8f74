/// What compiled steps make of layers that training changes: running statistics move from step to
/// step, masks follow seed and step, and neither knows how many threads there are.

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "compiler/driver/load.h"
#include "compiler/reference/interpreter.h"
#include "dsl/norm_layers.h"
#include "runtime/network.h"
#include "tests/support/object_cache.h"

namespace halcyon::compiler {
namespace {

constexpr int64_t kSamples = 5;

dsl::Graph small_network() {
  dsl::Network net("changing");
  dsl::Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 1}) | dsl::conv(20, 3);
  x = x | dsl::batch_norm({.name = "bn"}) | dsl::relu | dsl::flatten | dsl::dropout(0.5f) |
      dsl::dense(3);
  net.output("y", x);
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {3})));
  return net.graph();
}

Artifact compiled(const std::vector<std::string>& freeze = {}) {
  CompileOptions options = tests::cached_options();
  options.train = true;
  options.freeze = freeze;
  return *compile(small_network(), options);
}

class Steps {
 public:
  Steps(const Artifact& artifact, int threads)
      : loaded_(artifact), network_(loaded_.info(), threads) {
    network_.initialize(3);
    network_.reserve(kSamples);
    for (double v : random_tensor({kBatch, 1, 6, 5}, kSamples, 1).values)
      x_.push_back(static_cast<float>(v));
  }

  float run(int64_t step, uint64_t seed) {
    const halcyon_hyper hyper = {.learning_rate = 0.125f,
                                 .momentum = 0.8f,
                                 .beta2 = 0,
                                 .epsilon = 0,
                                 .weight_decay = 0,
                                 .step = step,
                                 .seed = seed};
    const void* const input = x_.data();
    const void* const target = wanted_.data();
    float loss = 0;
    network_.train_step(kSamples, {&input, 1}, {&target, 1}, hyper, {&loss, 1});
    return loss;
  }

  std::vector<float> values(const std::string& name) const {
    const runtime::WeightFile file = network_.weights();
    const auto floats = file.find(name)->floats();
    return {floats.begin(), floats.end()};
  }

  std::vector<float> everything() const {
    std::vector<float> all;
    for (const char* name : {"conv1.weight", "bn.weight", "bn.bias", "bn.running_mean",
                             "bn.running_var", "dense1.weight"}) {
      const std::vector<float> part = values(name);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

 private:
  LoadedNetwork loaded_;
  runtime::Network network_;
  std::vector<float> x_;
  const std::vector<float> wanted_ = std::vector<float>(kSamples * 3, 0.5f);
};

TEST(TrainingForm, MovesRunningStatisticsAndKeepsThemFromTheOptimizer) {
  const Artifact artifact = compiled();
  Steps steps(artifact, 2);
  EXPECT_EQ(steps.values("bn.running_mean"), std::vector<float>(20, 0.0f));
  EXPECT_EQ(steps.values("bn.running_var"), std::vector<float>(20, 1.0f));
  steps.run(1, 0);
  const std::vector<float> mean = steps.values("bn.running_mean");
  const std::vector<float> variance = steps.values("bn.running_var");
  for (std::size_t c = 0; c < 20; ++c) {
    EXPECT_NE(mean[c], 0) << c;
    EXPECT_GE(variance[c], 0.9f) << c;  // nine tenths of what it was, and some of the batch's
    EXPECT_NE(variance[c], 1) << c;
  }
  steps.run(2, 0);
  EXPECT_NE(steps.values("bn.running_mean"), mean);
}

TEST(TrainingForm, LeavesFrozenStatisticsAlone) {
  const Artifact artifact = compiled({"bn.*"});
  Steps steps(artifact, 1);
  steps.run(1, 0);
  EXPECT_EQ(steps.values("bn.running_mean"), std::vector<float>(20, 0.0f));
  EXPECT_EQ(steps.values("bn.running_var"), std::vector<float>(20, 1.0f));
  EXPECT_EQ(steps.values("bn.weight"), std::vector<float>(20, 1.0f));
}

TEST(TrainingForm, GivesTheSameBitsForEveryNumberOfThreads) {
  const Artifact artifact = compiled();
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    Steps steps(artifact, threads);
    for (int64_t step = 1; step <= 3; ++step) steps.run(step, 11);
    results.push_back(steps.everything());
  }
  for (const std::vector<float>& other : results) {
    EXPECT_EQ(std::memcmp(other.data(), results[0].data(), other.size() * sizeof(float)), 0);
  }
}

TEST(TrainingForm, DrawsOtherMasksForOtherStepsAndSeeds) {
  const Artifact artifact = compiled();
  const auto first_loss = [&](int64_t step, uint64_t seed) {
    return Steps(artifact, 1).run(step, seed);
  };
  const float loss = first_loss(1, 7);
  EXPECT_EQ(first_loss(1, 7), loss);
  EXPECT_NE(first_loss(2, 7), loss);
  EXPECT_NE(first_loss(1, 8), loss);
  EXPECT_NE(first_loss(1, 7 + (uint64_t{1} << 32)), loss);
}

}  // namespace
}  // namespace halcyon::compiler
