/// What formulas mean, and their derivatives: as text, and against central differences.

#include "compiler/ops/formula.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compiler/ops/rules.h"
#include "dsl/formula_text.h"
#include "dsl/functions.h"

namespace halcyon::compiler {
namespace {

using dsl::Formula;
using dsl::Scalar;

const Scalar x0 = Scalar::input(0), x1 = Scalar::input(1);

double value(const Scalar& f, double a, double b = 0) {
  return evaluate(f.formula, std::vector<double>{a, b});
}

TEST(Formula, MeansWhatItsNameSays) {
  // By hand, or from tables.
  EXPECT_EQ(value(relu(x0), -2), 0);
  EXPECT_EQ(value(relu6(x0), 7), 6);
  EXPECT_EQ(value(clip(x0, -1, 2), -3), -1);
  EXPECT_EQ(value(leaky_relu(x0, 0.5f), -3), -1.5);
  EXPECT_EQ(value(prelu(x0, x1), -3, 2), -6);
  EXPECT_EQ(value(prelu(x0, x1), 3, 2), 3);
  EXPECT_NEAR(value(elu(x0, 2), -1), 2 * (0.36787944117144233 - 1), 1e-12);
  EXPECT_NEAR(value(selu(x0), 1), 1.0507009873554805, 1e-7);
  EXPECT_NEAR(value(selu(x0), -1), -1.1113307378125625, 1e-6);
  EXPECT_NEAR(value(hard_sigmoid(x0, 0.25f, 0.5f), 1), 0.75, 1e-12);
  EXPECT_NEAR(value(hard_swish(x0), 1), 2.0 / 3, 1e-7);
  EXPECT_NEAR(value(sigmoid(x0), 2), 0.88079707797788243, 1e-12);
  EXPECT_NEAR(value(softplus(x0), 1), 1.3132616875182228, 1e-12);
  EXPECT_EQ(value(softplus(x0), 1000), 1000);
  EXPECT_NEAR(value(silu(x0), 1), 0.7310585786300049, 1e-12);
  EXPECT_NEAR(value(mish(x0), 1), 0.8650983882673103, 1e-12);
  EXPECT_NEAR(value(gelu(x0), 1), 0.8413447460685429, 1e-7);
  EXPECT_NEAR(value(gelu_tanh(x0), 1), 0.8411919906082768, 1e-7);
  EXPECT_EQ(value(floor(x0), -1.5), -2);
  EXPECT_EQ(value(pow(x0, x1), 3, 4), 81);
  EXPECT_EQ(value(min(x0, x1) - max(x0, x1), 3, 4), -1);
  EXPECT_EQ(value(select(x0 <= x1, 10, 20), 4, 4), 10);
}

/// "select(x0 > 0, dy, 0)": the gradient's formula with its sources named.
std::string text_of(const FormulaGradient& gradient) {
  std::string text = to_string(gradient.formula);
  for (std::size_t i = gradient.sources.size(); i-- > 0;) {
    const auto& source = gradient.sources[i];
    const std::string name = source.from == FormulaGradient::From::dy ? "dy"
                             : source.from == FormulaGradient::From::y
                                 ? "y"
                                 : "in" + std::to_string(source.input);
    const std::string old = "x" + std::to_string(i);
    for (std::size_t at = text.find(old); at != text.npos; at = text.find(old, at + name.size())) {
      // "max" ends in x.
      if (at > 0 && std::isalpha(text[at - 1])) {
        ++at;
        continue;
      }
      text.replace(at, old.size(), name);
    }
  }
  return text;
}

std::string derivative(const Scalar& f, int input = 0) {
  return text_of(gradient_of(f.formula, input));
}

TEST(FormulaGradient, IsSimplified) {
  EXPECT_EQ(derivative(x0 + x1), "dy");
  EXPECT_EQ(derivative(x0 - x1, 1), "-dy");
  EXPECT_EQ(derivative(x0 * x1), "dy * in1");
  EXPECT_EQ(derivative(x0 * x0), "t0 = dy * in0; t0 + t0");
  EXPECT_EQ(derivative(2.0f * x0 + 1.0f), "dy * 2");
  EXPECT_EQ(derivative(pow(x0, 2)), "dy * (2 * in0)");
  EXPECT_EQ(derivative(max(x0, 0)), "select(in0 > 0, dy, 0)");
  EXPECT_EQ(derivative(select(x0 > 0.0f, x0, x1 * x0)), "select(in0 > 0, dy, dy * in1)");
  EXPECT_EQ(derivative(floor(x0)), "0");
  EXPECT_EQ(derivative(x0, 1), "0");
}

TEST(FormulaGradient, ReadsTheResultWhereThatSavesAnInput) {
  EXPECT_EQ(derivative(sigmoid(x0)), "dy * (y * (1 - y))");
  EXPECT_EQ(derivative(tanh(x0)), "dy * (1 - y * y)");
  EXPECT_EQ(derivative(exp(x0)), "dy * y");
  EXPECT_EQ(derivative(sqrt(x0)), "dy * 0.5 / y");
  for (const auto& source : gradient_of(silu(x0).formula, 0).sources) {
    EXPECT_NE(source.from, FormulaGradient::From::y);
  }
}

TEST(FormulaGradient, StaysFiniteWhereTheOtherBranchIsNot) {
  const FormulaGradient gradient = gradient_of(select(x0 > 0, x0, exp(x0)).formula, 0);
  std::vector<double> in;
  for (const auto& source : gradient.sources) {
    in.push_back(source.from == FormulaGradient::From::dy ? 3 : 1000);
  }
  EXPECT_EQ(evaluate(gradient.formula, in), 3);
}

/// The gradient at one place, from whatever it reads.
double gradient_at(const FormulaGradient& gradient, const Formula& f, std::vector<double> in,
                   double dy) {
  std::vector<double> values;
  for (const auto& source : gradient.sources) {
    switch (source.from) {
      case FormulaGradient::From::dy: values.push_back(dy); break;
      case FormulaGradient::From::y: values.push_back(evaluate(f, in)); break;
      case FormulaGradient::From::x:
        values.push_back(in[static_cast<std::size_t>(source.input)]);
        break;
    }
  }
  return evaluate(gradient.formula, values);
}

void expect_like_differences(const FormulaGradient& gradient, const Formula& f, int input,
                             const std::vector<double>& in, std::string_view name) {
  constexpr double kStep = 1e-6;
  std::vector<double> above = in, below = in;
  above[static_cast<std::size_t>(input)] += kStep;
  below[static_cast<std::size_t>(input)] -= kStep;
  const double expected = 1.5 * (evaluate(f, above) - evaluate(f, below)) / (2 * kStep);
  EXPECT_NEAR(gradient_at(gradient, f, in, 1.5), expected, 1e-7 * std::max(1.0, std::abs(expected)))
      << name << " towards input " << input << " at " << in[0] << ", " << in[1];
}

TEST(FormulaGradient, AgreesWithDifferencesForEveryFunction) {
  // No multiple of this meets a kink, which are all at multiples of 0.5.
  constexpr double kGrid = 0.0917;
  for (const dsl::Function& row : dsl::kFunctions) {
    const float parameters[] = {0.25f, 0.75f};
    const Formula f = row.formula(parameters);
    const bool positive = row.name == "log" || row.name == "sqrt" || row.name == "pow";
    for (int i = positive ? 1 : -60; i <= 80; ++i) {
      const std::vector<double> in = {i * kGrid + 0.011, 1.3 - i * kGrid / 3};
      for (int input = 0; input < f.input_count(); ++input) {
        expect_like_differences(gradient_of(f, input), f, input, in, row.name);
      }
      if (!row.gradient) continue;
      const auto rule = row.gradient(x0, x1, parameters);
      ASSERT_TRUE(rule) << row.name;
      expect_like_differences(gradient_from_result(rule->formula), f, 0, in, row.name);
    }
  }
}

TEST(FormulaGradient, ReadsNoResultThatDoesNotTell) {
  const float slope = -0.5f, ends[] = {2, 1};
  EXPECT_FALSE(dsl::find_function("leaky_relu")->gradient(x0, x1, &slope));
  EXPECT_FALSE(dsl::find_function("elu")->gradient(x0, x1, &slope));
  EXPECT_FALSE(dsl::find_function("clip")->gradient(x0, x1, ends));
}

TEST(Formula, VanishesBehindTheLastChannelOrDoesNot) {
  const auto zero = [](const Scalar& f, bool other = false) {
    return vanishes(f.formula, {false, other});
  };
  EXPECT_TRUE(zero(relu(x0)));
  EXPECT_TRUE(zero(tanh(x0)));
  EXPECT_FALSE(zero(sigmoid(x0)));
  EXPECT_FALSE(zero(exp(x0)));
  EXPECT_FALSE(zero(x0 + 1));
  EXPECT_FALSE(zero(log(x0)));
  EXPECT_FALSE(zero(x0 / x1));
  EXPECT_TRUE(zero(x0 + x1));
  EXPECT_FALSE(zero(x0 + x1, true));
  EXPECT_TRUE(zero(x0 * x1, true));
  EXPECT_TRUE(zero(select(x1 > 0, x0, x0 * x1), true));
  EXPECT_FALSE(zero(max(x0, x1), true));
}

}  // namespace
}  // namespace halcyon::compiler
