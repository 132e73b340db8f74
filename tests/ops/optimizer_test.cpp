/// What compiled training steps do to parameters and optimizer state, held against the reference
/// rules fed with reference gradients.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "compiler/driver/load.h"
#include "compiler/reference/interpreter.h"
#include "dsl/layers.h"
#include "runtime/network.h"
#include "tests/support/object_cache.h"

namespace halcyon::compiler {
namespace {

constexpr int64_t kSamples = 5;
constexpr double kTolerance = 1e-5;

/// One channel, so that the host's order of the picture is the canonical one. The weight of the
/// loss makes gradients, and with them every update, about as large as the parameters.
dsl::Graph small_network() {
  dsl::Network net("optimized");
  const dsl::Tensor x = net.input("x", {.height = 6, .width = 5, .channels = 1});
  const dsl::Tensor y = x | dsl::conv(4, 3) | dsl::relu | dsl::flatten | dsl::dense(3);
  net.output("y", y);
  net.loss("loss", dsl::mean_square(y, net.target("wanted", {3})), 3);
  return net.graph();
}

/// Numbers that are far apart: taking one for the other changes every update by more than the
/// tolerance. Epsilon is large, as dividing by a gradient near zero would enlarge rounding errors.
halcyon_hyper hyper_of_step(int64_t step) {
  return {.learning_rate = 0.125f,
          .momentum = 0.8f,
          .beta2 = 0.95f,
          .epsilon = 0.1f,
          .weight_decay = 0.01f,
          .step = step};
}

std::vector<double> values_of(const runtime::WeightFile& file, const std::string& name) {
  const runtime::WeightTensor* const tensor = file.find(name);
  if (tensor == nullptr) throw InternalError("there is no tensor " + name);
  return {tensor->floats().begin(), tensor->floats().end()};
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 double scale, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double error = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_TRUE(std::isfinite(found[i])) << what << " " << i;
    error = std::max(error, std::abs(found[i] - expected[i]));
  }
  EXPECT_LE(error, kTolerance * scale) << what << ", scale " << scale;
}

class OptimizerSteps : public testing::TestWithParam<ops::Optimizer> {
 protected:
  OptimizerSteps() {
    PassContext context;
    context.optimizer = GetParam();
    reference_.graph = graph_;
    differentiate(reference_, context);
  }

  Artifact compiled() const {
    CompileOptions options = tests::cached_options();
    options.train = true;
    options.optimizer = GetParam();
    return *compile(graph_, options);
  }

  /// Reference gradients, by parameter, for what the network holds now.
  std::map<std::string, std::vector<double>> gradients(const runtime::WeightFile& weights) const {
    std::map<std::string, HostTensor> given = {{"x", x_}, {"wanted", wanted_}};
    for (const dsl::Node& node : graph_.nodes()) {
      const auto* const parameter = std::get_if<ops::Parameter>(&node.op);
      const std::string name(node.name.view());
      if (parameter != nullptr) given[name] = {parameter->shape, values_of(weights, name)};
    }
    const std::map<Value, HostTensor> values = evaluate(reference_.graph, given, kSamples);
    std::map<std::string, std::vector<double>> found;
    for (const dsl::Node& node : reference_.graph.nodes()) {
      if (!std::holds_alternative<ops::Update>(node.op)) continue;
      const std::size_t count = node.inputs.size() / 2;
      for (std::size_t i = 0; i < count; ++i) {
        found[std::string(reference_.graph.node(node.inputs[i]).name.view())] =
            values.at(node.inputs[count + i]).values;
      }
    }
    return found;
  }

  void step(runtime::Network& network, const halcyon_hyper& hyper) const {
    const std::vector<float> x(x_.values.begin(), x_.values.end());
    const std::vector<float> wanted(wanted_.values.begin(), wanted_.values.end());
    const void* const input = x.data();
    const void* const target = wanted.data();
    float loss = 0;
    network.train_step(kSamples, {&input, 1}, {&target, 1}, hyper, {&loss, 1});
  }

  const dsl::Graph graph_ = small_network();
  Program reference_;
  const HostTensor x_ = random_tensor({kBatch, 1, 6, 5}, kSamples, 1);
  const HostTensor wanted_ = random_tensor({kBatch, 3}, kSamples, 2);
};

std::string optimizer_text(const testing::TestParamInfo<ops::Optimizer>& info) {
  constexpr const char* kNames[] = {"Sgd", "Momentum", "Rmsprop", "Adam"};
  return kNames[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerSteps,
                         testing::Values(ops::Optimizer::sgd, ops::Optimizer::momentum,
                                         ops::Optimizer::rmsprop, ops::Optimizer::adam),
                         optimizer_text);

TEST_P(OptimizerSteps, MoveParametersAndStateLikeTheReference) {
  const Artifact artifact = compiled();
  const LoadedNetwork loaded(artifact);
  runtime::Network network(loaded.info(), 2);
  network.initialize(3);
  network.reserve(kSamples);
  const int64_t slots = ops::Update{.optimizer = GetParam()}.state_slots();
  for (int64_t number = 1; number <= 3; ++number) {
    // Each step begins where the compiled one before it ended: rounding errors do not add up.
    const runtime::WeightFile weights = network.weights(), state = network.state();
    step(network, hyper_of_step(number));
    const runtime::WeightFile new_weights = network.weights(), new_state = network.state();
    const auto reference_gradients = gradients(weights);
    ASSERT_EQ(reference_gradients.size(), 4u);
    for (const auto& [name, gradient] : reference_gradients) {
      const std::string what = name + " behind step " + std::to_string(number);
      const std::vector<double> before = values_of(weights, name);
      std::vector<double> expected = before;
      std::vector<std::vector<double>> expected_state;
      const auto slot_name = [&name = name](int64_t slot) {
        return "optimizer/" + std::to_string(slot) + "/" + name;
      };
      for (int64_t slot = 0; slot < slots; ++slot)
        expected_state.push_back(values_of(state, slot_name(slot)));
      update_reference(GetParam(), hyper_of_step(number), expected, gradient, expected_state);

      std::vector<double> update = expected;
      for (std::size_t i = 0; i < update.size(); ++i) update[i] -= before[i];
      // Far above what a parameter loses in single precision, so that the scale means something.
      ASSERT_GT(largest(update), 0.01) << what;
      expect_near(values_of(new_weights, name), expected, largest(update), what);
      for (int64_t slot = 0; slot < slots; ++slot) {
        const std::vector<double>& values = expected_state[static_cast<std::size_t>(slot)];
        ASSERT_GT(largest(values), 0) << what;
        expect_near(values_of(new_state, slot_name(slot)), values, largest(values),
                    what + ", state " + std::to_string(slot));
      }
    }
  }
}

}  // namespace
}  // namespace halcyon::compiler
