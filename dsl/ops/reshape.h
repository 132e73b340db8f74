#pragma once
/// Operators that keep the values' row-major order, and joining.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// All axes behind the batch become one, in C, H, W order.
/// Shapes: x [N,C,H,W] -> y [N,C*H*W]. Source: ONNX Flatten-13, axis 1.
struct Flatten {
  static constexpr std::string_view name = "flatten";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    return {Shape{in[0][0], in[0].elements()}};
  }
  constexpr bool operator==(const Flatten&) const = default;
};

/// The reverse of Flatten. Shapes: x [N,C*H*W] -> `shape` [N,C,H,W]
struct Unflatten {
  static constexpr std::string_view name = "unflatten";
  static constexpr auto fields() { return attributes(field("shape", &Unflatten::shape)); }

  Shape shape;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 2);
    rules::check_activation(shape, 2, 5);
    rules::check_size(shape);
    if (in[0].elements() != shape.elements()) mistakes::shapes_must_be_equal(in[0], shape);
    return {shape};
  }
  constexpr bool operator==(const Unflatten&) const = default;
};

/// The values of a sample in the same order, seen as another shape.
/// Shapes: x [N,C,H,W] -> `shape` [N,...]. Errors: another number of values. Source: ONNX
/// Reshape-14.
struct Reshape {
  static constexpr std::string_view name = "reshape";
  static constexpr auto fields() { return attributes(field("shape", &Reshape::shape)); }

  Shape shape;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    rules::check_activation(shape, 2, 5);
    rules::check_size(shape);
    if (in[0].elements() != shape.elements()) mistakes::reshape_changes_count(in[0], shape);
    return {shape};
  }
  constexpr bool operator==(const Reshape&) const = default;
};

/// Joins values along an axis: 1 is the channels, 2 the first spatial axis.
/// Shapes: x_i [N,C_i,H,W] -> y [N,sum C_i,H,W]
/// Errors: another extent than the joined one differs, an axis that x does not have.
/// Source: ONNX Concat-13.
struct Concat {
  static constexpr std::string_view name = "concat";
  static constexpr auto fields() { return attributes(field("axis", &Concat::axis)); }

  int64_t axis = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1024);
    Shape y = in[0];
    rules::check_activation(y, 2, 5);
    if (axis < 1 || axis >= y.rank) mistakes::there_is_no_such_axis(axis, y.rank);
    const auto joined = static_cast<int>(axis);
    for (std::size_t i = 1; i < in.size(); ++i) {
      if (in[i].rank != y.rank) mistakes::input_has_wrong_rank(in[i].rank, y.rank, y.rank);
      for (int other = 0; other < y.rank; ++other) {
        if (other != joined && in[i][other] != y[other]) {
          mistakes::concat_extents_do_not_match(joined, other, in[i][other], y[other]);
        }
      }
      y[joined] += in[i][joined];
    }
    return {y};
  }
  constexpr bool operator==(const Concat&) const = default;
};

}  // namespace halcyon::dsl::ops
