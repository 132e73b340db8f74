/// Kernels of several layers that hand rows over in scratch memory, against the reference: whatever
/// the windows, the channels and the number of tasks. A failure prints the seed.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "compiler/driver/load.h"
#include "runtime/network.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::Network;
using dsl::Padding;
using dsl::Spatial;
using dsl::Tensor;
using tests::finish_with_mean_square;

/// Direct convolutions: what shares their loops is what this file is about.
CompileOptions fusing_everywhere() {
  CompileOptions options = tests::cached_options();
  options.exact = true;
  options.fusing = {.pool = Fusing::wherever_possible, .reduce = Fusing::wherever_possible};
  return options;
}

/// Names of the nodes of each kernel for inference that holds more than one, "conv1+pool1".
std::vector<std::string> joined_kernels(const dsl::Graph& graph) {
  Program program;
  program.graph = graph;
  PassContext context;
  context.target = parse_target("host");
  context.fusing = fusing_everywhere().fusing;
  context.exact = true;
  run_passes(program, context, inference_passes());
  std::vector<std::string> list;
  for (const Region& region : program.regions) {
    if (region.nodes.size() > 1)
      list.push_back(make_kernel_spec(program, region, context.target).label());
  }
  return list;
}

void expect_joined(const Network& net, const std::string& kernel) {
  const std::vector<std::string> kernels = joined_kernels(net.graph());
  EXPECT_EQ(std::count(kernels.begin(), kernels.end(), kernel), 1)
      << "no kernel is " << kernel << " among " << testing::PrintToString(kernels);
}

/// Outputs of a run on numbers that depend on nothing but the network, one behind the other.
std::vector<float> infer(const LoadedNetwork& loaded, int64_t batch, int threads) {
  const halcyon_network& info = loaded.info();
  runtime::Network network(info, threads);
  network.initialize(3);
  network.reserve(batch);
  std::vector<float> x(static_cast<std::size_t>(batch * info.inputs[0].elements));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  std::vector<int64_t> offsets = {0};
  for (int32_t i = 0; i < info.output_count; ++i)
    offsets.push_back(offsets.back() + batch * info.outputs[i].elements);
  std::vector<float> y(static_cast<std::size_t>(offsets.back()));
  const void* const inputs[] = {x.data()};
  std::vector<void*> outputs;
  for (int32_t i = 0; i < info.output_count; ++i)
    outputs.push_back(y.data() + offsets[static_cast<std::size_t>(i)]);
  network.infer(batch, inputs, outputs);
  return y;
}

void expect_like_reference_and_itself(const dsl::Graph& graph) {
  tests::expect_like_reference(graph, {}, fusing_everywhere());
  const std::optional<Artifact> artifact = compile(graph, fusing_everywhere());
  const LoadedNetwork loaded(*artifact);
  const std::vector<float> one = infer(loaded, 3, 1), two = infer(loaded, 3, 2);
  EXPECT_EQ(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)), 0);
}

TEST(FusedKernel, PoolsOverlappingRowsOfAConvolution) {
  Network net("overlap");
  Tensor x = net.input("x", {.height = 15, .width = 17, .channels = 2});
  x = x | conv(5, 3, {.pad = 1}) | dsl::sigmoid | dsl::max_pool(3, {.stride = 2});
  x = x | conv(17, 2) | dsl::relu | dsl::average_pool(2, {.stride = 1, .pad = 1});
  x = x | conv(33, 1) | dsl::max_pool(3, {.stride = 1, .pad = 1, .ceil = true});
  finish_with_mean_square(net, x);
  expect_joined(net, "conv1+sigmoid1+pool1");
  expect_joined(net, "conv2+relu1+pool2");
  expect_like_reference_and_itself(net.graph());
}

TEST(FusedKernel, PoolsASumThatAConvolutionEnds) {
  Network net("residual");
  Tensor x = net.input("x", {.height = 12, .width = 11, .channels = 3}) | conv(20, 3, {.pad = 1});
  x = dsl::add(x | dsl::relu | conv(20, 3, {.pad = 1}), x) | dsl::sigmoid |
      dsl::average_pool(3, {.stride = 2, .pad = 1, .ceil = true, .count_padding = true});
  finish_with_mean_square(net, x | dsl::tanh);
  expect_joined(net, "conv2+add1+sigmoid1+pool1+tanh1");
  expect_like_reference_and_itself(net.graph());
}

