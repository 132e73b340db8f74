#include "runtime/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/random.h"
#include "tests/runtime/count_allocations.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/fake_network.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

const halcyon_network kFake = tests::fake_network();
const halcyon_network kInferenceOnly = tests::fake_inference_network();

WeightFile some_weights() {
  WeightFile file;
  const std::span<float> weight = file.add("dense.weight", {2, 3});
  for (int i = 0; i < 6; ++i) weight[static_cast<std::size_t>(i)] = static_cast<float>(i);
  const std::span<float> bias = file.add("dense.bias", {2});
  bias[0] = 10;
  bias[1] = 20;
  return file;
}

/// A batch with room for its results.
struct Batch {
  explicit Batch(int64_t n)
      : images(static_cast<std::size_t>(3 * n)),
        labels(static_cast<std::size_t>(n)),
        scores(static_cast<std::size_t>(2 * n)) {
    Random random(1);
    for (float& value : images) value = static_cast<float>(random.uniform(-1, 1));
    for (int32_t& label : labels) label = static_cast<int32_t>(random.below(2));
  }
  void infer(Network& network, int64_t n) {
    const void* inputs[] = {images.data()};
    void* outputs[] = {scores.data()};
    network.infer(n, inputs, outputs);
  }
  float train(Network& network, int64_t n) {
    const void* inputs[] = {images.data()};
    const void* targets[] = {labels.data()};
    void* outputs[] = {scores.data()};
    float loss = 0;
    network.train_step(n, inputs, targets, {.learning_rate = 0.1f, .momentum = 0.9f, .step = 1},
                       {&loss, 1}, outputs);
    return loss;
  }
  std::vector<float> images;
  std::vector<int32_t> labels;
  std::vector<float> scores;
};

std::vector<std::byte> all_bits(const Network& network) {
  std::vector<std::byte> bits = format_weights(network.weights());
  const std::vector<std::byte> state = format_weights(network.state());
  bits.insert(bits.end(), state.begin(), state.end());
  return bits;
}

TEST(Network, ComputesWithTheWeightsItWasGiven) {
  for (const int threads : {1, 2}) {
    Network network(kInferenceOnly, threads);
    network.set_weights(some_weights());
    network.reserve(2);
    Batch batch(2);
    batch.images = {1, 2, 3, 0, 0, -1};
    batch.infer(network, 2);
    EXPECT_EQ(batch.scores, (std::vector<float>{18, 46, 8, 15}));
  }
}

TEST(Network, SavesAndLoadsItsWeights) {
  const TemporaryFolder folder;
  Network first(kFake, 1);
  first.initialize(3);
  first.save(folder.file("w.safetensors"));
  EXPECT_EQ(read_weights(folder.file("w.safetensors")).metadata.at("halcyon.network"), "fake");
  Network second(kFake, 1);
  second.load(folder.file("w.safetensors"));
  EXPECT_EQ(all_bits(first), all_bits(second));
}

