/// NAME_prepare: what inference computes from parameters once, and what happens without it.

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "compiler/driver/load.h"
#include "dsl/blocks.h"
#include "runtime/memory.h"
#include "runtime/network.h"
#include "runtime/trainer.h"

namespace halcyon::compiler {
namespace {

using runtime::AlignedBuffer;

/// A batch norm to fold, and siblings to merge.
dsl::Network network_with_prepare() {
  using namespace dsl;
  Network net("normed");
  Tensor x = net.input("x", {.height = 5, .width = 4, .channels = 3});
  x = x | conv_bn_relu(20, 3, {});
  x = concat({x | conv_relu(16, 1), x | conv_relu(24, 1) | conv_relu(16, 3, {.pad = 1})});
  x = x | flatten | dense(3);
  net.output("y", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

class Prepare : public testing::Test {
 protected:
  Prepare() {
    CompileOptions options;
    options.train = true;
    options.cache = HALCYON_KERNEL_CACHE;
    artifact_ = compile(network_with_prepare().graph(), options);
    loaded_.emplace(*artifact_);
    info_ = &loaded_->info();
    parameters_ = AlignedBuffer(info_->parameter_bytes, "parameters");
    state_ = AlignedBuffer(info_->state_bytes, "state");
    workspace_ = AlignedBuffer(info_->train_workspace_bytes(1, 1) + info_->workspace_bytes(1, 1),
                               "workspace");
    context_.workspace = workspace_.data();
    context_.workspace_bytes = workspace_.size_bytes();
    context_.workers = 1;
    pack();
  }

  void pack() {
    for (int32_t i = 0; i < info_->parameter_count; ++i) {
      const std::vector<float> values(static_cast<std::size_t>(info_->parameters[i].elements),
                                      0.25f);
      info_->pack(i, values.data(), parameters_.data());
    }
  }

  halcyon_status prepare() { return info_->prepare(&context_, parameters_.data()); }

  halcyon_status infer() {
    const std::vector<float> x(5 * 4 * 3, 0.5f);
    const void* inputs[] = {x.data()};
    void* outputs[] = {scores_};
    return info_->infer(&context_, 1, parameters_.data(), inputs, outputs);
  }

  halcyon_status train() {
    const std::vector<float> x(5 * 4 * 3, 0.5f);
    const int32_t label = 1;
    const void* inputs[] = {x.data()};
    const void* targets[] = {&label};
    const halcyon_hyper hyper = runtime::default_hyper(HALCYON_MOMENTUM);
    float loss = 0;
    return info_->train_step(&context_, 1, parameters_.data(), state_.data(), inputs, targets,
                             &hyper, &loss, nullptr);
  }

  std::optional<Artifact> artifact_;
  std::optional<LoadedNetwork> loaded_;
  const halcyon_network* info_ = nullptr;
  AlignedBuffer parameters_, state_, workspace_;
  halcyon_context context_ = {};
  float scores_[3] = {-1, -1, -1};
};

TEST_F(Prepare, LeavesRoomBehindThePackedParameters) {
  EXPECT_GT(info_->parameter_bytes, info_->packed_bytes);
  EXPECT_EQ(info_->state_bytes, info_->packed_bytes);
}

TEST_F(Prepare, IsAskedForBeforeTheFirstCall) {
  EXPECT_EQ(infer(), HALCYON_NOT_PREPARED);
  EXPECT_EQ(scores_[0], -1);
  EXPECT_EQ(prepare(), HALCYON_OK);
  EXPECT_EQ(infer(), HALCYON_OK);
  EXPECT_NEAR(scores_[0] + scores_[1] + scores_[2], 1, 1e-6);
}

TEST_F(Prepare, IsAskedForAgainWhenParametersChange) {
  ASSERT_EQ(prepare(), HALCYON_OK);
  ASSERT_EQ(infer(), HALCYON_OK);
  pack();
  EXPECT_EQ(infer(), HALCYON_NOT_PREPARED);
  ASSERT_EQ(prepare(), HALCYON_OK);
  ASSERT_EQ(train(), HALCYON_OK);
  EXPECT_EQ(infer(), HALCYON_NOT_PREPARED);
  ASSERT_EQ(prepare(), HALCYON_OK);
  EXPECT_EQ(infer(), HALCYON_OK);
}

TEST_F(Prepare, RefusesWhatInferRefuses) {
  EXPECT_EQ(info_->prepare(nullptr, parameters_.data()), HALCYON_NULL_ARGUMENT);
  EXPECT_EQ(info_->prepare(&context_, nullptr), HALCYON_NULL_ARGUMENT);
  context_.workspace_bytes = info_->workspace_bytes(1, 1) - 1;
  EXPECT_EQ(prepare(), HALCYON_WORKSPACE_TOO_SMALL);
  context_.workspace_bytes = info_->workspace_bytes(1, 1);
  EXPECT_EQ(prepare(), HALCYON_OK);
  context_.workers = 0;
  EXPECT_EQ(prepare(), HALCYON_BAD_WORKERS);
}

TEST_F(Prepare, IsTheRuntimesOwnBusiness) {
  runtime::Network network(*info_, 2);
  network.initialize(1);
  network.reserve(1);
  const std::vector<float> x(5 * 4 * 3, 0.5f);
  const void* inputs[] = {x.data()};
  const auto scores = [&] {
    std::vector<float> y(3);
    void* outputs[] = {y.data()};
    network.infer(1, inputs, outputs);
    return y;
  };
  const std::vector<float> before = scores();
  const int32_t label = 1;
  const void* targets[] = {&label};
  halcyon_hyper hyper = runtime::default_hyper(HALCYON_MOMENTUM);
  hyper.learning_rate = 0.1f;
  float loss = 0;
  network.train_step(1, inputs, targets, hyper, {&loss, 1});
  EXPECT_NE(scores(), before);
  network.initialize(1);
  EXPECT_EQ(scores(), before);
}

TEST_F(Prepare, GivesWhatASeparateInferenceLibraryGives) {
  CompileOptions options;
  options.cache = HALCYON_KERNEL_CACHE;
  const std::optional<Artifact> artifact = compile(network_with_prepare().graph(), options);
  const LoadedNetwork loaded(*artifact);
  std::vector<std::vector<float>> all;
  for (const halcyon_network* info : {info_, &loaded.info()}) {
    runtime::Network network(*info, 1);
    network.initialize(3);
    network.reserve(1);
    const std::vector<float> x(5 * 4 * 3, 0.5f);
    const void* inputs[] = {x.data()};
    std::vector<float> y(3);
    void* outputs[] = {y.data()};
    network.infer(1, inputs, outputs);
    all.push_back(y);
  }
  EXPECT_EQ(all[0], all[1]);
}

}  // namespace
}  // namespace halcyon::compiler
