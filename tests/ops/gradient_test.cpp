/// Every gradient rule against central differences of the loss. Each case draws a small network of
/// odd shapes from its seed; a failure prints the seed.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "compiler/passes/passes.h"
#include "compiler/reference/interpreter.h"
#include "dsl/layers.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;

using Values = std::map<std::string, HostTensor>;

constexpr int kSeeds = 24;
constexpr int64_t kSamples = 2;
// Central differences in double: rounding is about 1e-16 / kStep, curvature about kStep^2.
constexpr double kStep = 1e-5;
constexpr double kTolerance = 1e-6;  // relative to the largest gradient of the same parameter
constexpr double kMargin =
    1e-3;  // no value may be this close to a kink: far above what kStep moves

class Dice {
 public:
  explicit Dice(int seed) : random_(static_cast<std::mt19937_64::result_type>(seed)) {}
  /// In [least, most].
  int64_t roll(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  /// One number per axis.
  Spatial rolls(int rank, int64_t least, int64_t most) {
    Spatial s;
    for (s.rank = 0; s.rank < rank; ++s.rank) s[s.rank] = roll(least, most);
    return s;
  }

 private:
  std::mt19937_64 random_;
};

Values random_values(const Graph& graph, uint64_t seed) {
  Values values;
  for (const Node& n : graph.nodes()) {
    const std::string name(n.name.view());
    const auto* input = std::get_if<ops::Input>(&n.op);
    if (input != nullptr && input->dtype == DType::i32) {
      values[name] = random_labels(input->classes, kSamples, ++seed);
    } else if (input != nullptr || std::holds_alternative<ops::Parameter>(n.op)) {
      values[name] = random_tensor(n.outputs[0], kSamples, ++seed);
    }
  }
  return values;
}

// The smallest distance of a relu's input from zero, and of a maximum from the next value in its
// window. Windows that hold nothing but relu's zeros have no gradient to get wrong.
double distance_from_kinks(const Graph& graph, const std::map<Value, HostTensor>& values) {
  double distance = 1;
  for (const Node& n : graph.nodes()) {
    if (dsl::computes(n.op, dsl::kRelu)) {
      for (double v : values.at(n.inputs[0]).values) distance = std::min(distance, std::abs(v));
    }
    const auto* pool = std::get_if<ops::MaxPool>(&n.op);
    if (pool == nullptr) continue;
    const HostTensor& x = values.at(n.inputs[0]);
    const Shape y = with_batch(n.outputs[0], kSamples);
    const auto taps = detail::window_taps({.x = x.shape,
                                           .y = y,
                                           .kernel = pool->kernel,
                                           .stride = pool->stride,
                                           .dilation = pool->dilation,
                                           .pad_begin = pool->pad_begin});
    const auto size = static_cast<std::size_t>(detail::positions(x.shape));
    for (std::size_t first = 0; first < x.values.size(); first += size) {
      std::map<std::size_t, std::vector<double>> windows;
      for (const detail::Tap& t : taps) windows[t.output].push_back(x.values[first + t.input]);
      for (auto& [output, window] : windows) {
        std::sort(window.rbegin(), window.rend());
        if (window.size() > 1 && window[0] != 0) {
          distance = std::min(distance, window[0] - window[1]);
        }
      }
    }
  }
  return distance;
}

double total_loss(const Graph& graph, const Values& given) {
  const std::map<Value, HostTensor> values = evaluate(graph, given, kSamples);
  double total = 0;
  for (const dsl::Loss& loss : graph.losses) {
    total += static_cast<double>(loss.weight) * values.at(loss.value).values.at(0);
  }
  return total;
}

// `most_checked`: values checked of each parameter, spread evenly.
void check_gradients(const Graph& forward, int seed, std::size_t most_checked = 1000) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Program program{forward};
  ASSERT_TRUE(differentiate(program, {.optimizer = ops::Optimizer::sgd}));
  const Graph& graph = program.graph;

  Values given;
  std::map<Value, HostTensor> values;
  uint64_t draw = static_cast<uint64_t>(seed) * 1000000;
  for (int attempt = 0;; ++attempt) {
    ASSERT_LT(attempt, 200) << "no values far enough from the kinks";
    given = random_values(graph, draw);
    values = evaluate(graph, given, kSamples);
    if (distance_from_kinks(graph, values) > kMargin) break;
    draw += 1000;
  }