TEST(Network, InitialisesFromSeedAndNameOnly) {
  const auto weight_of = [](const halcyon_network& info, uint64_t seed) {
    Network network(info, 1);
    network.initialize(seed);
    const WeightFile file = network.weights();
    const std::span<const float> values = file.find("dense.weight")->floats();
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_EQ(weight_of(kFake, 0), weight_of(kInferenceOnly, 0));
  EXPECT_NE(weight_of(kFake, 0), weight_of(kFake, 1));
  // With the parameters the other way round, which also swaps their places in the block.
  halcyon_parameter_info swapped[] = {kFake.parameters[1], kFake.parameters[0]};
  halcyon_network other = kFake;
  other.parameters = swapped;
  other.pack = [](int32_t i, const float* from, void* to) { kFake.pack(1 - i, from, to); };
  other.unpack = [](int32_t i, const void* from, float* to) { kFake.unpack(1 - i, from, to); };
  EXPECT_EQ(weight_of(other, 5), weight_of(kFake, 5));
  // The numbers themselves are a promise: a seed means the same on every machine.
  EXPECT_FLOAT_EQ(weight_of(kFake, 0)[0], -0.030545462f);
}

TEST(Network, InitialisesWithEveryKind) {
  constexpr int64_t kCount = 20'000;
  static const std::vector<float> given(kCount, 4.5f);
  halcyon_parameter_info parameter{.name = "p",
                                   .rank = 1,
                                   .shape = {kCount},
                                   .elements = kCount,
                                   .packed_bytes = kCount * sizeof(float),
                                   .init_scale = 2,
                                   .init_values = given.data()};
  halcyon_network info = kInferenceOnly;
  info.parameter_count = 1;
  info.parameters = &parameter;
  info.parameter_bytes = info.packed_bytes = parameter.packed_bytes;
  info.pack = [](int32_t, const float* from, void* to) { std::memcpy(to, from, kCount * 4); };
  info.unpack = [](int32_t, const void* from, float* to) { std::memcpy(to, from, kCount * 4); };
  const auto values = [&](halcyon_init_kind kind) {
    parameter.init = kind;
    Network network(info, 1);
    network.initialize(0);
    const WeightFile file = network.weights();
    return std::vector<double>(file.tensors[0].floats().begin(), file.tensors[0].floats().end());
  };
  EXPECT_EQ(values(HALCYON_INIT_CONSTANT), std::vector<double>(kCount, 2));
  EXPECT_EQ(values(HALCYON_INIT_VALUES), std::vector<double>(kCount, 4.5));
  const auto mean = [](const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0) / kCount;
  };
  const auto deviation = [](const std::vector<double>& v) {
    return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0) / kCount);
  };
  // Tolerances: four standard errors of each estimate.
  const std::vector<double> uniform = values(HALCYON_INIT_UNIFORM);
  EXPECT_LE(*std::max_element(uniform.begin(), uniform.end()), 2);
  EXPECT_GE(*std::min_element(uniform.begin(), uniform.end()), -2);
  EXPECT_NEAR(mean(uniform), 0, 0.033);
  EXPECT_NEAR(deviation(uniform), 2 / std::sqrt(3.0), 0.016);
  const std::vector<double> normal = values(HALCYON_INIT_NORMAL);
  EXPECT_NEAR(mean(normal), 0, 0.057);
  EXPECT_NEAR(deviation(normal), 2, 0.04);
  const auto beyond = [&](double limit) {
    return std::count_if(normal.begin(), normal.end(),
                         [&](double value) { return std::abs(value) > limit; });
  };
  EXPECT_NEAR(static_cast<double>(beyond(2)) / kCount, 0.3173, 0.0132);
  EXPECT_NEAR(static_cast<double>(beyond(4)) / kCount, 0.0455, 0.0059);
}

TEST(Network, IsReadyAtOnceWhenItsWeightsAreLinkedIn) {
  static const float weight[] = {1, 2, 3, 4, 5, 6}, bias[] = {7, 8};
  halcyon_parameter_info parameters[] = {kInferenceOnly.parameters[0],
                                         kInferenceOnly.parameters[1]};
  halcyon_network info = kInferenceOnly;
  info.parameters = parameters;
  parameters[0].init = parameters[1].init = HALCYON_INIT_VALUES;
  parameters[0].init_values = weight;
  parameters[1].init_values = bias;
  Network network(info, 1);
  EXPECT_EQ(network.weights().find("dense.bias")->floats()[1], 8);
}

TEST(Network, WantsWeightsBeforeItRuns) {
  Network network(kFake, 1);
  network.reserve(1);
  Batch batch(1);
  const char* const text = "network 'fake' has no weights yet";
  expect_error<UserError>([&] { batch.infer(network, 1); }, text, "hint: load a weight file");
  expect_error<UserError>([&] { batch.train(network, 1); }, text);
  expect_error<UserError>([&] { network.save("/nowhere/w"); }, text);
}

TEST(Network, RefusesABatchAboveTheReservedOne) {
  Network network(kFake, 1);
  network.initialize(0);
  Batch batch(8);
  expect_error<UserError>([&] { batch.infer(network, 1); }, "planned are batches of 1 to 0");
  network.reserve(4);
  batch.infer(network, 4);
  batch.train(network, 4);
  expect_error<UserError>([&] { batch.infer(network, 5); },
                          "network 'fake': infer of batch 5, planned are batches of 1 to 4",
                          "hint: reserve(5) first");
  expect_error<UserError>([&] { batch.train(network, 5); }, "train_step of batch 5");
  expect_error<UserError>([&] { batch.infer(network, 0); }, "infer of batch 0");
  network.reserve_inference(8);
  batch.infer(network, 8);
  batch.train(network, 4);
  expect_error<UserError>([&] { batch.train(network, 8); }, "planned are batches of 1 to 4");
  network.reserve(2);
  batch.infer(network, 8);
  expect_error<UserError>([&] { network.reserve(0); }, "cannot reserve for batch 0");
  expect_error<UserError>([&] { network.reserve((1 << 20) + 1); }, "possible are 1 to 1048576");
}

