#pragma once
/// Pooling over the spatial axes, and its gradients.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// What the operators below share: the windows that they look through.
/// Shapes: x [N,C,H,W] -> y [N,C,(H+pad_begin+pad_end-kernel)/stride+1,...]
/// Errors: kernel or stride below 1, padding that reaches the kernel, empty output.
struct PoolWindow {
  static constexpr auto fields() {
    return attributes(field("kernel", &PoolWindow::kernel), field("stride", &PoolWindow::stride),
                      field("pad_begin", &PoolWindow::pad_begin),
                      field("pad_end", &PoolWindow::pad_end));
  }

  Spatial kernel = 2;
  Spatial stride = 2;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;

  constexpr Shape output(const Shape& x) const {
    rules::check_activation(x, 3, 5);
    rules::check_axes("kernel", kernel, x);
    rules::check_axes("stride", stride, x);
    rules::check_axes("pad_begin", pad_begin, x);
    rules::check_axes("pad_end", pad_end, x);
    Shape y = {x[0], x[1]};
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      for (int64_t padding : {pad_begin[axis], pad_end[axis]}) {
        if (kernel[axis] >= 1 && padding >= kernel[axis]) {
          mistakes::pool_padding_reaches_kernel(padding, kernel[axis]);
        }
      }
      y.push_back(rules::window_output(x.spatial(axis), kernel[axis], stride[axis], 1,
                                       pad_begin[axis], pad_end[axis]));
    }
    return y;
  }

  /// dy is what pooling `input` gives.
  constexpr void check_gradient(const Shape& dy, const Shape& input) const {
    rules::check_size(input);
    const Shape y = output(input);
    if (!(dy == y)) mistakes::gradient_has_wrong_shape(dy, y);
  }

  /// What holds a position inside a window of the output y: a byte where it is large enough.
  constexpr DType position_type(const Shape& y) const {
    int64_t positions = 1;
    for (int axis = 0; axis < y.spatial_rank(); ++axis) {
      positions *= kernel[axis];
      if (positions > 256) return DType::i32;
    }
    return DType::u8;
  }
  constexpr bool operator==(const PoolWindow&) const = default;
};

/// Largest value of each window; ties go to the first in row-major order.
/// Shapes: as PoolWindow; with_argmax adds the position inside the window, row-major, of the same
///         shape. Source: ONNX MaxPool-12, dilation 1.
struct MaxPool : PoolWindow {
  static constexpr std::string_view name = "max_pool";
  static constexpr auto fields() {
    return std::tuple_cat(PoolWindow::fields(),
                          attributes(field("with_argmax", &MaxPool::with_argmax)));
  }

  bool with_argmax = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    const Shape y = output(in[0]);
    Shapes out = {y};  // no conditional expression: g++ 12 frees its temporary vector too early
    if (with_argmax) out.push_back(y);
    return out;
  }
  constexpr bool operator==(const MaxPool&) const = default;
};

/// Mean of each window. Padding counts as zeros when `count_padding` is set, otherwise not at all.
/// Shapes: as PoolWindow. Source: ONNX AveragePool-11.
struct AveragePool : PoolWindow {
  static constexpr std::string_view name = "average_pool";
  static constexpr auto fields() {
    return std::tuple_cat(PoolWindow::fields(),
                          attributes(field("count_padding", &AveragePool::count_padding)));
  }

  bool count_padding = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    return {output(in[0])};
  }
  constexpr bool operator==(const AveragePool&) const = default;
};

/// Sends each output gradient to the position its maximum came from.
/// Shapes: dy and argmax [N,C,P,Q] -> dx = `input` [N,C,H,W]
struct MaxPoolGrad : PoolWindow {
  static constexpr std::string_view name = "max_pool_grad";
  static constexpr auto fields() {
    return std::tuple_cat(attributes(field("input", &MaxPoolGrad::input)), PoolWindow::fields());
  }

  Shape input;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    check_gradient(in[0], input);
    return {input};
  }
  constexpr bool operator==(const MaxPoolGrad&) const = default;
};

/// Spreads each output gradient evenly over its window.
/// Shapes: dy [N,C,P,Q] -> dx = `input` [N,C,H,W]
struct AveragePoolGrad : PoolWindow {
  static constexpr std::string_view name = "average_pool_grad";
  static constexpr auto fields() {
    return std::tuple_cat(attributes(field("input", &AveragePoolGrad::input)), PoolWindow::fields(),
                          attributes(field("count_padding", &AveragePoolGrad::count_padding)));
  }

  Shape input;
  bool count_padding = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    check_gradient(in[0], input);
    return {input};
  }
  constexpr bool operator==(const AveragePoolGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
