/// Gradients of reductions and normalisations against central differences of the loss, both taken
/// of the training form: that is the function which a step goes down.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "compiler/passes/passes.h"
#include "compiler/reference/interpreter.h"
#include "dsl/norm_layers.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using Layer = std::function<Tensor(Tensor)>;

constexpr int64_t kSamples = 3;
constexpr double kStep = 1e-5;
constexpr double kTolerance = 1e-6;  // relative to the largest gradient of the same parameter

double total_loss(const Graph& graph, const std::map<std::string, HostTensor>& given) {
  return evaluate(graph, given, kSamples).at(graph.losses[0].value).values[0];
}

void check_gradients(const Graph& graph, const std::vector<std::string>& freeze = {}) {
  Program program{graph};
  ASSERT_TRUE(differentiate(program, {.optimizer = ops::Optimizer::sgd, .freeze = freeze}));
  const Graph& step = program.graph;
  std::map<std::string, HostTensor> given;
  uint64_t seed = 0;
  for (const Node& n : graph.nodes()) {
    if (!n.inputs.empty()) continue;
    HostTensor& value = given[std::string(n.name.view())];
    value = random_tensor(n.outputs[0], kSamples, ++seed);
    const bool variance = n.name.view().ends_with("running_var");
    for (double& v : value.values) v = variance ? 0.5 + std::abs(v) : v;
  }
  const std::map<Value, HostTensor> values = evaluate(step, given, kSamples);
  const std::vector<Value>& update = step.nodes().back().inputs;
  ASSERT_FALSE(update.empty());
  for (std::size_t i = 0; i < update.size() / 2; ++i) {
    const std::string name(step.node(update[i]).name.view());
    const std::vector<double>& found = values.at(update[update.size() / 2 + i]).values;
    double largest = 0;
    for (double g : found) largest = std::max(largest, std::abs(g));
    EXPECT_GT(largest, 1e-6) << name << ": the case tests nothing";
    std::vector<double>& p = given.at(name).values;
    const std::size_t stride = (p.size() + 19) / 20;
    for (std::size_t j = 0; j < p.size(); j += stride) {
      const double kept = p[j];
      p[j] = kept + kStep;
      const double above = total_loss(step, given);
      p[j] = kept - kStep;
      const double below = total_loss(step, given);
      p[j] = kept;
      ASSERT_NEAR(found[j], (above - below) / (2 * kStep), kTolerance * std::max(largest, 1e-3))
          << name << "[" << j << "]";
    }
  }
}

Graph network_of(const Shape& x, int64_t channels, const Layer& layer) {
  Network net("case");
  // Without a bias: a normalisation takes away what it adds, and its gradient is zero.
  Tensor y = layer(net.input("x", x) | dsl::conv(channels, 1, {.bias = false}));
  if (y.shape().rank > 2) y = y | dsl::flatten;
  y = y | dsl::dense(2, {.name = "end"});
  net.loss("loss", dsl::mean_square(y, net.target("wanted", {2})));
  return net.graph();
}