TEST(Network, TrainsAndGivesTheSameBitsForAnyNumberOfThreads) {
  std::vector<std::vector<std::byte>> results;
  for (const int threads : {1, 2, 3}) {
    Network network(kFake, threads);
    network.initialize(0);
    network.reserve(32);
    Batch batch(32);
    const float first = batch.train(network, 32);
    float last = first;
    for (int step = 0; step < 50; ++step) last = batch.train(network, 32);
    EXPECT_LT(last, first);
    results.push_back(all_bits(network));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(Network, RunsOnTensorsAsOnPointers) {
  Network network(kFake, 2);
  network.set_weights(some_weights());
  const Tensor images({2, 3}, std::vector<float>{1, 2, 3, 0, 0, -1});
  // Nothing is reserved yet: the call does it.
  const Tensor scores = network.infer(images);
  EXPECT_EQ(scores.shape(), (Shape{2, 2}));
  EXPECT_TRUE(std::ranges::equal(scores.floats(), std::vector<float>{18, 46, 8, 15}));
  std::vector<Tensor> outputs{Tensor({2, 2})};
  network.infer(std::span(&images, 1), outputs);
  EXPECT_TRUE(std::ranges::equal(outputs[0].floats(), scores.floats()));

  Network twin(kFake, 2);
  twin.set_weights(some_weights());
  Batch batch(2);
  std::ranges::copy(images.floats(), batch.images.begin());
  twin.reserve(2);
  network.reserve(2);
  const float expected = batch.train(twin, 2);
  const std::vector<Tensor> labels{Tensor({2}, batch.labels)};
  float loss = 0;
  network.train_step(std::span(&images, 1), labels,
                     {.learning_rate = 0.1f, .momentum = 0.9f, .step = 1}, {&loss, 1});
  EXPECT_EQ(loss, expected);
  EXPECT_EQ(all_bits(network), all_bits(twin));
}

TEST(Network, RefusesTensorsThatDoNotFit) {
  Network network(kFake, 1);
  const Tensor images({2, 3});
  expect_error<UserError>([&] { network.infer(images); }, "network 'fake' has no weights yet");
  network.initialize(0);
  expect_error<UserError>(
      [&] {
        network.infer(Tensor({3, 2}));
      },
      "network 'fake': input 'image' is f32 [N,3], the tensor is f32 [3,2]");
  expect_error<UserError>([&] { network.infer(Tensor({0, 3})); }, "cannot reserve for batch 0");
  network.reserve(2);
  std::vector<Tensor> outputs{Tensor({1, 2})};
  expect_error<UserError>([&] { network.infer(std::span(&images, 1), outputs); },
                          "output 'scores' has a batch of 1, those before it have 2");
  const std::vector<Tensor> labels{Tensor({2})};
  float loss = 0;
  expect_error<UserError>(
      [&] {
        network.train_step(std::span(&images, 1), labels, {}, {&loss, 1});
      },
      "target 'label' is i32 [N], the tensor is f32 [2]");
  halcyon_network two = kFake;
  const std::vector<halcyon_tensor_info> infos(2, kFake.outputs[0]);
  two.output_count = 2;
  two.outputs = infos.data();
  Network other(two, 1);
  other.initialize(0);
  expect_error<UserError>([&] { other.infer(images); },
                          "network 'fake' has 2 outputs, the call gives 1");
}

TEST(Network, AllocatesNothingWhileItRuns) {
  Network network(kFake, 2);
  network.initialize(0);
  network.reserve(16);
  Batch batch(16);
  batch.infer(network, 16);
  const std::vector<Tensor> images{Tensor({16, 3})}, labels{Tensor({16}, DType::i32)};
  std::vector<Tensor> scores{Tensor({16, 2})};
  float loss = 0;
  const int64_t before = tests::allocation_count();
  for (int i = 0; i < 20; ++i) {
    batch.infer(network, 16);
    batch.train(network, 16);
    network.infer(images, scores);
    network.train_step(images, labels, {.learning_rate = 0.1f}, {&loss, 1});
  }
  EXPECT_EQ(tests::allocation_count(), before);
}

TEST(Network, NamesTheLabelThatIsOutOfRange) {
  Network network(kFake, 1);
  network.initialize(0);
  network.reserve(4);
  const std::vector<std::byte> before = all_bits(network);
  Batch batch(4);
  batch.labels[2] = 7;
  expect_error<UserError>(
      [&] { batch.train(network, 4); },
      "network 'fake': target 'label' has label 7 at index 2, valid are 0 to 1");
  batch.labels[2] = -1;
  expect_error<UserError>([&] { batch.train(network, 4); }, "label -1 at index 2");
  EXPECT_EQ(all_bits(network), before);
}

TEST(Network, TurnsAStatusIntoAnErrorWithItsNumbers) {
  halcyon_network info = kFake;
  info.infer = [](const halcyon_context*, int64_t, const void*, const void* const*, void* const*) {
    return HALCYON_WORKSPACE_TOO_SMALL;
  };
  Network network(info, 2);
  network.initialize(0);
  network.reserve(4);
  Batch batch(4);
  expect_error<UserError>([&] { batch.infer(network, 3); },
                          "network 'fake': infer of batch 3 (reserved 4, workspace 34 bytes, 2 "
                          "workers): the workspace is smaller");
}

TEST(Network, WantsTheRightNumberOfPointers) {
  Network network(kFake, 1);
  network.initialize(0);
  network.reserve(1);
  const void* const input[] = {nullptr, nullptr};
  void* const output[] = {nullptr, nullptr};
  float loss[1];
  const halcyon_hyper hyper{};
  expect_error<UserError>(
      [&] {
        network.infer(1, input, {output, 1});
      },
      "network 'fake' has 1 inputs, the call gives 2");
  expect_error<UserError>(
      [&] {
        network.infer(1, {input, 1}, {});
      },
      "network 'fake' has 1 outputs, the call gives 0");
  expect_error<UserError>([&] { network.infer(1, {input, 1}, {output, 1}); }, "is NULL");
  expect_error<UserError>(
      [&] {
        network.train_step(1, {input, 1}, {}, hyper, loss);
      },
      "has 1 targets, the call gives 0");
  expect_error<UserError>(
      [&] {
        network.train_step(1, {input, 1}, {input, 1}, hyper, {});
      },
      "has 1 losses, the call gives 0");
  expect_error<UserError>(
      [&] {
        network.train_step(1, {input, 1}, {input, 1}, hyper, loss, output);
      },
      "has 1 outputs, the call gives 2");
}

TEST(Network, SaysWhatALibraryCannotDo) {
  Network network(kInferenceOnly, 1);
  network.initialize(0);
  network.reserve(4);
  Batch batch(4);
  batch.infer(network, 4);
  expect_error<UserError>([&] { batch.train(network, 4); },
                          "network 'fake' is compiled for inference only",
                          "hint: compile it with --train");
  EXPECT_TRUE(network.state().tensors.empty());
  halcyon_network old = kFake;
  old.abi_version = 99;
  expect_error<UserError>([&] { Network another(old, 1); }, "interface version 99",
                          "needs " + std::to_string(HALCYON_ABI_VERSION));
}

TEST(Network, FindsValuesThatAreNotFinite) {
  std::vector<float> values(1000, 1.0f);
  values[10] = std::numeric_limits<float>::max();
  values[11] = std::numeric_limits<float>::denorm_min();
  check_finite(values, "input 'image'");
  check_finite({}, "nothing");
  values[999] = -std::numeric_limits<float>::infinity();
  expect_error<UserError>([&] { check_finite(values, "input 'image'"); },
                          "input 'image': value 999 of 1000 is infinite");
  values[12] = std::numeric_limits<float>::quiet_NaN();
  expect_error<UserError>([&] { check_finite(values, "input 'image'"); },
                          "value 12 of 1000 is not a number");
}

}  // namespace
}  // namespace halcyon::runtime
