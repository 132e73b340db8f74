#pragma once
/// Transposed convolution: what enlarges maps with trained weights.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// Each value of x is multiplied with the whole filter and added to y at stride times its position:
/// the gradient of Conv towards its input, as a layer. Padding cuts y's border off;
/// `output_padding` makes its end larger.
/// Shapes: x [N,C,H,W], weight [C,K/groups,R,S], bias [K] -> y [N,K,P,Q]
///         P = (H-1)*stride + dilation*(R-1) + 1 + output_padding - pad_begin - pad_end
/// Errors: channels against weight, groups that divide neither, padding that leaves nothing,
///         output_padding that is below neither stride nor dilation.
/// Source: ONNX ConvTranspose-11, explicit padding.
struct ConvTranspose {
  static constexpr std::string_view name = "conv_transpose";
  static constexpr auto fields() {
    return attributes(
        field("filters", &ConvTranspose::filters), field("kernel", &ConvTranspose::kernel),
        field("stride", &ConvTranspose::stride), field("dilation", &ConvTranspose::dilation),
        field("pad_begin", &ConvTranspose::pad_begin), field("pad_end", &ConvTranspose::pad_end),
        field("output_padding", &ConvTranspose::output_padding),
        field("groups", &ConvTranspose::groups));
  }

  int64_t filters = 1;
  Spatial kernel = 1;
  Spatial stride = 1;
  Spatial dilation = 1;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  Spatial output_padding = 0;
  int64_t groups = 1;

  constexpr Shape weight_shape(const Shape& x) const {
    Shape weight = {x[1], groups > 0 ? filters / groups : 0};
    for (int axis = 0; axis < x.spatial_rank(); ++axis) weight.push_back(kernel[axis]);
    return weight;
  }

  /// What can be said before the weight is known.
  constexpr void check_channels(const Shape& x) const {
    rules::check_filter_groups(x, filters, groups);
  }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 3);
    const Shape& x = in[0];
    rules::check_activation(x, 3, 5);
    rules::check_axes("kernel", kernel, x);
    rules::check_axes("stride", stride, x);
    rules::check_axes("dilation", dilation, x);
    rules::check_axes("pad_begin", pad_begin, x);
    rules::check_axes("pad_end", pad_end, x);
    rules::check_axes("output_padding", output_padding, x);
    check_channels(x);
    if (!(in[1] == weight_shape(x))) mistakes::weight_has_wrong_shape(in[1], weight_shape(x));
    if (in.size() == 3 && !(in[2] == Shape{filters})) {
      mistakes::bias_has_wrong_shape(in[2], filters);
    }
    Shape y = {x[0], filters};
    for (int axis = 0; axis < x.spatial_rank(); ++axis) y.push_back(extent(x, axis));
    return {y};
  }

  /// Multiply-adds per sample.
  constexpr int64_t macs(const Shapes& in, const Shapes&) const {
    return in[0].elements() * (in[1].elements() / in[1][0]);
  }
  constexpr bool operator==(const ConvTranspose&) const = default;

 private:
  constexpr int64_t extent(const Shape& x, int axis) const {
    rules::check_positive("kernel", kernel[axis]);
    rules::check_positive("stride", stride[axis]);
    rules::check_positive("dilation", dilation[axis]);
    rules::check_padding(pad_begin[axis]);
    rules::check_padding(pad_end[axis]);
    rules::check_padding(output_padding[axis]);
    if (output_padding[axis] >= stride[axis] && output_padding[axis] >= dilation[axis]) {
      mistakes::output_padding_reaches_stride(output_padding[axis], stride[axis], dilation[axis]);
    }
    const int64_t spread = (x.spatial(axis) - 1) * stride[axis] +
                           dilation[axis] * (kernel[axis] - 1) + 1 + output_padding[axis];
    if (spread <= pad_begin[axis] + pad_end[axis]) {
      mistakes::padding_leaves_nothing(spread, pad_begin[axis], pad_end[axis]);
    }
    return spread - pad_begin[axis] - pad_end[axis];
  }
};

}  // namespace halcyon::dsl::ops