// On maps of one, two and three axes.
void check_layer(const Layer& layer, int64_t channels = 4,
                 const std::vector<std::string>& freeze = {}) {
  for (const Shape& x : {Shape{2, 5}, Shape{2, 3, 4}, Shape{2, 2, 3, 2}}) {
    SCOPED_TRACE(to_string(x));
    check_gradients(network_of(x, channels, layer), freeze);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Gradient, OfReduceOverPositions) {
  using Kind = ops::ReduceKind;
  for (Kind kind : {Kind::sum, Kind::mean, Kind::max, Kind::min}) {
    for (bool keep : {true, false}) {
      check_layer([=](Tensor x) { return x | dsl::reduce(kind, {2}, {.keep_dims = keep}); });
    }
  }
  check_layer([](Tensor x) { return x | dsl::global_max_pool(); });
  check_layer([](Tensor x) { return x | dsl::global_average_pool({.keep_dims = false}); });
}

TEST(Gradient, OfReduceOverChannels) {
  using Kind = ops::ReduceKind;
  for (Kind kind : {Kind::sum, Kind::mean, Kind::max, Kind::min}) {
    for (bool keep : {true, false}) {
      check_layer([=](Tensor x) { return x | dsl::reduce(kind, {1}, {.keep_dims = keep}); });
    }
  }
}

TEST(Gradient, OfBatchNormByTheBatchsStatistics) {
  check_layer([](Tensor x) { return x | dsl::batch_norm({.epsilon = 0.1f}); });
  check_layer([](Tensor x) { return x | dsl::flatten | dsl::batch_norm({.epsilon = 0.1f}); });
}

TEST(Gradient, OfBatchNormByFrozenStatistics) {
  check_layer([](Tensor x) { return x | dsl::batch_norm({.name = "bn"}); }, 3, {"bn.running_*"});
  check_layer([](Tensor x) { return x | dsl::batch_norm({.name = "bn"}); }, 3, {"bn.*"});
}

TEST(Gradient, OfBatchNormWithoutScaleOrShift) {
  check_layer([](Tensor x) { return x | dsl::batch_norm({.name = "bn"}); }, 3, {"bn.weight"});
  check_layer([](Tensor x) { return x | dsl::batch_norm({.name = "bn"}); }, 3, {"bn.bias"});
}

TEST(Gradient, OfBatchNormOfWhatIsNotTrained) {
  Network net("case");
  Tensor y = net.input("x", Shape{2, 3, 4}) | dsl::batch_norm() | dsl::flatten | dsl::dense(2);
  net.loss("loss", dsl::mean_square(y, net.target("wanted", {2})));
  check_gradients(net.graph());
}

TEST(Gradient, OfInstanceGroupAndLayerNorm) {
  check_layer([](Tensor x) { return x | dsl::instance_norm({.epsilon = 0.1f}); });
  check_layer([](Tensor x) { return x | dsl::group_norm(2, {.epsilon = 0.1f}); });
  check_layer([](Tensor x) { return x | dsl::layer_norm({.epsilon = 0.1f}); });
}

TEST(Gradient, OfL2Normalize) {
  check_layer([](Tensor x) { return x | dsl::l2_normalize(); });
  // All lengths below epsilon.
  check_layer([](Tensor x) { return x | dsl::l2_normalize({.epsilon = 100}); });
}

TEST(Gradient, OfLocalResponseNorm) {
  for (int64_t size : {1, 3, 4, 7}) {
    check_layer([=](Tensor x) { return x | dsl::local_response_norm(size, {.alpha = 0.5f}); });
  }
  check_layer([](Tensor x) {
    return x | dsl::local_response_norm(
                   3, {.alpha = 0.5f, .beta = 0.6f, .across = ops::Neighbours::positions});
  });
}

TEST(Gradient, OfLogSoftmax) {
  check_layer([](Tensor x) { return x | dsl::log_softmax(); }, 3);
}

TEST(Gradient, OfMatMul) {
  for (int transposed = 0; transposed < 4; ++transposed) {
    const bool of_a = (transposed & 1) != 0, of_b = (transposed & 2) != 0;
    Network net("case");
    Tensor x = net.input("x", Shape{2, 4});
    Tensor a = x | dsl::conv(of_a ? 4 : 3, 1);
    a = of_a ? a | dsl::conv(4, 2) : a;  // [3,4], or [4,3]
    Tensor b = x | dsl::conv(of_b ? 2 : 4, 1);
    Tensor y = dsl::matmul(a, b, {.transpose_a = of_a, .transpose_b = of_b});
    y = y | dsl::flatten | dsl::dense(2);
    net.loss("loss", dsl::mean_square(y, net.target("wanted", {2})));
    check_gradients(net.graph());
  }
}

TEST(Gradient, OfDropoutIsTheSameMask) {
  check_layer([](Tensor x) { return x | dsl::dropout(0.3f) | dsl::dropout(0.2f); });
}

}  // namespace
}  // namespace halcyon::compiler