// Work for several tasks: each computes the rows that its windows reach, and no others.
TEST(FusedKernel, CutsTheOutputIntoRowsOfTasks) {
  struct Case {
    Spatial kernel, stride;
    Padding pad;
    bool ceil;
  };
  const std::vector<Case> cases = {{3, 2, 0, false},
                                   {3, 2, 1, true},
                                   {{5, 2}, {2, 1}, Padding(Spatial{4, 0}, Spatial{1, 1}), true},
                                   {2, 1, {1, 0}, false}};
  for (const Case& c : cases) {
    Network net("rows");
    Tensor x = net.input("x", {.height = 61, .width = 30, .channels = 5});
    x = x | conv(40, 3, {.pad = 1}) | dsl::relu |
        dsl::average_pool(c.kernel, {.stride = c.stride, .pad = c.pad, .ceil = c.ceil});
    net.output("y", x | conv(24, 5, {.stride = 2, .pad = 2}) |
                        dsl::max_pool(c.kernel, {.stride = c.stride, .pad = c.pad}) | dsl::relu);
    expect_joined(net, "conv1+relu1+pool1");
    expect_like_reference_and_itself(net.graph());
  }
}

TEST(FusedKernel, PoolsWhereNeighbouringOutputsShareAVector) {
  Network net("neighbours");
  Tensor x = net.input("x", {.height = 19, .width = 36, .channels = 3});
  x = x | conv(4, 5, {.pad = 2}) | dsl::max_pool(3, {.stride = 2, .pad = 1, .ceil = true}) |
      conv(2, {3, 5}, {.pad = dsl::same}) | dsl::average_pool(3, {.stride = 1, .pad = 1});
  finish_with_mean_square(net, x);
  expect_joined(net, "conv1+pool1");
  expect_like_reference_and_itself(net.graph());
}

