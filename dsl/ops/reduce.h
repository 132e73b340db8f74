#pragma once
/// Reductions over channels and spatial axes. The batch is never reduced.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

enum class ReduceKind { sum, mean, max, min };

}  // namespace halcyon::dsl::ops

namespace halcyon::dsl::rules {

/// True if `axis` is one of `axes`.
constexpr bool is_reduced(const Shape& axes, int axis) {
  for (int i = 0; i < axes.rank; ++i) {
    if (axes[i] == axis) return true;
  }
  return false;
}

/// The shape that is left of x. Errors: no axis, one twice, the batch, one that x does not have.
constexpr Shape reduced_shape(const Shape& x, const Shape& axes, bool keep_dims) {
  rules::check_activation(x, 2, 5);
  if (axes.rank == 0) mistakes::reduce_needs_an_axis();
  for (int i = 0; i < axes.rank; ++i) {
    if (axes[i] < 1 || axes[i] >= x.rank) mistakes::reduced_axis_is_out_of_range(axes[i], x.rank);
    for (int j = 0; j < i; ++j) {
      if (axes[i] == axes[j]) mistakes::reduced_axis_is_given_twice(axes[i]);
    }
  }
  Shape y;
  for (int axis = 0; axis < x.rank; ++axis) {
    const bool reduced = rules::is_reduced(axes, axis);
    if (!reduced || keep_dims) y.push_back(reduced ? 1 : x[axis]);
  }
  return y;
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// Sum, mean, maximum or minimum over some axes of each sample.
/// Shapes: x [N,C,H,W] -> [N,1,1,1], [N,C,1,1], ...; without keep_dims the axes are left out, and
///         the next one takes the channels' place: [N,C] or [N,H,W].
/// Errors: no axis, an axis given twice, the batch, an axis that x does not have.
/// Source: ONNX ReduceSum-13, ReduceMean-13, ReduceMax-13, ReduceMin-13.
struct Reduce {
  static constexpr std::string_view name = "reduce";
  static constexpr auto fields() {
    return attributes(field("kind", &Reduce::kind), field("axes", &Reduce::axes),
                      field("keep_dims", &Reduce::keep_dims));
  }

  ReduceKind kind = ReduceKind::sum;
  Shape axes = {};  ///< numbers of axes: 1 is C, 2 the outermost spatial one
  bool keep_dims = true;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    return {rules::reduced_shape(in[0], axes, keep_dims)};
  }
  constexpr bool operator==(const Reduce&) const = default;
};

/// Spreads dy over what it was reduced from: to every value alike (sum, mean), or to the first of
/// those that are largest or smallest (max, min), in row-major order.
/// Shapes: dy (of Reduce's result), x [N,C,H,W] (for max and min only) -> dx `input`
struct ReduceGrad {
  static constexpr std::string_view name = "reduce_grad";
  static constexpr auto fields() {
    return attributes(field("kind", &ReduceGrad::kind), field("axes", &ReduceGrad::axes),
                      field("keep_dims", &ReduceGrad::keep_dims),
                      field("input", &ReduceGrad::input));
  }

  ReduceKind kind = ReduceKind::sum;
  Shape axes;
  bool keep_dims = true;
  Shape input;

  constexpr bool reads_input() const { return kind == ReduceKind::max || kind == ReduceKind::min; }
  constexpr Shapes infer(const Shapes& in) const {
    const std::size_t count = reads_input() ? 2 : 1;
    rules::check_input_count(in, count, count);
    const Shape y = rules::reduced_shape(input, axes, keep_dims);
    rules::check_size(input);
    if (!(in[0] == y)) mistakes::gradient_has_wrong_shape(in[0], y);
    if (reads_input() && !(in[1] == input)) mistakes::shapes_must_be_equal(in[1], input);
    return {input};
  }
  constexpr bool operator==(const ReduceGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