  const std::vector<Value>& update = graph.nodes().back().inputs;
  ASSERT_FALSE(update.empty());
  for (std::size_t i = 0; i < update.size() / 2; ++i) {
    const std::string name(graph.node(update[i]).name.view());
    const std::vector<double>& found = values.at(update[update.size() / 2 + i]).values;
    double largest = 0;
    for (double g : found) largest = std::max(largest, std::abs(g));
    EXPECT_GT(largest, 1e-6) << name << ": the case tests nothing";
    std::vector<double>& p = given.at(name).values;
    const std::size_t stride = (p.size() + most_checked - 1) / most_checked;
    for (std::size_t j = 0; j < p.size(); j += stride) {
      const double kept = p[j];
      p[j] = kept + kStep;
      const double above = total_loss(forward, given);
      p[j] = kept - kStep;
      const double below = total_loss(forward, given);
      p[j] = kept;
      ASSERT_NEAR(found[j], (above - below) / (2 * kStep), kTolerance * std::max(largest, 1e-3))
          << name << "[" << j << "]";
    }
  }
}

// x of the given channels and extents behind a trainable layer, so that the gradient towards the
// input of what follows is checked as well.
Tensor trainable_input(Network& net, Dice& dice, int rank, int64_t channels, int64_t least,
                       int64_t most) {
  Shape shape = {2};
  for (int axis = 0; axis < rank; ++axis) shape.push_back(dice.roll(least, most));
  return net.input("x", shape) | dsl::conv(channels, 1);
}

// A weighted sum of all values, squared: sends a different gradient to each position.
void end_with_mean_square(Network& net, Tensor x) {
  if (x.shape().rank > 2) x = x | dsl::flatten;
  x = x | dsl::dense(2, {.name = "end"});
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {2})));
}

void check_layer(const std::function<Tensor(Tensor, Dice&)>& layer, int64_t channels,
                 int64_t least = 3, int64_t most = 5) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    Network net("case");
    const int rank = 1 + seed % 3;
    Tensor x = trainable_input(net, dice, rank, channels, least, rank == 3 ? least + 1 : most);
    end_with_mean_square(net, layer(x, dice));
    check_gradients(net.graph(), seed, 40);
    if (testing::Test::HasFatalFailure()) return;
  }
}

dsl::Padding roll_padding(Dice& dice, int rank, int64_t most) {
  return {dice.rolls(rank, 0, most), dice.rolls(rank, 0, most)};
}

TEST(Gradient, OfConv) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const int rank = x.shape().spatial_rank();
        const Spatial kernel = dice.rolls(rank, 1, 3);
        const dsl::Padding pad = roll_padding(dice, rank, 2);
        return x | dsl::conv(3, kernel, {.pad = pad, .bias = dice.roll(0, 1) == 1});
      },
      2);
}

TEST(Gradient, OfConvWithStrideDilationAndGroups) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const int rank = x.shape().spatial_rank();
        const Spatial kernel = dice.rolls(rank, 1, 2);
        const Spatial dilation = dice.rolls(rank, 1, 2);
        const dsl::Padding pad = roll_padding(dice, rank, 2);
        return x | dsl::conv(6, kernel,
                             {.stride = dice.rolls(rank, 1, 3),
                              .pad = pad,
                              .dilation = dilation,
                              .groups = dice.roll(1, 2)});
      },
      4);
}

TEST(Gradient, OfConvWhoseWindowsDoNotReachTheLastRows) {
  for (int64_t rows = 5; rows <= 8; ++rows) {
    Network net("case");
    Tensor x = net.input("x", Shape{1, rows, 7}) | dsl::conv(2, 1);
    end_with_mean_square(net, x | dsl::conv(2, {2, 3}, {.stride = 4}));
    check_gradients(net.graph(), static_cast<int>(rows));
  }
}

TEST(Gradient, OfConvTranspose) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const int rank = x.shape().spatial_rank();
        const Spatial stride = dice.rolls(rank, 1, 3);
        const Spatial dilation = dice.rolls(rank, 1, 3);
        Spatial output_padding = dice.rolls(rank, 0, 2);
        for (int axis = 0; axis < rank; ++axis) {
          const int64_t most = std::max(stride[axis], dilation[axis]) - 1;
          output_padding[axis] = std::min(output_padding[axis], most);
        }
        return x | dsl::conv_transpose(6, dice.rolls(rank, 1, 3),
                                       {.stride = stride,
                                        .pad = roll_padding(dice, rank, 1),
                                        .dilation = dilation,
                                        .output_padding = output_padding,
                                        .groups = dice.roll(1, 2),
                                        .bias = dice.roll(0, 1) == 1});
      },
      4);
}

