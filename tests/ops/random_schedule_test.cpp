/// Kernels with schedules drawn from their spaces: whatever is legal computes the same. A failure
/// prints the seed.

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::Network;
using dsl::Tensor;

constexpr uint64_t kSeeds = 2;

/// Inference and a training step, with other schedules for each seed.
void expect_like_reference_in_any_schedule(const dsl::Graph& graph) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("schedules of seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    CompileOptions options = tests::cached_options();
    options.choose = [&random](const Space& space) { return random_choice(space, random); };
    tests::expect_like_reference(graph, {.batch = 1 + static_cast<int64_t>(seed % 3), .seed = seed},
                                 options);
  }
}

TEST(RandomSchedules, ComputeConvolutionsOfEveryKind) {
  Network net("convolutions");
  Tensor x = net.input("x", {.height = 14, .width = 13, .channels = 3});
  x = x | conv(24, 3, {.pad = 1}) | dsl::relu | conv(40, {1, 3}, {.stride = {1, 2}}) |
      conv(40, 5, {.pad = 2, .groups = 40}) | conv(32, 3, {.pad = 1, .groups = 2}) |
      conv(17, 1, {.groups = 1}) | dsl::relu | conv(34, 1, {.groups = 17});
  tests::finish_with_mean_square(net, x);
  expect_like_reference_in_any_schedule(net.graph());
}

TEST(RandomSchedules, PoolInRegistersAndInRows) {
  Network net("pools");
  Tensor x = net.input("x", {.height = 21, .width = 19, .channels = 4});
  x = x | conv(33, 3) | dsl::relu | dsl::max_pool(2) | conv(16, 3, {.pad = 1}) |
      dsl::max_pool(3, {.stride = 2, .pad = 1}) | conv(48, 1) | conv(48, 3, {.pad = 1});
  tests::finish_with_mean_square(net, x);
  expect_like_reference_in_any_schedule(net.graph());
}

TEST(RandomSchedules, ComputeLinesVolumesAndDenseLayers) {
  Network net("others");
  const Tensor line = net.input("line", Shape{5, 23}) | conv(9, 3) | conv(32, 2, {.stride = 2});
  const Tensor volume = net.input("volume", Shape{2, 5, 4, 6}) | conv(18, {2, 3, 3});
  const Tensor x = dsl::concat({line | dsl::flatten, volume | dsl::flatten});
  tests::finish_with_mean_square(net, x | dsl::dense(24) | dsl::relu | dsl::dense(32));
  expect_like_reference_in_any_schedule(net.graph());
}

}  // namespace
}  // namespace halcyon::compiler
