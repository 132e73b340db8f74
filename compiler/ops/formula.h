#pragma once
/// What a formula (dsl/formula.h) means, and its derivative.

#include <optional>
#include <span>
#include <vector>

#include "dsl/formula.h"

namespace halcyon::compiler {

/// One operation on numbers; a comparison gives 1 or 0.
double apply(dsl::Operation operation, double a, double b, double c);

/// The value of a formula, in double.
double evaluate(const dsl::Formula& formula, std::span<const double> inputs);

/// Whether the result is zero where all inputs are zero but those that `other` marks, which may
/// then be any finite number. What is stored beyond the last channel must be zero, and only values
/// that are repeated along the channels are not.
bool vanishes(const dsl::Formula& formula, const std::vector<bool>& other);

/// A formula that reads some of the inputs that there are.
struct PartialFormula {
  dsl::Formula formula;
  std::vector<int> inputs;  ///< number i of the formula is this one of all inputs
};

/// `formula` of what the formulas in `inputs` give, simplified.
/// Errors: ShapeMistake for more terms than a formula can have.
PartialFormula substitute(const dsl::Formula& formula, std::span<const dsl::Formula> inputs);

/// A gradient, and the values that it is computed from.
struct FormulaGradient {
  enum class From { dy, y, x };
  struct Source {
    From from;
    int input = 0;  ///< for x: its number
    bool operator==(const Source&) const = default;
  };
  dsl::Formula formula;
  std::vector<Source> sources;  ///< what its inputs are
};

/// dy * df/dx[input], simplified. Computed from y as far as that saves reading an x. Where two
/// arguments of a maximum or minimum are equal the second gets the gradient.
/// Errors: ShapeMistake for a gradient of more terms than a formula can have.
FormulaGradient gradient_of(const dsl::Formula& formula, int input);

/// The same from dy and the inputs alone.
FormulaGradient gradient_from_inputs(const dsl::Formula& formula, int input);

/// The same for a rule that is given as formula of dy (input 0) and y (input 1).
FormulaGradient gradient_from_result(const dsl::Formula& rule);

}  // namespace halcyon::compiler