TEST(Gradient, OfMaxPool) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const int rank = x.shape().spatial_rank();
        return x | dsl::max_pool(dice.rolls(rank, 2, 3), {.stride = dice.rolls(rank, 1, 3),
                                                          .pad = roll_padding(dice, rank, 1),
                                                          .ceil = dice.roll(0, 1) == 1});
      },
      1);
}

TEST(Gradient, OfAveragePool) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const int rank = x.shape().spatial_rank();
        return x |
               dsl::average_pool(dice.rolls(rank, 2, 3), {.stride = dice.rolls(rank, 1, 3),
                                                          .pad = roll_padding(dice, rank, 1),
                                                          .ceil = dice.roll(0, 1) == 1,
                                                          .count_padding = dice.roll(0, 1) == 1});
      },
      2);
}

TEST(Gradient, OfDilatedPools) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const int rank = x.shape().spatial_rank();
        const dsl::PoolOptions options{.stride = dice.rolls(rank, 1, 2),
                                       .pad = roll_padding(dice, rank, 1),
                                       .dilation = 2,
                                       .ceil = true};
        return dice.roll(0, 1) == 1 ? x | dsl::max_pool(2, options)
                                    : x | dsl::average_pool(2, options);
      },
      1, 4);
}

TEST(Gradient, OfRelu) {
  check_layer([](Tensor x, Dice&) { return x | dsl::relu; }, 2, 2, 4);
}

TEST(Gradient, OfAFunctionOfTheUsersOwn) {
  check_layer(
      [](Tensor x, Dice&) {
        return x | dsl::custom("mine", [](auto v) { return v * sigmoid(1.5f * v) + exp(-v * v); });
      },
      2, 2, 4);
}

TEST(Gradient, OfFunctionsOfTheTable) {
  check_layer([](Tensor x, Dice&) { return x | dsl::gelu | dsl::mish | dsl::tanh | dsl::exp; }, 2,
              2, 4);
}

/// A sum, whose gradient reads dy alone, or a product of neighbours, which reads x as well.
Tensor stencil(Tensor x, bool product, dsl::Border border) {
  const auto take = [&](auto first, auto second) {
    return dsl::custom("stencil",
                       [=](dsl::Window w) {
                         const dsl::Scalar a = first(w), b = second(w);
                         return product ? exp(a) * b + 0.5f * tanh(a * b) : 2.0f * a - b;
                       },
                       {.border = border});
  };
  switch (x.shape().spatial_rank()) {
    case 1: return x | take([](auto w) { return w(-1); }, [](auto w) { return w(2); });
    case 2: return x | take([](auto w) { return w(-2, 1); }, [](auto w) { return w(0, -1); });
    default: return x | take([](auto w) { return w(0, 1, -1); }, [](auto w) { return w(1, 0, 0); });
  }
}

TEST(Gradient, OfAStencil) {
  check_layer(
      [](Tensor x, Dice& dice) {
        const auto border = dice.roll(0, 1) == 1 ? dsl::Border::edge : dsl::Border::zero;
        return stencil(x, dice.roll(0, 1) == 1, border);
      },
      2);
}

TEST(Gradient, OfWhatIsRepeatedAlongPositionsOrChannels) {
  check_layer(
      [](Tensor x, Dice&) {
        Spatial whole;
        for (; whole.rank < x.shape().spatial_rank(); ++whole.rank) {
          whole[whole.rank] = x.shape().spatial(whole.rank);
        }
        const Tensor gate = x | dsl::average_pool(whole) | dsl::sigmoid;
        const Tensor mask = x | dsl::conv(1, 1) | dsl::tanh;
        return x * gate + mask / (1.0f + gate * gate);
      },
      3, 2, 4);
}

TEST(Gradient, OfParametersOfEveryRepeatedShape) {
  check_layer(
      [](Tensor x, Dice&) {
        Network& net = x.owner();
        const auto times = [&](Tensor y, const char* name, const Shape& shape) {
          return y * net.parameter(name, shape, dsl::fan_in());
        };
        Shape column;
        for (int axis = 1; axis < x.shape().rank; ++axis) column.push_back(1);
        column[column.rank - 1] = x.shape()[x.shape().rank - 1];
        Shape all;
        for (int axis = 1; axis < x.shape().rank; ++axis) all.push_back(x.shape()[axis]);
        x = x | dsl::scale_shift() | dsl::sigmoid;
        x = times(x, "one", {1});
        if (column.rank > 1) x = times(x, "column", column);
        return all.rank > 1 ? times(x, "all", all) : x;
      },
      2, 2, 3);
}

