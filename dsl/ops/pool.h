#pragma once
/// Pooling over the spatial axes, and its gradients.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// What the operators below share: the windows that they look through.
/// Shapes: x [N,C,H,W] -> y [N,C,(H+pad_begin+pad_end-dilation*(kernel-1)-1)/stride+1,...]; `ceil`
///         rounds the quotient up where the window that this adds starts inside x or the padding in
///         front of it.
/// Errors: kernel, stride or dilation below 1, a window of padding alone, empty output.
struct PoolWindow {
  static constexpr auto fields() {
    return attributes(field("kernel", &PoolWindow::kernel), field("stride", &PoolWindow::stride),
                      field("dilation", &PoolWindow::dilation),
                      field("pad_begin", &PoolWindow::pad_begin),
                      field("pad_end", &PoolWindow::pad_end), field("ceil", &PoolWindow::ceil));
  }

  Spatial kernel = 2;
  Spatial stride = 2;
  Spatial dilation = 1;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  bool ceil = false;

  constexpr Shape output(const Shape& x) const {
    rules::check_activation(x, 3, 5);
    rules::check_axes("kernel", kernel, x);
    rules::check_axes("stride", stride, x);
    rules::check_axes("dilation", dilation, x);
    rules::check_axes("pad_begin", pad_begin, x);
    rules::check_axes("pad_end", pad_end, x);
    Shape y = {x[0], x[1]};
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      y.push_back(windows(axis, x.spatial(axis)));
      check_padding(axis, x.spatial(axis));
    }
    return y;
  }

  /// How far a window reaches from its first position.
  constexpr int64_t reach(int axis) const { return dilation[axis] * (kernel[axis] - 1); }

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

 private:
  // Source: ONNX MaxPool-12 and AveragePool-19, PyTorch.
  constexpr int64_t windows(int axis, int64_t input) const {
    const int64_t whole = rules::window_output(input, kernel[axis], stride[axis], dilation[axis],
                                               pad_begin[axis], pad_end[axis]);
    const int64_t rest = input + pad_begin[axis] + pad_end[axis] - reach(axis) - 1;
    const bool another = rest % stride[axis] != 0 && whole * stride[axis] < input + pad_begin[axis];
    return ceil && another ? whole + 1 : whole;
  }

  constexpr void check_padding(int axis, int64_t input) const {
    for (int64_t padding : {pad_begin[axis], pad_end[axis]}) {
      if (padding > reach(axis)) mistakes::pool_padding_reaches_kernel(padding, reach(axis) + 1);
    }
    // A dilated window may step over an input that is smaller than the dilation.
    for (int64_t start = -pad_begin[axis]; start < 0; start += stride[axis]) {
      const int64_t first_inside = (-start + dilation[axis] - 1) / dilation[axis];
      if (start + first_inside * dilation[axis] >= input) {
        mistakes::pool_window_steps_over_input(input, pad_begin[axis], dilation[axis]);
      }
    }
  }
};

/// Largest value of each window; ties go to the first in row-major order.
/// Shapes: as PoolWindow; with_argmax adds the position inside the window, row-major, of the same
///         shape. Source: ONNX MaxPool-12.
struct MaxPool : PoolWindow {
  static constexpr std::string_view name = "max_pool";
  static constexpr auto fields() {
    return joined(PoolWindow::fields(), attributes(field("with_argmax", &MaxPool::with_argmax)));
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

/// Mean of each window. With `count_padding` the padding counts as zeros, otherwise not at all;
/// what hangs over the padded input never counts. Shapes: as PoolWindow. Source: ONNX
/// AveragePool-19.
struct AveragePool : PoolWindow {
  static constexpr std::string_view name = "average_pool";
  static constexpr auto fields() {
    return joined(PoolWindow::fields(),
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
    return joined(attributes(field("input", &MaxPoolGrad::input)), PoolWindow::fields());
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
    return joined(attributes(field("input", &AveragePoolGrad::input)), PoolWindow::fields(),
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
