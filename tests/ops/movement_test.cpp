/// The meaning of the operators that move values against numbers worked out by hand, and their
/// gradients.

#include <gtest/gtest.h>

#include <numeric>

#include "compiler/ops/rules.h"
#include "compiler/reference/interpreter.h"

namespace halcyon::compiler {
namespace {

using Numbers = std::vector<double>;

Numbers count_to(int last) {
  Numbers numbers(static_cast<std::size_t>(last));
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

HostTensor run(const Op& op, const HostTensor& x) {
  return reference(op, HostTensors{x}, x.shape[0])[0];
}

// Moving is linear: with A for the operator, its gradient is right if it computes A transposed,
// which is to say if (A x) . dy = x . (A^T dy) for any x and dy.
void expect_gradient_transposes(const Op& op, const Shape& x) {
  Graph graph;
  const Value in{graph.add(ops::Input{.shape = x}, {}, "x", {}), 0};
  const Value y{graph.add(op, {in}, "y", {}), 0};
  const Value dy{graph.add(ops::Input{.shape = graph.shape(y)}, {}, "dy", {}), 0};
  GradientContext context(graph, y.node, {true}, {dy}, 0);
  gradient(Op(op), context);
  ASSERT_EQ(context.gradients().size(), 1U);
  const Value dx = context.gradients()[0].second;
  ASSERT_EQ(graph.shape(dx), x);

  const std::map<Value, HostTensor> values = evaluate(
      graph, {{"x", random_tensor(x, 2, 1)}, {"dy", random_tensor(graph.shape(y), 2, 2)}}, 2);
  const auto dot = [&](Value a, Value b) {
    const Numbers& first = values.at(a).values;
    return std::inner_product(first.begin(), first.end(), values.at(b).values.begin(), 0.0);
  };
  EXPECT_NEAR(dot(y, dy), dot(in, dx), 1e-12 * static_cast<double>(values.at(dy).values.size()));
}

TEST(Pad, PutsAConstantAroundBetweenAndAmongChannels) {
  const ops::Pad op{.begin = {0, 1}, .end = {1, 2}, .value = 9};
  const HostTensor y = run(op, {{2, 1, 2}, {1, 2, 3, 4}});
  EXPECT_EQ(y.shape, (Shape{2, 2, 5}));
  EXPECT_EQ(y.values, (Numbers{9, 1, 2, 9, 9, 9, 9, 9, 9, 9, 9, 3, 4, 9, 9, 9, 9, 9, 9, 9}));

  const ops::Pad spread{.end = {0, 1, 2}, .between = {0, 0, 1}};
  EXPECT_EQ(run(spread, {{1, 1, 2, 2}, count_to(4)}).values,
            (Numbers{1, 0, 2, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Pad, ReflectsWithoutTheBorderAndRepeatsIt) {
  ops::Pad op{.begin = {0, 2}, .end = {0, 1}, .mode = ops::PadMode::reflect};
  EXPECT_EQ(run(op, {{1, 1, 3}, {1, 2, 3}}).values, (Numbers{3, 2, 1, 2, 3, 2}));
  op.mode = ops::PadMode::edge;
  EXPECT_EQ(run(op, {{1, 1, 3}, {1, 2, 3}}).values, (Numbers{1, 1, 1, 2, 3, 3}));
  const ops::PadGrad grad{.input = {kBatch, 1, 3}, .pad = op};
  EXPECT_EQ(run(grad, {{1, 1, 6}, count_to(6)}).values, (Numbers{6, 4, 11}));
}

TEST(Slice, TakesEveryStepOfEachAxisInBothDirections) {
  const ops::Slice op{.begin = {1, 0, 3}, .end = {3, 2, -1}, .step = {1, 1, -2}};
  const HostTensor y = run(op, {{1, 3, 2, 4}, count_to(24)});
  EXPECT_EQ(y.shape, (Shape{1, 2, 2, 2}));
  EXPECT_EQ(y.values, (Numbers{12, 10, 16, 14, 20, 18, 24, 22}));
}

TEST(Concat, JoinsAnyAxis) {
  const HostTensor a{{2, 1, 2, 1}, count_to(4)};
  const HostTensor b{{2, 1, 2, 2}, {10, 20, 30, 40, 50, 60, 70, 80}};
  const HostTensor y = reference(ops::Concat{.axis = 3}, HostTensors{a, b}, 2)[0];
  EXPECT_EQ(y.shape, (Shape{2, 1, 2, 3}));
  EXPECT_EQ(y.values, (Numbers{1, 10, 20, 2, 30, 40, 3, 50, 60, 4, 70, 80}));
}

TEST(Reshape, KeepsTheRowMajorOrderOfEachSample) {
  const HostTensor y = run(ops::Reshape{.shape = {kBatch, 3, 2}}, {{2, 2, 1, 3}, count_to(12)});
  EXPECT_EQ(y.shape, (Shape{2, 3, 2}));
  EXPECT_EQ(y.values, count_to(12));
}

TEST(Transpose, ExchangesAxesOfEachSample) {
  const HostTensor y =
      run(ops::Transpose{.permutation = {3, 1, 2}}, {{1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}});
  EXPECT_EQ(y.shape, (Shape{1, 3, 2, 1}));
  EXPECT_EQ(y.values, (Numbers{1, 4, 2, 5, 3, 6}));
}

TEST(ChannelShuffle, TakesOneChannelOfEachGroupInTurn) {
  EXPECT_EQ(run(ops::ChannelShuffle{.groups = 2}, {{1, 6, 1}, count_to(6)}).values,
            (Numbers{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(run(ops::ChannelShuffle{.groups = 3}, {{1, 6}, count_to(6)}).values,
            (Numbers{1, 3, 5, 2, 4, 6}));
}

// The example of ONNX's operator page, cut to one row.
TEST(DepthToSpace, PlacesBlocksInEitherOrder) {
  const HostTensor x{{1, 8, 1, 2}, {0, 1, 9, 10, 18, 19, 27, 28, 36, 37, 45, 46, 54, 55, 63, 64}};
  const ops::DepthToSpace deep{.block = 2};
  EXPECT_EQ(run(deep, x).shape, (Shape{1, 2, 2, 4}));
  EXPECT_EQ(run(deep, x).values,
            (Numbers{0, 18, 1, 19, 36, 54, 37, 55, 9, 27, 10, 28, 45, 63, 46, 64}));
  const ops::DepthToSpace columns{.block = 2, .order = ops::DepthOrder::crd};
  EXPECT_EQ(run(columns, x).values,
            (Numbers{0, 9, 1, 10, 18, 27, 19, 28, 36, 45, 37, 46, 54, 63, 55, 64}));
}

TEST(SpaceToDepth, LeadsBackFromDepthToSpace) {
  for (ops::DepthOrder order : {ops::DepthOrder::dcr, ops::DepthOrder::crd}) {
    for (const Shape& shape : {Shape{2, 6, 5}, Shape{2, 12, 3, 2}, Shape{1, 16, 2, 1, 3}}) {
      const HostTensor x = random_tensor(shape, shape[0], 1);
      const HostTensor y = run(ops::DepthToSpace{.block = 2, .order = order}, x);
      EXPECT_EQ(run(ops::SpaceToDepth{.block = 2, .order = order}, y).values, x.values);
    }
  }
}

TEST(Movement, GradientsAreTheTransposedMovements) {
  const Shape picture = {kBatch, 4, 5, 7};
  const Shape flat = {kBatch, 12};
  const std::vector<std::pair<Op, Shape>> cases = {
      {ops::Pad{.begin = {1, 0, 2}, .end = {0, 3, 1}, .between = {1, 2, 0}}, picture},
      {ops::Pad{.begin = {1, 4, 2}, .end = {3, 1, 6}, .mode = ops::PadMode::reflect}, picture},
      {ops::Pad{.begin = {1, 4, 2}, .end = {2, 0, 8}, .mode = ops::PadMode::edge}, picture},
      {ops::Pad{.begin = {3}, .end = {2}, .mode = ops::PadMode::edge}, flat},
      {ops::Slice{.begin = {1, 4, 6}, .end = {3, -1, 1}, .step = {1, -3, -2}}, picture},
      {ops::Slice{.begin = {0, 1, 0}, .end = {4, 5, 7}, .step = {3, 2, 1}}, picture},
      {ops::Slice{.begin = {2}, .end = {11}, .step = {4}}, flat},
      {ops::Reshape{.shape = {kBatch, 10, 2, 7}}, picture},
      {ops::Reshape{.shape = {kBatch, 3, 4}}, flat},
      {ops::Flatten{}, picture},
      {ops::Unflatten{.shape = {kBatch, 3, 2, 2}}, flat},
      {ops::Transpose{.permutation = {3, 1, 2}}, picture},
      {ops::ChannelShuffle{.groups = 3}, flat},
      {ops::ChannelShuffle{.groups = 2}, {kBatch, 6, 3, 1, 2}},
      {ops::DepthToSpace{.block = 2}, picture},
      {ops::DepthToSpace{.block = 2, .order = ops::DepthOrder::crd}, {kBatch, 16, 3, 1, 2}},
      {ops::SpaceToDepth{.block = 3}, {kBatch, 2, 6, 3}},
      {ops::SpaceToDepth{.block = 3, .order = ops::DepthOrder::crd}, {kBatch, 2, 6}},
      {ops::Resize{.size = {7, 3}}, picture},
      {ops::Resize{.size = {3, 10}, .interpolation = ops::Interpolation::linear}, picture},
      {ops::Resize{.scale = {0.6f, 2.3f},
                   .interpolation = ops::Interpolation::linear,
                   .coordinates = ops::Coordinates::align_corners},
       picture},
  };
  for (const auto& [op, shape] : cases) {
    SCOPED_TRACE(std::string(dsl::name_of(op)) + " of " + to_string(shape));
    expect_gradient_transposes(op, shape);
  }
}

}  // namespace
}  // namespace halcyon::compiler