TEST(Gradient, OfWhatIsComputedFromParametersAlone) {
  Network net("case");
  Tensor x = net.input("x", Shape{3});
  Tensor weight = net.parameter("weight", {2, 3}, dsl::fan_in());
  weight = dsl::custom(
      "bound", [](auto w) { return tanh(w) * 2.0f; }, weight);
  x = net.add(ops::Dense{.units = 2}, {x.value, weight.value}, "dense", {});
  end_with_mean_square(net, x);
  check_gradients(net.graph(), 1);
}

TEST(Gradient, OfAFlatFunctionIsZero) {
  Network net("case");
  Tensor x = net.input("x", Shape{3}) | dsl::dense(4);
  end_with_mean_square(net, x + (x | dsl::floor));
  Program program{net.graph()};
  ASSERT_TRUE(differentiate(program, {.optimizer = ops::Optimizer::sgd}));
}

TEST(Gradient, OfSoftmaxOverChannelsOfEachPosition) {
  check_layer([](Tensor x, Dice&) { return x | dsl::softmax; }, 3);
}

TEST(Gradient, OfSoftmaxOfFlatValues) {
  check_layer([](Tensor x, Dice&) { return x | dsl::flatten | dsl::softmax; }, 2);
}

TEST(Gradient, OfAddOfOneValueTwiceAndOfTwo) {
  check_layer(
      [](Tensor x, Dice&) { return dsl::add(dsl::add(x, x), x | dsl::conv(2, 1) | dsl::softmax); },
      2);
}

TEST(Gradient, OfConcatThatReadsOneValueTwice) {
  check_layer(
      [](Tensor x, Dice&) {
        return dsl::concat({x, x | dsl::conv(3, 1) | dsl::softmax, x}) | dsl::softmax;
      },
      2);
}

TEST(Gradient, OfCopy) {
  check_layer(
      [](Tensor x, Dice&) {
        return x.network->add(ops::Copy{}, {x.value}, "copy1", dsl::Place{}) | dsl::softmax;
      },
      2);
}

TEST(Gradient, OfDenseWithAndWithoutBias) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    Network net("case");
    Tensor x = net.input("x", Shape{dice.roll(1, 5)}) | dsl::dense(dice.roll(1, 5));
    end_with_mean_square(net, x | dsl::dense(dice.roll(2, 7), {.bias = seed % 2 == 0}));
    check_gradients(net.graph(), seed);
  }
}

TEST(Gradient, OfSoftmaxCrossEntropy) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    Network net("case");
    Tensor x = net.input("x", Shape{3}) | dsl::dense(dice.roll(2, 7));
    net.loss("loss", dsl::softmax_cross_entropy(x, net.labels("label")), 0.75F);
    check_gradients(net.graph(), seed);
  }
}

TEST(Gradient, OfMeanSquareBetweenTwoComputedPictures) {
  for (int seed = 1; seed <= kSeeds; ++seed) {
    Dice dice(seed);
    Network net("case");
    Tensor x = trainable_input(net, dice, 1 + seed % 3, 2, 2, 4);
    net.loss("loss", dsl::mean_square(x | dsl::conv(2, 1), x | dsl::conv(2, 1)), 1.5F);
    check_gradients(net.graph(), seed, 40);
  }
}

TEST(Gradient, OfHeadsWithTheirOwnWeights) {
  Network net("case");
  Tensor x = net.input("x", Shape{2, 4, 4}) | dsl::conv(3, 3, {.pad = dsl::same});
  Tensor main = x | dsl::max_pool(2) | dsl::relu | dsl::flatten | dsl::dense(3);
  Tensor side = x | dsl::average_pool(4) | dsl::flatten | dsl::dense(3);
  Tensor label = net.labels("label");
  Tensor main_loss = dsl::softmax_cross_entropy(main, label);
  net.loss("main", main_loss);
  net.loss("again", main_loss, 2);
  net.loss("side", dsl::softmax_cross_entropy(side, label), 0.25F);
  check_gradients(net.graph(), 1);
}

TEST(Gradient, OfANetworkBuiltLikeLenet5) {
  Network net("case");
  Tensor x = net.input("image", {.height = 10, .width = 10, .channels = 2});
  x = x | dsl::conv(2, 3) | dsl::relu | dsl::max_pool(2) | dsl::conv(3, 3) | dsl::relu |
      dsl::max_pool(2) | dsl::flatten | dsl::dense(4) | dsl::relu | dsl::dense(3);
  net.output("scores", x | dsl::softmax);
  net.loss("loss", dsl::softmax_cross_entropy(x, net.labels("label")));
  for (int seed = 1; seed <= 3; ++seed) check_gradients(net.graph(), seed, 60);
}

}  // namespace
}  // namespace halcyon::compiler
