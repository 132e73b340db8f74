/// Compiled Winograd convolutions. Networks of inference alone: training computes directly.

#include <gtest/gtest.h>

#include <random>

#include "compiler/driver/verify.h"
#include "dsl/layers.h"
#include "tests/support/object_cache.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;
using dsl::Network;
using dsl::Tensor;

int winograd_convs(const Program& program) {
  int count = 0;
  for (const Node& node : program.graph.nodes())
    count += std::holds_alternative<dsl::ops::WinogradConv>(node.op) ? 1 : 0;
  return count;
}

void expect_like_reference(const dsl::Graph& graph, const CompileOptions& options, int64_t batch) {
  for (const Comparison& c :
       verify_network(graph, options, {.batch = batch, .gradients = false, .kernels = true})) {
    EXPECT_TRUE(c.finite) << c.what;
    EXPECT_LE(c.relative(), c.tolerance) << c.what;
    EXPECT_TRUE(c.same_bits) << c.what;
  }
}

/// Maps of one tile and of many, that tiles fill and do not; followed by what runs in the kernel.
dsl::Graph chain(int64_t height, int64_t width) {
  Network net("chain");
  Tensor x = net.input("x", {.height = height, .width = width, .channels = 3});
  x = x | conv(32, 1) | conv(48, 3, {.pad = 1}) | dsl::relu;
  x = dsl::add(x, x | conv(48, 3, {.pad = 1})) | dsl::relu;
  x = x | conv(64, 3, {.pad = dsl::Padding(dsl::Spatial{1, 0}, dsl::Spatial{0, 2})});
  x = x | conv(32, 5, {.pad = 2}) | dsl::max_pool(2) | conv(32, 3, {.pad = 2, .groups = 2});
  net.output("y", x | conv(7, 1));
  return net.graph();
}

TEST(WinogradKernel, AgreesWithTheReferenceOnMapsOfAnySize) {
  for (const auto& [height, width] : {std::pair(8, 8), {9, 13}, {30, 7}, {3, 29}}) {
    SCOPED_TRACE(std::to_string(height) + " x " + std::to_string(width));
    expect_like_reference(chain(height, width), tests::cached_options(), 2);
  }
}

/// Pools whose windows lie in one tile: on maps of whole tiles and of others, with rows and columns
/// that no window reaches.
dsl::Graph pooled(int64_t height, int64_t width) {
  Network net("pooled");
  Tensor x = net.input("x", {.height = height, .width = width, .channels = 3});
  x = x | conv(32, 1) | conv(48, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(2);
  x = x | conv(32, 3, {.pad = 1}) | dsl::average_pool(2) | dsl::relu;
  x = x | conv(32, 3, {.pad = 1}) | dsl::max_pool({1, 2}, {.stride = {2, 2}});
  net.output("y", x | conv(7, 1));
  return net.graph();
}

TEST(WinogradKernel, PoolsWhatItsTilesHold) {
  for (const auto& [height, width] : {std::pair(16, 16), {18, 27}, {29, 14}}) {
    SCOPED_TRACE(std::to_string(height) + " x " + std::to_string(width));
    expect_like_reference(pooled(height, width), tests::cached_options(), 2);
  }
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("schedules of seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    CompileOptions options = tests::cached_options();
    options.choose = [&](const Space& space) { return random_choice(space, random); };
    expect_like_reference(pooled(21, 26), options, 3);
  }
  const Program program = compile(pooled(30, 30), tests::cached_options())->inference;
  for (const Region& region : program.regions) {
    EXPECT_FALSE(
        std::holds_alternative<dsl::ops::MaxPool>(program.graph.node(region.nodes.front()).op))
        << "a pool in a kernel of its own";
  }
}

TEST(WinogradKernel, AgreesWithTheReferenceInAnySchedule) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("schedules of seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    CompileOptions options = tests::cached_options();
    options.choose = [&](const Space& space) { return random_choice(space, random); };
    expect_like_reference(chain(15, 22), options, 3);
  }
}

TEST(WinogradKernel, IsNotUsedWhereResultsAreToBeExact) {
  CompileOptions options = tests::cached_options();
  EXPECT_GE(winograd_convs(compile(chain(30, 30), options)->inference), 4);
  options.exact = true;
  EXPECT_EQ(winograd_convs(compile(chain(30, 30), options)->inference), 0);
}

}  // namespace
}  // namespace halcyon::compiler
