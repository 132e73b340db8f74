/// What the initialisers resolve to, and where given values go.

#include "dsl/initializer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dsl/layers.h"

namespace halcyon::dsl {
namespace {

constexpr Shape kConvWeight = {16, 8, 5, 5};
constexpr Shape kDenseWeight = {120, 400};

TEST(Sqrt, IsThatOfTheStandardLibrary) {
  for (double x : {0.0, 1e-12, 0.003, 0.25, 0.5, 1.0, 2.0, 3.0, 600.0, 1e9, 1e18}) {
    EXPECT_DOUBLE_EQ(constexpr_sqrt(x), std::sqrt(x)) << x;
  }
  static_assert(constexpr_sqrt(16) == 4);
}

TEST(Initializer, HeIsNormalByFanIn) {
  const Distribution conv = resolve(he(), kConvWeight);
  EXPECT_EQ(conv.kind, ops::InitKind::normal);
  EXPECT_FLOAT_EQ(conv.scale, std::sqrt(2.0f / 200));
  EXPECT_FLOAT_EQ(resolve(he(), kDenseWeight).scale, std::sqrt(2.0f / 400));
}

TEST(Initializer, XavierIsUniformByBothFans) {
  const Distribution conv = resolve(xavier(), kConvWeight);
  EXPECT_EQ(conv.kind, ops::InitKind::uniform);
  EXPECT_FLOAT_EQ(conv.scale, std::sqrt(6.0f / (200 + 400)));
  EXPECT_FLOAT_EQ(resolve(xavier(), kDenseWeight).scale, std::sqrt(6.0f / 520));
}

TEST(Initializer, FanInIsThatOfPyTorch) {
  const Distribution conv = resolve(fan_in(), kConvWeight);
  EXPECT_EQ(conv.kind, ops::InitKind::uniform);
  EXPECT_FLOAT_EQ(conv.scale, 1 / std::sqrt(200.0f));
}

TEST(Initializer, ConstantIsOneValue) {
  static_assert(resolve(constant(0.5f), kConvWeight).kind == ops::InitKind::constant);
  static_assert(resolve(constant(0.5f), kConvWeight).scale == 0.5f);
}

TEST(Initializer, GivenValuesAreKeptInTheGraph) {
  Network net("net");
  net.input("features", {2}) |
      dense(3, {.init = values({1, 2, 3, 4, 5, 6}), .bias_init = values({7, 8, 9})});
  const Graph& graph = net.graph();
  ASSERT_EQ(graph.constants.size(), 2u);
  EXPECT_EQ(graph.constants[0], (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(graph.constants[1], (std::vector<float>{7, 8, 9}));
  const auto& weight = std::get<ops::Parameter>(graph.node(1).op);
  const auto& bias = std::get<ops::Parameter>(graph.node(2).op);
  EXPECT_EQ(weight.init, ops::InitKind::values);
  EXPECT_EQ(weight.values, 0);
  EXPECT_EQ(bias.values, 1);
}

TEST(Parameters, HaveIdsOfTheirOwn) {
  Network net("net");
  net.input("features", {2}) | dense(2) | dense(2);
  int64_t expected = 0;
  for (const Node& n : net.graph().nodes()) {
    const auto* parameter = std::get_if<ops::Parameter>(&n.op);
    if (parameter == nullptr) continue;
    EXPECT_EQ(parameter->id, expected++);
  }
  EXPECT_EQ(expected, 4);
}

}  // namespace
}  // namespace halcyon::dsl
