#pragma once
/// Functions of one position of each input.
///
/// Inputs are repeated as in ONNX: axes are aligned from the last one, and an extent of 1 stands
/// for every position of that axis. Two things are not left to counting from the end. All inputs
/// with a batch have the same rank, so that N meets N. And a parameter of one axis, [C] or [1], is
/// one number per channel, or one number, whatever follows behind the channels: the shape of a
/// bias.
///
///   x [N,8,14,14]   slope [8]         per channel (as [8,1,1])
///                   gate [N,8,1,1]    per sample and channel
///                   mask [14,14]      per position
///                   [1]               one number

#include "dsl/formula.h"
#include "dsl/functions.h"
#include "dsl/ops/op.h"

namespace halcyon::dsl::rules {

/// `x` with `rank` axes, 1 where it has none of its own. Shapes: [8] -> [1,8,1,1] for rank 4.
/// Errors: a parameter that has an axis in the batch's place.
constexpr Shape aligned(const Shape& x, int rank) {
  if (x.rank == rank) return x;
  if (x.has_batch() || x.rank > rank) mistakes::ranks_do_not_match(x, rank);
  Shape full;
  const int begin = x.rank == 1 ? 1 : rank - x.rank;
  for (int axis = 0; axis < rank; ++axis) {
    full.push_back(axis >= begin && axis < begin + x.rank ? x[axis - begin] : 1);
  }
  return full;
}

/// It stands in the text of a graph and in messages.
constexpr void check_function_name(const FixedString& function) {
  bool usable = function.size < FixedString::kCapacity;
  for (char c : function.view()) usable = usable && c >= ' ' && c <= '~' && c != '"' && c != '\\';
  if (!usable) mistakes::name_is_not_usable();
}

/// The shape that all inputs are repeated to.
constexpr Shape repeated_shape(const Shapes& in) {
  const Shape* y = nullptr;
  for (const Shape& x : in) {
    if (y == nullptr && x.has_batch()) y = &x;
  }
  if (y == nullptr) {
    for (const Shape& x : in) {
      if (!(x == in[0])) mistakes::shapes_must_be_equal(in[0], x);
    }
    return in[0];
  }
  Shape full = *y;
  rules::check_rank(full, 2, 5);
  for (const Shape& x : in) {
    if (!x.has_batch() && x.rank >= full.rank) mistakes::parameter_has_a_batch_axis(x, full);
    const Shape own = aligned(x, full.rank);
    for (int axis = 1; axis < full.rank; ++axis) {
      if (own[axis] == full[axis] || own[axis] == 1) continue;
      if (full[axis] != 1) mistakes::shapes_cannot_be_repeated(full, x);
      full[axis] = own[axis];
    }
  }
  return full;
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// y = formula(x0, x1, ...) at every position.
/// Shapes: x_i alike but for axes that are repeated -> y; see the top of this file.
/// Errors: an empty formula, another number of inputs than it reads, shapes that cannot be repeated
/// to each other; values without batch (parameters alone) that differ in shape.
/// Source: ONNX's elementwise operators and their broadcasting.
struct Pointwise {
  static constexpr std::string_view name = "pointwise";
  static constexpr auto fields() {
    return attributes(field("function", &Pointwise::function),
                      field("formula", &Pointwise::formula));
  }

  FixedString function;  ///< for people: "relu"
  Formula formula;

  constexpr Shapes infer(const Shapes& in) const {
    if (formula.empty()) mistakes::formula_is_empty();
    rules::check_function_name(function);
    // A function that reads nothing still needs an input for its shape.
    const auto count = static_cast<std::size_t>(formula.input_count());
    rules::check_input_count(in, count > 0 ? count : 1, count > 0 ? count : 1);
    return {rules::repeated_shape(in)};
  }
  constexpr bool operator==(const Pointwise&) const = default;
};

/// Sum over the axes along which `shape` is repeated; the gradient of a repeated input. A shape
/// without batch sums over the batch too.
/// Shapes: dy [N,C,H,W] -> `shape`, for example [C], [N,C,1,1] or [C,1,W]
/// Errors: a shape that cannot be repeated to dy's.
struct SumTo {
  static constexpr std::string_view name = "sum_to";
  static constexpr auto fields() { return attributes(field("shape", &SumTo::shape)); }

  Shape shape;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    rules::check_rank(shape, 1, 5);
    if (!(rules::repeated_shape({in[0], shape}) == in[0])) {
      mistakes::shapes_cannot_be_repeated(in[0], shape);
    }
    return {shape};
  }
  constexpr bool operator==(const SumTo&) const = default;
};

}  // namespace halcyon::dsl::ops

namespace halcyon::dsl {

constexpr ops::Pointwise pointwise(Function::Unary function) {
  return {name_of(function), function(Scalar::input(0)).formula};
}

/// A row of the table. Errors: none has this name.
constexpr ops::Pointwise pointwise(std::string_view name, float first = 0, float second = 0) {
  const Function* row = find_function(name);
  if (row == nullptr) mistakes::function_is_unknown(name);
  const float values[] = {first, second};
  return {name, row->formula(values)};
}

inline constexpr Formula kRelu = relu(Scalar::input(0)).formula;
inline constexpr Formula kSum = (Scalar::input(0) + Scalar::input(1)).formula;

}  // namespace halcyon::dsl
