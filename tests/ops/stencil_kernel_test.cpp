/// Compiled stencils and their gradients against the reference.

#include <gtest/gtest.h>

#include "compiler/passes/pipeline.h"
#include "dsl/layers.h"
#include "runtime/random.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::Border;
using dsl::Network;
using dsl::Scalar;
using dsl::Tensor;
using dsl::Window;
using tests::expect_like_reference;
using tests::finish_with_mean_square;

/// A formula of three neighbours at random offsets inside `map`.
class RandomStencil {
 public:
  RandomStencil(runtime::Random& random, const Shape& map, bool sum)
      : rank_(map.spatial_rank()), sum_(sum) {
    for (auto& offset : offsets_) {
      for (int axis = 0; axis < rank_; ++axis) {
        const auto most = std::min<int64_t>(map.spatial(axis) - 1, 3);
        const auto draw = static_cast<int64_t>(random.below(static_cast<uint64_t>(2 * most + 1)));
        offset[static_cast<std::size_t>(axis)] = static_cast<int>(draw - most);
      }
    }
  }

  Scalar operator()(Window x) const {
    const auto at = [&](const std::array<int, 3>& o) {
      if (rank_ == 1) return x(o[0]);
      return rank_ == 2 ? x(o[0], o[1]) : x(o[0], o[1], o[2]);
    };
    const Scalar a = at(offsets_[0]), b = at(offsets_[1]), c = at(offsets_[2]);
    // The second is not zero where its neighbours are, as values beyond the last channel must be.
    return sum_ ? a - 2.0f * b + 0.5f * c : exp(0.5f * a) * b + sigmoid(c);
  }

 private:
  std::array<std::array<int, 3>, 3> offsets_ = {};
  int rank_;
  bool sum_;
};

/// On the host's picture, behind a layer that is trained, with functions and a pool behind it, and
/// as the network's output.
void expect_stencil_like_reference(uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::Random random(seed);
  const auto roll = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random.below(static_cast<uint64_t>(most - least + 1)));
  };
  Shape sample = {roll(1, 19)};
  const int rank = 1 + static_cast<int>(seed % 3);
  for (int axis = 0; axis < rank; ++axis) sample.push_back(roll(1, 7));
  const Border border = seed % 2 == 0 ? Border::zero : Border::edge;
  const bool sum = seed % 4 < 2;

  Network net("stencils");
  const Tensor x = net.input("x", sample);
  const RandomStencil first(random, x.shape(), sum), second(random, x.shape(), !sum);
  const Tensor direct = x | dsl::custom("first", first, {.border = border});
  net.output("direct", direct);
  const Tensor trained = x | dsl::conv(sample[0], 1) | dsl::tanh;
  const Tensor y = trained | dsl::custom("second", second, {.border = border}) | dsl::tanh |
                   dsl::custom("first", first, {.border = border});
  net.output("trained", y);
  finish_with_mean_square(net, dsl::concat({direct, y, y * direct + trained}) | dsl::conv(3, 1));
  expect_like_reference(net.graph(), {.batch = 2, .seed = seed});
}

TEST(StencilKernel, ComputesRandomStencilsOfOddShapes) {
  for (uint64_t seed = 1; seed <= 12; ++seed) expect_stencil_like_reference(seed);
}

Scalar laplace(Window x) { return x(0, -1) + x(0, 1) + x(-1, 0) + x(1, 0) - 4.0f * x(0, 0); }

TEST(StencilKernel, ReadsTheHostsPictureInBothOrders) {
  for (const dsl::Order order : {dsl::Order::hwc, dsl::Order::chw}) {
    Network net("pictures");
    const Tensor x = net.input("x", {.height = 5, .width = 9, .channels = 3, .order = order});
    net.output("zero", x | dsl::custom("laplace", laplace));
    net.output("edge", x | dsl::custom("laplace", laplace, {.border = Border::edge}));
    expect_like_reference(net.graph(), {.batch = 3});
  }
}

TEST(StencilKernel, TakesFunctionsAndPoolsBehindItIntoItsLoops) {
  Network net("fused");
  const Tensor x = net.input("x", {.height = 7, .width = 6, .channels = 18});
  const Tensor map = x | dsl::conv(18, 3);
  net.output("y", (map | dsl::custom("laplace", laplace) | dsl::relu) * 0.5f | dsl::max_pool(2) |
                      dsl::conv(2, 1));
  expect_like_reference(net.graph(), {.batch = 2});

  Program program;
  program.graph = net.graph();
  PassContext context;
  context.target = parse_target("host");
  run_passes(program, context, inference_passes());
  ASSERT_EQ(program.regions.size(), 4U);  // conv; stencil to pool; conv; copy
  std::string names;
  for (int32_t id : program.regions[1].nodes) {
    names += std::string(dsl::name_of(program.graph.node(id).op)) + " ";
  }
  EXPECT_EQ(names, "laplace relu mul max_pool ");
}

}  // namespace
}  // namespace halcyon::compiler
