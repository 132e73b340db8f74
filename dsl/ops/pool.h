#pragma once
/// Pooling over the spatial axes, and its gradients.

#include "dsl/ops/op.h"

namespace halcyon::dsl::rules {

struct Window {
  Spatial kernel, stride, pad_begin, pad_end;
};

constexpr Shape pool_output(const Shape& x, const Window& window) {
  rules::check_activation(x, 3, 5);
  rules::check_axes("kernel", window.kernel, x);
  rules::check_axes("stride", window.stride, x);
  rules::check_axes("pad_begin", window.pad_begin, x);
  rules::check_axes("pad_end", window.pad_end, x);
  Shape y = {x[0], x[1]};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const int64_t kernel = window.kernel[axis];
    if (kernel >= 1 && window.pad_begin[axis] >= kernel) {
      mistakes::pool_padding_reaches_kernel(window.pad_begin[axis], kernel);
    }
    if (kernel >= 1 && window.pad_end[axis] >= kernel) {
      mistakes::pool_padding_reaches_kernel(window.pad_end[axis], kernel);
    }
    y.push_back(rules::window_output(x.spatial(axis), kernel, window.stride[axis], 1,
                                     window.pad_begin[axis], window.pad_end[axis]));
  }
  return y;
}

/// dy is what pooling `input` gives.
constexpr void check_pool_gradient(const Shape& dy, const Shape& input, const Window& window) {
  rules::check_size(input);
  const Shape y = rules::pool_output(input, window);
  if (!(dy == y)) mistakes::gradient_has_wrong_shape(dy, y);
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// Largest value of each window; ties go to the first in row-major order.
/// Shapes: x [N,C,H,W] -> y [N,C,(H+pad_begin+pad_end-kernel)/stride+1,...]; with_argmax adds the
///         position inside the window, row-major, of the same shape.
/// Errors: kernel or stride below 1, padding that reaches the kernel, empty output.
/// Source: ONNX MaxPool-12, dilation 1.
struct MaxPool {
  static constexpr std::string_view name = "max_pool";
  static constexpr auto fields() {
    return attributes(field("kernel", &MaxPool::kernel), field("stride", &MaxPool::stride),
                      field("pad_begin", &MaxPool::pad_begin), field("pad_end", &MaxPool::pad_end),
                      field("with_argmax", &MaxPool::with_argmax));
  }

  Spatial kernel = 2;
  Spatial stride = 2;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  bool with_argmax = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    const Shape y = rules::pool_output(in[0], {kernel, stride, pad_begin, pad_end});
    Shapes out = {y};  // no conditional expression: g++ 12 frees its temporary vector too early
    if (with_argmax) out.push_back(y);
    return out;
  }
  constexpr bool operator==(const MaxPool&) const = default;
};

/// Mean of each window. Padding counts as zeros when `count_padding` is set, otherwise not at all.
/// Shapes and Errors: as MaxPool. Source: ONNX AveragePool-11.
struct AveragePool {
  static constexpr std::string_view name = "average_pool";
  static constexpr auto fields() {
    return attributes(field("kernel", &AveragePool::kernel), field("stride", &AveragePool::stride),
                      field("pad_begin", &AveragePool::pad_begin),
                      field("pad_end", &AveragePool::pad_end),
                      field("count_padding", &AveragePool::count_padding));
  }

  Spatial kernel = 2;
  Spatial stride = 2;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  bool count_padding = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    return {rules::pool_output(in[0], {kernel, stride, pad_begin, pad_end})};
  }
  constexpr bool operator==(const AveragePool&) const = default;
};

/// Sends each output gradient to the position its maximum came from.
/// Shapes: dy and argmax [N,C,P,Q] -> dx = `input` [N,C,H,W]
struct MaxPoolGrad {
  static constexpr std::string_view name = "max_pool_grad";
  static constexpr auto fields() {
    return attributes(field("input", &MaxPoolGrad::input), field("kernel", &MaxPoolGrad::kernel),
                      field("stride", &MaxPoolGrad::stride),
                      field("pad_begin", &MaxPoolGrad::pad_begin),
                      field("pad_end", &MaxPoolGrad::pad_end));
  }

  Shape input;
  Spatial kernel = 2;
  Spatial stride = 2;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    rules::check_pool_gradient(in[0], input, {kernel, stride, pad_begin, pad_end});
    return {input};
  }
  constexpr bool operator==(const MaxPoolGrad&) const = default;
};

/// Spreads each output gradient evenly over its window.
/// Shapes: dy [N,C,P,Q] -> dx = `input` [N,C,H,W]
struct AveragePoolGrad {
  static constexpr std::string_view name = "average_pool_grad";
  static constexpr auto fields() {
    return attributes(
        field("input", &AveragePoolGrad::input), field("kernel", &AveragePoolGrad::kernel),
        field("stride", &AveragePoolGrad::stride), field("pad_begin", &AveragePoolGrad::pad_begin),
        field("pad_end", &AveragePoolGrad::pad_end),
        field("count_padding", &AveragePoolGrad::count_padding));
  }

  Shape input;
  Spatial kernel = 2;
  Spatial stride = 2;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  bool count_padding = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_pool_gradient(in[0], input, {kernel, stride, pad_begin, pad_end});
    return {input};
  }
  constexpr bool operator==(const AveragePoolGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
