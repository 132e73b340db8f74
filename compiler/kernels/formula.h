#pragma once
/// A formula (dsl/formula.h) as a Halide expression.

#include <vector>

#include "compiler/lower/halide.h"
#include "dsl/formula.h"

namespace halcyon::compiler {

/// `formula` of `inputs`, whose vectors stay vectors: nothing in it calls the C library. tanh, erf,
/// sigmoid and softplus are within a few units in the last place of 1 and stable far out.
Halide::Expr formula_expr(const dsl::Formula& formula, const std::vector<Halide::Expr>& inputs);

}  // namespace halcyon::compiler
