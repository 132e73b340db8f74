/// Formulas as values: most of it is checked by the compiler itself.

#include "dsl/formula.h"

#include <gtest/gtest.h>

#include "dsl/formula_text.h"
#include "dsl/functions.h"
#include "dsl/layers.h"

namespace halcyon::dsl {
namespace {

constexpr Scalar x0 = Scalar::input(0), x1 = Scalar::input(1);

TEST(Formula, HoldsEqualTermsOnce) {
  static_assert((x0 * x0).formula.size == 2);
  static_assert((sigmoid(x0) * (1.0f - sigmoid(x0))).formula.size == 5);
  static_assert((x0 * 0.0f + x0 * -0.0f).formula.size == 6);  // two constants, bit by bit
}

TEST(Formula, IsOneListForOneExpression) {
  constexpr Scalar shared = exp(x1);
  static_assert(((shared + x0) * shared).formula == ((exp(x1) + x0) * exp(x1)).formula);
  static_assert(!((x0 + x1).formula == (x1 + x0).formula));
}

TEST(Formula, CountsItsInputs) {
  static_assert(Scalar(3.0f).formula.input_count() == 0);
  static_assert((x1 * x1).formula.input_count() == 2);
}

TEST(Formula, PrintsOnlyTheParenthesesThatItNeeds) {
  EXPECT_EQ(to_string((x0 * sigmoid(1.5f * x0)).formula), "x0 * sigmoid(1.5 * x0)");
  EXPECT_EQ(to_string(((x0 + x1) * x0 - (x0 - x1)).formula), "(x0 + x1) * x0 - (x0 - x1)");
  EXPECT_EQ(to_string((x0 / (x1 * x0) / x1).formula), "x0 / (x1 * x0) / x1");
  EXPECT_EQ(to_string((-(x0 + 1) - -x1).formula), "-(x0 + 1) - -x1");
  EXPECT_EQ(to_string((-Scalar(2) * Scalar(-2)).formula), "-(2) * -2");
  EXPECT_EQ(to_string((-(-x0)).formula), "-(-x0)");
  EXPECT_EQ(to_string(select(x0 >= 1, min(x0, x1), pow(x0, 0.1f)).formula),
            "select(x0 >= 1, min(x0, x1), pow(x0, 0.1))");
}

TEST(Formula, NamesWhatItUsesTwice) {
  EXPECT_EQ(to_string((sigmoid(x0) * (1 - sigmoid(x0))).formula),
            "t0 = sigmoid(x0); t0 * (1 - t0)");
  // Doubled thirty times, and no longer for it.
  Scalar y = x0 + 1;
  for (int i = 0; i < 30; ++i) y = y * y;
  EXPECT_LT(to_string(y.formula).size(), 500u);
}

TEST(Functions, AreRowsOfTheTable) {
  static_assert(name_of(relu) == "relu");
  static_assert(name_of([](Scalar x) { return x; }) == "pointwise");
  for (const Function& row : kFunctions) {
    const float values[] = {0.25f,
                            0.25f};  // equal ones are one term, and are told apart all the same
    const auto use = read_as_function(row.name, row.formula(values));
    ASSERT_TRUE(use) << row.name;
    EXPECT_EQ(use->function, &row);
    for (std::size_t i = 0; i < row.parameter_count(); ++i) EXPECT_EQ(use->values[i], 0.25f);
  }
  EXPECT_FALSE(read_as_function("relu", (x0 * x0).formula));
  EXPECT_FALSE(read_as_function("no_such", (x0 * x0).formula));
}

constexpr Network functions() {
  Network net("net");
  const Tensor x = net.input("image", {.height = 5, .width = 7, .channels = 3});
  const Tensor gate = net.input("gate", {3, 1, 1});
  Tensor y = x | relu | tanh | leaky_relu(0.1f) | clip(-1, 1) | elu() | hard_sigmoid() | pow(2);
  y = y | custom("my_swish", [](auto v) { return v * sigmoid(1.5f * v); });
  y = y * gate + 2.0f;
  y = custom(
      "blend", [](auto a, auto b) { return 0.5f * a + 0.5f * b; }, y, gate);
  y = y | prelu() | prelu({.per_channel = false}) | scale_shift() | named(gelu, "mine");
  net.output("y", y);
  return net;
}

TEST(Functions, AreLayers) {
  static_assert(functions().shape("blend1") == Shape{kBatch, 3, 5, 7});
  static_assert(functions().shape("prelu1.slope") == Shape{3});
  static_assert(functions().shape("prelu2.slope") == Shape{1});
  static_assert(functions().parameters("scale_shift1") == 6);
  static_assert(functions().shape("mine") == Shape{kBatch, 3, 5, 7});
  const Network net = functions();
  EXPECT_EQ(name_of(net.graph().node(2).op), "relu");
  EXPECT_EQ(net.graph().node(2).place.line, net.graph().node(8).place.line);
  EXPECT_EQ(net.graph().node(2).name.view(), "relu1");
  EXPECT_EQ(name_of(net.graph().node(9).op), "my_swish");
}

}  // namespace
}  // namespace halcyon::dsl
