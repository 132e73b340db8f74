/// Which shapes pointwise operators repeat, and which they refuse.

#include "dsl/ops/pointwise.h"

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::dsl {
namespace {

constexpr Shape kMap = {kBatch, 8, 14, 10};

constexpr Shape with(const Shape& other) { return rules::repeated_shape({kMap, other}); }

TEST(Repeating, AlignsFromTheLastAxisAndVectorsWithTheChannels) {
  static_assert(with({8}) == kMap);
  static_assert(with({1}) == kMap);
  static_assert(with({8, 1, 1}) == kMap);
  static_assert(with({1, 14, 1}) == kMap);
  static_assert(with({14, 10}) == kMap);
  static_assert(with({kBatch, 8, 1, 1}) == kMap);
  static_assert(with({kBatch, 1, 14, 10}) == kMap);
  static_assert(rules::repeated_shape({{8}, {kBatch, 1, 3}, {kBatch, 8, 1}}) ==
                Shape{kBatch, 8, 3});
  static_assert(rules::repeated_shape({{kBatch, 5}, {5}}) == Shape{kBatch, 5});
  static_assert(rules::repeated_shape({{3, 4}, {3, 4}}) == Shape{3, 4});
  static_assert(rules::aligned({8}, 4) == Shape{1, 8, 1, 1});
  static_assert(rules::aligned({14, 10}, 4) == Shape{1, 1, 14, 10});
}

std::string mistake(const Op& op, const Shapes& in) {
  try {
    std::visit([&](const auto& o) { o.infer(in); }, op);
  } catch (const ShapeMistake& found) {
    return found.what;
  }
  return "none";
}

TEST(Pointwise, RefusesShapesThatDoNotFit) {
  const Op sum = pointwise("add");
  EXPECT_EQ(mistake(sum, {kMap, kMap}), "none");
  EXPECT_EQ(mistake(sum, {kMap, {10}}), "[10] cannot be repeated to fit [N,8,14,10]");
  EXPECT_EQ(mistake(sum, {kMap, {2, 10}}), "[2,10] cannot be repeated to fit [N,8,14,10]");
  EXPECT_EQ(mistake(sum, {kMap, {kBatch, 8}}),
            "values with a batch need the same rank, found [N,8] beside one of rank 4");
  EXPECT_EQ(mistake(sum, {kMap, {1, 8, 1, 1}}),
            "parameter [1,8,1,1] has as many axes as [N,8,14,10] and no batch");
  EXPECT_EQ(mistake(sum, {{3, 4}, {4}}), "shapes must be equal, found [3,4] and [4]");
  EXPECT_EQ(mistake(sum, {kMap}), "1 inputs given, 2 expected");
  EXPECT_EQ(mistake(pointwise(relu), {kMap, kMap}), "2 inputs given, 1 expected");
  EXPECT_EQ(mistake(ops::Pointwise{}, {kMap}), "the formula is missing");
  EXPECT_EQ(mistake(ops::Pointwise{"a\"b", kRelu}, {kMap}).substr(0, 17), "the name is empty");
}

TEST(SumTo, UndoesRepeatingAndNothingElse) {
  const auto sum_to = [](const Shape& shape) { return Op(ops::SumTo{.shape = shape}); };
  for (const Shape& shape : {Shape{8}, Shape{1}, Shape{14, 1}, Shape{kBatch, 8, 1, 1}, kMap}) {
    EXPECT_EQ(mistake(sum_to(shape), {kMap}), "none") << to_string(shape);
  }
  EXPECT_EQ(mistake(sum_to({4}), {kMap}), "[4] cannot be repeated to fit [N,8,14,10]");
  EXPECT_EQ(mistake(sum_to({}), {kMap}), "x has rank 0, expected 1 to 5");
  EXPECT_EQ(mistake(sum_to({kBatch, 8, 14, 10}), {{kBatch, 8, 1, 10}}),
            "[N,8,14,10] cannot be repeated to fit [N,8,1,10]");
}

TEST(Custom, RefusesAFormulaThatIsTooLong) {
  Network net("net");
  const Tensor x = net.input("features", {6});
  tests::expect_error<UserError>(
      [&] {
        x | custom("long", [](Scalar v) {
          Scalar y = v;
          for (int i = 1; i < 100; ++i) y = y + static_cast<float>(i);
          return y;
        });
      },
      "long 'long'", "the formula has more than 96 terms", "hint: split the function into several");
}

}  // namespace
}  // namespace halcyon::dsl
