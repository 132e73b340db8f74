#pragma once
/// Operators that move values without changing them.

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

/// Joins values along the channels. Source: ONNX Concat-13, axis 1.
/// Shapes: x_i [N,C_i,H,W] -> y [N,sum C_i,H,W]
/// Errors: another extent than the channels differs.
struct Concat {
  static constexpr std::string_view name = "concat";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1024);
    Shape y = in[0];
    rules::check_rank(y, 2, 5);
    for (std::size_t i = 1; i < in.size(); ++i) {
      if (in[i].rank != y.rank) mistakes::input_has_wrong_rank(in[i].rank, y.rank, y.rank);
      for (int axis = 0; axis < y.rank; ++axis) {
        if (axis != 1 && in[i][axis] != y[axis]) {
          mistakes::concat_extents_do_not_match(axis, in[i][axis], y[axis]);
        }
      }
      y[1] += in[i][1];
    }
    return {y};
  }
  constexpr bool operator==(const Concat&) const = default;
};

/// Channels [begin, end). Shapes: x [N,C,H,W] -> y [N,end-begin,H,W]
struct SliceChannels {
  static constexpr std::string_view name = "slice_channels";
  static constexpr auto fields() {
    return attributes(field("begin", &SliceChannels::begin), field("end", &SliceChannels::end));
  }

  int64_t begin = 0;
  int64_t end = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_rank(in[0], 2, 5);
    if (begin < 0 || end <= begin || end > in[0][1]) {
      mistakes::slice_is_out_of_range(begin, end, in[0][1]);
    }
    Shape y = in[0];
    y[1] = end - begin;
    return {y};
  }
  constexpr bool operator==(const SliceChannels&) const = default;
};

}  // namespace halcyon::dsl::ops
