#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "compiler/passes/pipeline.h"
#include "dsl/layers.h"
#include "dsl/zoo/lenet5.h"
#include "tests/passes/graph_text.h"
#include "tests/support/small_networks.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using tests::find;
using tests::wide_machine;

Program planned(const dsl::Graph& graph, std::span<const Pass> passes,
                const PassContext& context = wide_machine()) {
  Program program;
  program.graph = graph;
  run_passes(program, context, passes);
  return program;
}

/// Layers that read any earlier value of their shape, so that lifetimes cross.
Network random_network(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto roll = [&](std::size_t count) { return random() % count; };
  Network net("random");
  std::vector<Tensor> maps = {net.input("x", {.height = 6, .width = 5, .channels = 3})};
  for (int i = 0; i < 12; ++i) {
    const Tensor x = maps[roll(maps.size())];
    const Tensor y = maps[roll(maps.size())];
    switch (roll(5)) {
      case 0:
        maps.push_back(x | dsl::conv(static_cast<int64_t>(1 + roll(20)), 3, {.pad = 1}));
        break;
      case 1: maps.push_back(x | dsl::relu); break;
      case 2: maps.push_back(x | dsl::softmax); break;
      case 3:
        maps.push_back(x.channels() == y.channels() ? dsl::add(x, y) : dsl::concat({x, y}));
        break;
      default: maps.push_back(x | dsl::max_pool(3, {.stride = 1, .pad = 1})); break;
    }
  }
  Tensor last = dsl::concat(maps) | dsl::average_pool({6, 5}) | dsl::flatten | dsl::dense(4);
  net.output("y", last);
  net.output("map", maps[roll(maps.size() - 1) + 1]);
  net.loss("loss", dsl::softmax_cross_entropy(last, net.labels("label")));
  return net;
}

struct Lifetime {
  std::size_t first, last;
};

/// From the region that writes a value to the last that reads it.
std::map<Value, Lifetime> lifetimes_of(const Program& program) {
  std::map<Value, Lifetime> lifetimes;
  for (std::size_t r = 0; r < program.regions.size(); ++r) {
    for (Value v : program.regions[r].outputs) {
      lifetimes.emplace(program.holder(v), Lifetime{r, r}).first->second.last = r;
    }
    for (Value v : program.regions[r].inputs) {
      const auto it = lifetimes.find(program.holder(v));
      if (it != lifetimes.end()) it->second.last = r;
    }
  }
  return lifetimes;
}

bool share_memory(const Place& a, const Place& b) {
  return a.storage == b.storage && a.offset_bytes < b.offset_bytes + b.size_bytes &&
         b.offset_bytes < a.offset_bytes + a.size_bytes;
}

void expect_live_values_apart(const Program& program) {
  const std::map<Value, Lifetime> lifetimes = lifetimes_of(program);
  for (const auto& [a, life_a] : lifetimes) {
    const Place& place_a = program.memory.places.at(a);
    const bool packed = place_a.storage == Storage::workspace || place_a.storage == Storage::fixed;
    if (packed) {
      EXPECT_EQ(place_a.offset_bytes % HALCYON_ALIGNMENT, 0);
      EXPECT_LE(place_a.offset_bytes + place_a.size_bytes, place_a.storage == Storage::fixed
                                                               ? program.memory.fixed_bytes
                                                               : program.memory.per_sample_bytes);
    }
    for (const auto& [b, life_b] : lifetimes) {
      if (!packed || !(b < a) || life_a.first > life_b.last || life_b.first > life_a.last) continue;
      EXPECT_FALSE(share_memory(place_a, program.memory.places.at(b)))
          << dsl::to_string(a) << " and " << dsl::to_string(b);
    }
  }
}

TEST(PlanMemory, NeverOverlapsValuesThatLiveAtOnce) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Network net = random_network(seed);
    expect_live_values_apart(planned(net.graph(), inference_passes()));
    expect_live_values_apart(planned(net.graph(), training_passes()));
  }
}

void expect_packed_tightly(const MemoryPlan& memory) {
  EXPECT_GT(memory.per_sample_lower_bound, 0);
  EXPECT_GE(memory.per_sample_bytes, memory.per_sample_lower_bound);
  EXPECT_LE(static_cast<double>(memory.per_sample_bytes),
            1.1 * static_cast<double>(memory.per_sample_lower_bound));
}

