/// Compiled reductions and normalisations, and their gradients, held against the reference.

#include <gtest/gtest.h>

#include <functional>

#include "dsl/norm_layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using tests::expect_like_reference;
using Layer = std::function<Tensor(Tensor)>;
namespace ops = dsl::ops;
using Kind = ops::ReduceKind;

/// `layer` behind a trainable one, so that its gradient is needed; batches of 1 and of 3. Without a
/// bias, whose gradient behind a normalisation is nothing but rounding.
void expect_layer(const Shape& x, int64_t channels, const Layer& layer) {
  SCOPED_TRACE(to_string(x) + ", channels " + std::to_string(channels));
  Network net("layer");
  const Tensor y = layer(net.input("x", x) | dsl::conv(channels, 1, {.bias = false}));
  tests::finish_with_mean_square(net, y);
  for (int64_t batch : {1, 3}) expect_like_reference(net.graph(), {.batch = batch});
}

/// Channels that fill vectors, that do not, and that are few; maps of one, two and three axes, one
/// of a single position.
void expect_layer(const Layer& layer) {
  expect_layer({2, 5, 7}, 40, layer);
  expect_layer({3, 1, 1}, 16, layer);
  expect_layer({2, 6}, 3, layer);
  expect_layer({1, 3, 2, 5}, 17, layer);
  expect_layer({2, 4, 3}, 1, layer);
}

/// `layer` alone between the host's values, which may have either order.
void expect_between_host_values(const Layer& layer) {
  for (dsl::Order order : {dsl::Order::hwc, dsl::Order::chw}) {
    for (int64_t channels : {3, 24}) {
      SCOPED_TRACE(channels);
      Network net("alone");
      Tensor x = net.input("x", {.height = 5, .width = 6, .channels = channels, .order = order});
      net.output("y", layer(x));
      expect_like_reference(net.graph());
    }
  }
}

TEST(ReduceKernel, FoldsMaps) {
  for (Kind kind : {Kind::sum, Kind::mean, Kind::max, Kind::min}) {
    SCOPED_TRACE(static_cast<int>(kind));
    expect_layer([=](Tensor x) { return x | dsl::reduce(kind, {2}); });
    expect_layer({2, 5, 7}, 20, [=](Tensor x) {
      return x | dsl::reduce(kind, {2, 3}, {.keep_dims = false});
    });
    expect_layer({2, 5, 7}, 20,
                 [=](Tensor x) { return x | dsl::reduce(kind, {3}, {.keep_dims = false}); });
  }
}

TEST(ReduceKernel, FoldsChannels) {
  for (Kind kind : {Kind::sum, Kind::mean, Kind::max, Kind::min}) {
    SCOPED_TRACE(static_cast<int>(kind));
    expect_layer([=](Tensor x) { return x | dsl::reduce(kind, {1}); });
    expect_layer({2, 20, 3}, 40,
                 [=](Tensor x) { return x | dsl::reduce(kind, {1}, {.keep_dims = false}); });
    expect_layer({2, 5, 3}, 17, [=](Tensor x) {
      return x | dsl::reduce(kind, {1, 3}, {.keep_dims = false});
    });
    expect_layer({2, 5, 3}, 17, [=](Tensor x) { return x | dsl::reduce(kind, {1, 2, 3}); });
  }
}

TEST(ReduceKernel, FeedsDenseLayers) {
  for (bool keep : {true, false}) {
    expect_layer({2, 5, 7}, 20, [=](Tensor x) {
      x = x | dsl::relu | dsl::global_average_pool({.keep_dims = keep});
      return (keep ? x | dsl::flatten : x) | dsl::dense(3);
    });
    expect_layer({2, 5, 7}, 3, [=](Tensor x) {
      x = x | dsl::global_max_pool({.keep_dims = keep});
      return (keep ? x | dsl::flatten : x) | dsl::dense(3);
    });
  }
}

TEST(ReduceKernel, StandsBetweenHostValues) {
  expect_between_host_values(dsl::global_average_pool());
  expect_between_host_values(dsl::global_max_pool({.keep_dims = false}));
  expect_between_host_values(dsl::reduce(Kind::max, {1}));
}

TEST(BatchNormKernel, MatchesInInferenceAndInTraining) {
  expect_layer([](Tensor x) { return x | dsl::batch_norm({.epsilon = 0.1f}); });
  expect_layer([](Tensor x) { return x | dsl::batch_norm({.epsilon = 0.1f}) | dsl::relu; });
  expect_layer({2, 5}, 20, [](Tensor x) {
    return x | dsl::flatten | dsl::dense(19, {.bias = false}) | dsl::batch_norm({.epsilon = 0.1f}) |
           dsl::relu | dsl::dense(3);
  });
}

TEST(BatchNormKernel, MatchesWithFrozenStatistics) {
  Network net("frozen");
  Tensor x = net.input("x", {.height = 5, .width = 6, .channels = 2}) | dsl::conv(19, 1);
  tests::finish_with_mean_square(net, x | dsl::batch_norm({.epsilon = 0.1f, .name = "bn"}));
  for (const char* pattern : {"bn.running_*", "bn.*"}) {
    CompileOptions options = tests::cached_options();
    options.freeze = {pattern};
    for (const Comparison& c : verify_network(net.graph(), options, {})) {
      EXPECT_LE(c.relative(), tests::kKernelTolerance) << pattern << ", " << c.what;
    }
  }
}