TEST(FusedKernel, FitsEveryVectorWidth) {
  for (const char* target : {"x86-64-linux-sse41", "x86-64-linux-avx-avx2-f16c-fma-sse41"}) {
    SCOPED_TRACE(target);
    Network net("widths");
    Tensor x = net.input("x", {.height = 14, .width = 13, .channels = 3});
    x = x | conv(9, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(3, {.stride = 2, .pad = 1});
    x = x | conv(5, 2) | dsl::average_pool(2, {.stride = 1, .ceil = true});
    finish_with_mean_square(net, x);
    CompileOptions options = fusing_everywhere();
    options.target = target;
    tests::expect_like_reference(net.graph(), {}, options);
  }
}

TEST(FusedKernel, ReadsRowsOfAPool) {
  Network net("pooled");
  Tensor x = net.input("x", {.height = 13, .width = 11, .channels = 19});
  Tensor largest = x | dsl::max_pool(3, {.stride = 1, .pad = 1}) | conv(33, 1) | dsl::relu;
  Tensor mean = x | dsl::average_pool({2, 5}, {.stride = {2, 1}, .pad = {1, 2}, .ceil = true}) |
                dsl::sigmoid | conv(20, 3, {.stride = {1, 2}, .pad = {0, 2}});
  net.output("y", largest);
  net.output("z", dsl::add(mean, mean | dsl::tanh));
  expect_joined(net, "pool1+conv1+relu1");
  expect_joined(net, "pool2+sigmoid1+conv2");
  expect_like_reference_and_itself(net.graph());
}

TEST(FusedKernel, ReadsRowsOfAPointwiseConvolution) {
  Network net("reduced");
  Tensor x = net.input("x", {.height = 13, .width = 11, .channels = 3}) | dsl::tanh;
  Tensor padded = x | conv(17, 1) | dsl::relu | conv(20, 3, {.pad = 1}) | dsl::relu;
  Tensor bare =
      x | conv(33, 1, {.bias = false}) | conv(40, {2, 3}, {.stride = {3, 2}, .dilation = {2, 1}});
  net.output("y", padded);
  net.output("z", bare);
  expect_joined(net, "conv1+relu1+conv2+relu2");
  expect_joined(net, "conv3+conv4");
  expect_like_reference_and_itself(net.graph());

  Network small("small");  // channels that fill no vector
  x = small.input("x", Shape{2, 23});
  small.output("y", x | dsl::sigmoid | conv(5, 1) | conv(7, 3, {.pad = {2}}) | dsl::relu);
  expect_joined(small, "conv1+conv2+relu1");
  expect_like_reference_and_itself(small.graph());

  Network volume("volume");
  x = volume.input("x", Shape{3, 5, 7, 6});
  volume.output("y", x | conv(18, 1) | dsl::relu | conv(16, 3, {.stride = {1, 2, 1}, .pad = 1}));
  expect_joined(volume, "conv1+relu1+conv2");
  expect_like_reference_and_itself(volume.graph());
}

// Work for several tasks: each computes the rows that its windows reach, padded at the borders.
TEST(FusedKernel, ReadsRowsInSeveralTasks) {
  Network net("tasks");
  Tensor x = net.input("x", {.height = 37, .width = 30, .channels = 16}) | dsl::tanh;
  net.output("a", x | conv(48, 1) | dsl::relu | conv(40, 5, {.stride = 2, .pad = 2}));
  net.output("b", x | dsl::max_pool(3, {.stride = 1, .pad = 1}) | conv(160, 1) | dsl::relu);
  expect_joined(net, "conv1+relu1+conv2");
  expect_joined(net, "pool1+conv3+relu2");
  expect_like_reference_and_itself(net.graph());
}

class RandomPool {
 public:
  explicit RandomPool(uint64_t seed) : random_(seed) {
    rank_ = static_cast<int>(roll(1, 3));
    Shape shape = {roll(1, 19)};
    for (int axis = 0; axis < rank_; ++axis) shape.push_back(roll(5, rank_ == 3 ? 7 : 14));
    Tensor x = net_.input("x", shape);
    for (int layer = 0; layer < 2; ++layer) x = pooled(convolved(x));
    finish_with_mean_square(net_, x);
  }

  const dsl::Graph& graph() const { return net_.graph(); }

 private:
  int64_t roll(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  /// At most what `most` says of each axis.
  template <class Most>
  Spatial numbers(int64_t least, const Most& most) {
    Spatial s;
    for (s.rank = 0; s.rank < rank_; ++s.rank)
      s[s.rank] = roll(least, std::max(least, most(s.rank)));
    return s;
  }

  Tensor convolved(Tensor x) {
    const Shape shape = x.shape();
    const Spatial kernel =
        numbers(1, [&](int axis) { return std::min<int64_t>(3, shape.spatial(axis)); });
    const Spatial pad = numbers(0, [&](int axis) { return kernel[axis] - 1; });
    Tensor y = x | conv(roll(1, 40), kernel, {.stride = roll(1, 2), .pad = Padding(pad, pad)});
    switch (roll(0, 3)) {
      case 0: return y | dsl::relu;
      case 1: return y | dsl::prelu({.per_channel = true});
      case 2: return dsl::add(y | dsl::sigmoid, y);
      default: return y;
    }
  }

  Tensor pooled(Tensor x) {
    const Shape shape = x.shape();
    const Spatial kernel =
        numbers(2, [&](int axis) { return std::min<int64_t>(5, shape.spatial(axis)); });
    const auto padding = [&] {
      return numbers(0, [&](int axis) { return std::min(kernel[axis] - 1, shape.spatial(axis)); });
    };
    Spatial begin = padding(), end = padding();
    for (int axis = 0; axis < rank_; ++axis) {
      if (kernel[axis] > shape.spatial(axis)) begin[axis] = end[axis] = 1;
    }
    const Spatial stride = numbers(1, [](int) { return int64_t{3}; });
    const bool ceil = roll(0, 1) == 0;
    if (roll(0, 1) == 0) {
      return x | dsl::max_pool(kernel, {.stride = stride, .pad = {begin, end}, .ceil = ceil});
    }
    return x | dsl::average_pool(kernel, {.stride = stride,
                                          .pad = {begin, end},
                                          .ceil = ceil,
                                          .count_padding = roll(0, 1) == 0});
  }

  std::mt19937_64 random_;
  Network net_{"random"};
  int rank_ = 2;
};

TEST(FusedKernel, AgreesWithTheReferenceForRandomPools) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_like_reference_and_itself(RandomPool(seed).graph());
  }
}

}  // namespace
}  // namespace halcyon::compiler