TEST(PlanMemory, NeedsHardlyMoreForLenet5ThanWhatLivesAtOnce) {
  for (const std::span<const Pass> passes : {inference_passes(), training_passes()}) {
    expect_packed_tightly(planned(dsl::zoo::lenet5().graph(), passes).memory);
  }
}

// A chain, residual blocks with and without depthwise layers, modules that are joined, and maps
// that are read again at the end: whatever a training step keeps until its gradient is due. Of
// inference, tests/driver/zoo_test.cpp asks the same of every network.
TEST(PlanMemory, NeedsHardlyMoreForTrainingTheZooThanWhatLivesAtOnce) {
  for (const char* name : {"vgg16", "resnet18", "mobilenet_v2", "googlenet", "unet"}) {
    SCOPED_TRACE(name);
    const dsl::Network net = tests::small_network(name);
    expect_packed_tightly(planned(net.graph(), training_passes()).memory);
  }
}

TEST(PlanMemory, PutsTrainableParametersFirst) {
  PassContext context = wide_machine();
  context.freeze = {"conv1.*", "dense2.bias"};
  const Program program = planned(dsl::zoo::lenet5().graph(), training_passes(), context);
  int64_t bytes = 0;
  for (int32_t id = 0; id < program.graph.node_count(); ++id) {
    const auto* parameter = std::get_if<dsl::ops::Parameter>(&program.graph.node(id).op);
    if (parameter == nullptr) continue;
    const Place& place = program.memory.places.at({id, 0});
    EXPECT_EQ(place.storage, Storage::parameter);
    EXPECT_EQ(place.offset_bytes < program.memory.trainable_bytes, parameter->trainable);
    bytes += place.size_bytes;
  }
  EXPECT_EQ(program.memory.parameter_bytes, bytes);
}

TEST(PlanMemory, LaysGradientsOutLikeTheirParameters) {
  const Program program = planned(dsl::zoo::lenet5().graph(), training_passes());
  const Node& update = program.graph.nodes().back();
  const std::size_t count = update.inputs.size() / 2;
  ASSERT_GT(count, 0U);
  for (std::size_t i = 0; i < count; ++i) {
    const Place& parameter = program.memory.places.at(update.inputs[i]);
    const Place& gradient = program.memory.places.at(update.inputs[count + i]);
    EXPECT_EQ(gradient.storage, Storage::fixed);
    EXPECT_EQ(gradient.offset_bytes, program.memory.gradient_offset + parameter.offset_bytes);
    EXPECT_EQ(gradient.size_bytes, parameter.size_bytes);
  }
}

TEST(PlanMemory, LeavesInputsOutputsAndLossesWithTheHost) {
  const Program program = planned(dsl::zoo::lenet5().graph(), training_passes());
  const dsl::Graph& graph = program.graph;
  const auto place = [&](Value v) { return program.memory.places.at(v); };
  EXPECT_EQ(place(find(graph, "image")), (Place{Storage::host_input, 0, 0, 32 * 32 * 3 * 4}));
  EXPECT_EQ(place(find(graph, "label")), (Place{Storage::host_input, 1, 0, 4}));
  EXPECT_EQ(place(graph.outputs[0].value), (Place{Storage::host_output, 0, 0, 10 * 4}));
  EXPECT_EQ(place(graph.losses[0].value), (Place{Storage::loss, 0, 0, 4}));
}

TEST(PlanMemory, GivesViewsThePlaceOfWhatTheyShow) {
  const Program program = planned(dsl::zoo::lenet5().graph(), training_passes());
  ASSERT_FALSE(program.views.empty());
  for (const auto& [view, source] : program.views) {
    EXPECT_EQ(program.memory.places.at(view), program.memory.places.at(source));
  }
}

TEST(PlanMemory, SharesTheParameterBlockBetweenTrainingAndInference) {
  PassContext context = wide_machine();
  context.freeze = {"dense1.*"};
  const Program training = planned(dsl::zoo::lenet5().graph(), training_passes(), context);
  context.shares_parameters_with = &training;
  const Program inference = planned(dsl::zoo::lenet5().graph(), inference_passes(), context);
  EXPECT_EQ(inference.memory.parameter_bytes, training.memory.parameter_bytes);
  for (const char* name : {"conv1.weight", "conv2.bias", "dense1.weight", "dense3.bias"}) {
    EXPECT_EQ(inference.memory.places.at(find(inference.graph, name)),
              training.memory.places.at(find(training.graph, name)))
        << name;
  }
}

}  // namespace
}  // namespace halcyon::compiler