TEST(BatchNormKernel, StandsBetweenHostValues) { expect_between_host_values(dsl::batch_norm()); }

TEST(BatchNormKernel, IsPooledInTheSameLoops) {
  Network net("pooled");
  Tensor x = net.input("x", {.height = 9, .width = 8, .channels = 3});
  x = x | dsl::conv(20, 2, {.bias = false});
  x = x | dsl::batch_norm({.epsilon = 0.1f}) | dsl::relu | dsl::max_pool(2) | dsl::conv(3, 1);
  tests::finish_with_mean_square(net, x);
  expect_like_reference(net.graph());
}

TEST(NormalizeKernel, MatchesForEveryKindOfGroup) {
  // Beside x itself: a group of one value has no gradient but zero.
  expect_layer(
      [](Tensor x) { return dsl::add(x, x | dsl::instance_norm({.epsilon = 0.1f}) | dsl::relu); });
  expect_layer([](Tensor x) { return x | dsl::layer_norm({.epsilon = 0.1f}); });
  expect_layer({2, 5, 4}, 40, [](Tensor x) { return x | dsl::group_norm(8, {.epsilon = 0.1f}); });
  expect_layer({2, 5, 4}, 17, [](Tensor x) { return x | dsl::group_norm(17, {.epsilon = 0.1f}); });
  expect_layer({2, 3, 4}, 12, [](Tensor x) {
    return x | dsl::flatten | dsl::dense(24, {.bias = false}) |
           dsl::group_norm(3, {.epsilon = 0.1f});
  });
}

TEST(NormalizeKernel, StandsBetweenHostValues) {
  expect_between_host_values(dsl::instance_norm({.epsilon = 0.1f}));
  expect_between_host_values(dsl::group_norm(3, {.epsilon = 0.1f}));
}

TEST(L2NormalizeKernel, Matches) {
  expect_layer([](Tensor x) { return dsl::add(x, x | dsl::l2_normalize({.epsilon = 0.1f})); });
  expect_between_host_values(dsl::l2_normalize());
}

TEST(LocalResponseNormKernel, MatchesAcrossChannels) {
  for (int64_t size : {1, 4, 5, 19}) {
    SCOPED_TRACE(size);
    expect_layer([=](Tensor x) { return x | dsl::local_response_norm(size, {.alpha = 0.5f}); });
  }
  for (float beta : {0.3f, 0.5f, 1.0f}) {
    expect_layer({2, 3, 4}, 20, [=](Tensor x) {
      return x | dsl::local_response_norm(3, {.alpha = 0.5f, .beta = beta, .bias = 2});
    });
  }
  expect_between_host_values(dsl::local_response_norm(5, {.alpha = 0.5f}));
}

TEST(LocalResponseNormKernel, MatchesAcrossPositions) {
  for (int64_t size : {1, 3, 7}) {
    SCOPED_TRACE(size);
    expect_layer([=](Tensor x) {
      return x |
             dsl::local_response_norm(size, {.alpha = 0.5f, .across = ops::Neighbours::positions});
    });
  }
  expect_between_host_values(
      dsl::local_response_norm(3, {.alpha = 0.5f, .across = ops::Neighbours::positions}));
}

TEST(SoftmaxKernel, FoldsTheChannelsOfEachPosition) {
  expect_layer([](Tensor x) { return x | dsl::softmax; });
  expect_layer([](Tensor x) { return x | dsl::log_softmax(); });
  expect_layer({2, 5}, 7, [](Tensor x) { return x | dsl::flatten | dsl::log_softmax(); });
  expect_between_host_values([](Tensor x) { return x | dsl::softmax; });
  expect_between_host_values(dsl::log_softmax());
}

TEST(MatMulKernel, MatchesForAllTransposes) {
  for (int transposed = 0; transposed < 4; ++transposed) {
    SCOPED_TRACE(transposed);
    const bool of_a = (transposed & 1) != 0, of_b = (transposed & 2) != 0;
    Network net("product");
    Tensor x = net.input("x", Shape{2, 20});
    Tensor a = x | dsl::conv(of_a ? 20 : 17, 1);
    a = of_a ? a | dsl::conv(20, 3) : a;
    Tensor b = x | dsl::conv(of_b ? 5 : 20, 1);
    tests::finish_with_mean_square(net,
                                   dsl::matmul(a, b, {.transpose_a = of_a, .transpose_b = of_b}));
    for (int64_t batch : {1, 3}) expect_like_reference(net.graph(), {.batch = batch});
  }
}

TEST(DropoutKernel, DrawsTheMaskOfTheReference) {
  expect_layer([](Tensor x) { return x | dsl::dropout(0.3f) | dsl::relu | dsl::dropout(0.5f); });
  expect_layer({2, 5}, 20, [](Tensor x) {
    return x | dsl::flatten | dsl::dense(19) | dsl::relu | dsl::dropout(0.4f) | dsl::dense(3);
  });
}

}  // namespace
}  // namespace halcyon::compiler
