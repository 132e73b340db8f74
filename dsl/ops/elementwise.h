#pragma once
/// Operators that treat every position alike.

#include "dsl/ops/op.h"

namespace halcyon::dsl::rules {

constexpr Shapes equal_shapes(const Shapes& in, std::size_t at_least, std::size_t at_most) {
  rules::check_input_count(in, at_least, at_most);
  for (const Shape& shape : in) {
    if (!(shape == in[0])) mistakes::shapes_must_be_equal(in[0], shape);
  }
  return {in[0]};
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// max(x, 0). Source: ONNX Relu-14.
struct Relu {
  static constexpr std::string_view name = "relu";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const { return rules::equal_shapes(in, 1, 1); }
  constexpr bool operator==(const Relu&) const = default;
};

/// dy where y > 0, else 0. Shapes: dy, y (the output of Relu) -> dx
struct ReluGrad {
  static constexpr std::string_view name = "relu_grad";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const { return rules::equal_shapes(in, 2, 2); }
  constexpr bool operator==(const ReluGrad&) const = default;
};

/// The same values in a buffer of their own: where the host's layout is not the one a kernel needs.
struct Copy {
  static constexpr std::string_view name = "copy";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const { return rules::equal_shapes(in, 1, 1); }
  constexpr bool operator==(const Copy&) const = default;
};

/// Sum of two values of one shape. Source: ONNX Add-14 without broadcasting.
/// Errors: shapes that differ.
struct Add {
  static constexpr std::string_view name = "add";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const { return rules::equal_shapes(in, 2, 2); }
  constexpr bool operator==(const Add&) const = default;
};

}  // namespace halcyon::dsl::ops
