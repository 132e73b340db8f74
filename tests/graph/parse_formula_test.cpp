#include "compiler/graph/parse_formula.h"

#include <gtest/gtest.h>

#include <string>

#include "dsl/formula_text.h"
#include "dsl/functions.h"

namespace halcyon::compiler {
namespace {

using dsl::Formula;
using dsl::Scalar;

std::string message(const std::string& text) {
  try {
    parse_formula(text, "net.txt:4");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

void expect_round_trip(const Formula& formula) {
  const std::string text = to_string(formula);
  EXPECT_TRUE(parse_formula(text, "") == formula) << text;
}

TEST(ParseFormula, ReadsEveryFunctionOfTheTable) {
  for (const dsl::Function& row : dsl::kFunctions) {
    const float values[] = {0.1f, -1e-45f};
    expect_round_trip(row.formula(values));
  }
}

TEST(ParseFormula, ReadsEveryOperationAndSharedTerms) {
  const Scalar x = Scalar::input(0), y = Scalar::input(1);
  const Scalar all = abs(floor(x)) + exp(-log(sqrt(y))) * softplus(erf(x)) / (tanh(x) - sigmoid(y));
  expect_round_trip((all * all - pow(all, max(x, min(y, -3.5f)))).formula);
  for (const dsl::Condition& c : {x<y, x <= y, x> y, x >= y, x == y}) {
    expect_round_trip((select(c, x, 2) * select(c, y, -(Scalar(2)))).formula);
  }
}

TEST(ParseFormula, ReadsWhatAPersonWrites) {
  const Scalar x = Scalar::input(0);
  EXPECT_TRUE(parse_formula(" x0*-2.5e+1-(1-x0) ", "") == (x * -25.0f - (1.0f - x)).formula);
  EXPECT_TRUE(parse_formula("t3=x0+1;t3", "") == (x + 1).formula);
  EXPECT_TRUE(parse_formula("1 - 2 - x0 / 4 / 8", "") ==
              (Scalar(1) - Scalar(2) - x / 4 / 8).formula);
}

TEST(ParseFormula, RefusesHostileText) {
  const std::string deep(100'000, '(');
  EXPECT_EQ(message(deep), "net.txt:4: formula: more than 64 parentheses in each other");
  EXPECT_EQ(message(std::string(100'000, '-')), "net.txt:4: formula: too many signs in a row");
  std::string sums = "x0";
  for (int i = 0; i < 200; ++i) sums += " + " + std::to_string(i);
  EXPECT_EQ(message(sums),
            "net.txt:4: the formula has more than 96 terms\n"
            "  hint: split the function into several");
  EXPECT_EQ(message(""),
            "net.txt:4: expected formula: a number, an input such as 'x0' or a function, found the "
            "end of the line");
  EXPECT_EQ(message("x0 x1"), "net.txt:4: expected the end of the line, found 'x1'");
  EXPECT_EQ(message("x16"), "net.txt:4: formula: x16 is not an input, expected x0 to x15");
  EXPECT_EQ(message("t0"), "net.txt:4: formula: t0 is not defined in front of its use");
  EXPECT_EQ(message("t0 = x0; t0 = x0; t0"), "net.txt:4: formula: t0 is defined twice");
  EXPECT_EQ(message("sin(x0)").substr(0, 76),
            "net.txt:4: formula: unknown function 'sin'\n  hint: the functions: min, max, ");
  EXPECT_EQ(message("max(x0)"), "net.txt:4: expected ',', found ')'");
  EXPECT_EQ(message("exp(x0, x1)"), "net.txt:4: expected ')', found ', x1)'");
  EXPECT_EQ(message("select(x0, 1, 2)"),
            "net.txt:4: expected formula: a comparison such as 'x0 > 0', found ', 1, 2)'");
  EXPECT_EQ(message("1e99"),
            "net.txt:4: formula: a number is '1e99', expected a finite number of type f32");
  EXPECT_EQ(message("nan(x0)").substr(0, 42), "net.txt:4: formula: unknown function 'nan'");
  EXPECT_EQ(message("x0 > 0"), "net.txt:4: expected the end of the line, found '> 0'");
}

}  // namespace
}  // namespace halcyon::compiler
