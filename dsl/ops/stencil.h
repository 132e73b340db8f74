#pragma once
/// Functions of a position and its neighbours.

#include "dsl/ops/pointwise.h"
#include "dsl/stencil.h"

namespace halcyon::dsl::ops {

/// y = formula(neighbours) at every position, channel by channel.
/// Shapes: x [N,C,spatial...] -> y of the same shape
/// Errors: an empty formula, one that reads nothing, another number of steps than x has spatial
/// axes, a neighbour that no position has.
struct Stencil {
  static constexpr std::string_view name = "stencil";
  static constexpr auto fields() {
    return attributes(field("function", &Stencil::function), field("formula", &Stencil::formula),
                      field("border", &Stencil::border));
  }

  FixedString function;  ///< for people: "laplace"
  dsl::Stencil formula;
  Border border = Border::zero;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_function_name(function);
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 3, 5);
    check_formula(in[0]);
    return {in[0]};
  }
  constexpr bool operator==(const Stencil&) const = default;

 protected:
  constexpr void check_formula(const Shape& x) const {
    if (formula.formula.empty()) mistakes::formula_is_empty();
    if (formula.count == 0) mistakes::stencil_reads_nothing();
    if (formula.rank != x.spatial_rank()) {
      mistakes::stencil_does_not_match_axes(formula.rank, x.spatial_rank());
    }
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      for (int64_t reach : {formula.before(axis), formula.after(axis)}) {
        if (reach >= x.spatial(axis)) {
          mistakes::stencil_reaches_past_map(axis + 2, reach, x.spatial(axis));
        }
      }
    }
  }
};

/// Sums at each position what it adds to the stencils that read it. Where the border repeats values
/// the result is as much larger as the stencil reaches; PadGrad folds it.
/// Shapes: dy, and x if a derivative reads it [N,C,spatial...] -> dx, or dx with its border
struct StencilGrad : Stencil {
  static constexpr std::string_view name = "stencil_grad";

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 2);
    rules::check_activation(in[0], 3, 5);
    check_formula(in[0]);
    if (!(in.back() == in[0])) mistakes::shapes_must_be_equal(in[0], in.back());
    Shape dx = in[0];
    for (int axis = 0; axis < dx.spatial_rank() && border == Border::edge; ++axis) {
      dx[axis + 2] += formula.before(axis) + formula.after(axis);
    }
    return {dx};
  }
  constexpr bool operator==(const StencilGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
