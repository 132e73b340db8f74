#pragma once
/// Convolution over one, two or three spatial axes, and the operators its gradient is made of.

#include "dsl/ops/pool.h"

namespace halcyon::dsl::rules {

/// The kernel of a convolution of x with that weight.
constexpr Spatial kernel_of(const Shape& weight, const Shape& x) {
  Spatial kernel = 1;
  kernel.rank = x.spatial_rank();
  for (int axis = 0; axis < weight.spatial_rank() && axis < 3; ++axis) {
    kernel[axis] = weight.spatial(axis);
  }
  return kernel;
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// Cross-correlation with zero padding and an optional bias per output channel.
/// Shapes: x [N,C,H,W], weight [K,C/groups,R,S], bias [K] -> y [N,K,P,Q]
///         P = (H + pad_begin + pad_end - (dilation*(R-1)+1)) / stride + 1
/// Errors: channels against weight, groups that divide neither, a window larger than its input.
/// Source: ONNX Conv-11.
struct Conv {
  static constexpr std::string_view name = "conv";
  static constexpr auto fields() {
    return attributes(field("filters", &Conv::filters), field("kernel", &Conv::kernel),
                      field("stride", &Conv::stride), field("dilation", &Conv::dilation),
                      field("pad_begin", &Conv::pad_begin), field("pad_end", &Conv::pad_end),
                      field("groups", &Conv::groups));
  }

  int64_t filters = 1;
  Spatial kernel = 1;
  Spatial stride = 1;
  Spatial dilation = 1;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  int64_t groups = 1;

  constexpr Shape weight_shape(const Shape& x) const {
    Shape weight = {filters, groups > 0 ? x[1] / groups : 0};
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
    check_channels(x);
    if (in[1].rank == x.rank && in[1][1] * groups != x[1]) {
      mistakes::input_channels_do_not_match(x[1], in[1][1] * groups);
    }
    if (!(in[1] == weight_shape(x))) mistakes::weight_has_wrong_shape(in[1], weight_shape(x));
    if (in.size() == 3 && !(in[2] == Shape{filters})) {
      mistakes::bias_has_wrong_shape(in[2], filters);
    }
    Shape y = {x[0], filters};
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      y.push_back(rules::window_output(x.spatial(axis), kernel[axis], stride[axis], dilation[axis],
                                       pad_begin[axis], pad_end[axis]));
    }
    return {y};
  }

  /// Multiply-adds per sample.
  constexpr int64_t macs(const Shapes& in, const Shapes& out) const {
    return out[0].elements() * (in[1].elements() / in[1][0]);
  }
  constexpr bool operator==(const Conv&) const = default;
};

/// Gradient of Conv towards its weight, summed over the batch.
/// Shapes: x [N,C,H,W], dy [N,K,P,Q] -> dw [K,C/groups,R,S]
struct ConvWeightGrad {
  static constexpr std::string_view name = "conv_weight_grad";
  static constexpr auto fields() {
    return attributes(
        field("weight", &ConvWeightGrad::weight), field("stride", &ConvWeightGrad::stride),
        field("dilation", &ConvWeightGrad::dilation),
        field("pad_begin", &ConvWeightGrad::pad_begin), field("pad_end", &ConvWeightGrad::pad_end),
        field("groups", &ConvWeightGrad::groups));
  }

  Shape weight;
  Spatial stride = 1;
  Spatial dilation = 1;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  int64_t groups = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    const Shape& x = in[0];
    rules::check_activation(x, 3, 5);
    rules::check_size(weight);
    const Shapes y =
        Conv{weight[0], rules::kernel_of(weight, x), stride, dilation, pad_begin, pad_end, groups}
            .infer({x, weight});
    if (!(in[1] == y[0])) mistakes::gradient_has_wrong_shape(in[1], y[0]);
    return {weight};
  }
  constexpr int64_t macs(const Shapes& in, const Shapes& out) const {
    return in[1].elements() * (out[0].elements() / out[0][0]);
  }
  constexpr bool operator==(const ConvWeightGrad&) const = default;
};

/// Gradient towards its weight of a Conv whose result goes through MaxPool without padding, from
/// the pooled gradient alone: each of its values belongs to one output of the convolution. Shapes:
/// x [N,C,H,W], dy and argmax as pooled [N,K,P,Q] -> dw [K,C,R,S]
struct ConvPoolWeightGrad {
  static constexpr std::string_view name = "conv_pool_weight_grad";
  static constexpr auto fields() {
    return attributes(field("weight", &ConvPoolWeightGrad::weight),
                      field("stride", &ConvPoolWeightGrad::stride),
                      field("dilation", &ConvPoolWeightGrad::dilation),
                      field("pad_begin", &ConvPoolWeightGrad::pad_begin),
                      field("pad_end", &ConvPoolWeightGrad::pad_end),
                      field("pool_kernel", &ConvPoolWeightGrad::pool_kernel),
                      field("pool_stride", &ConvPoolWeightGrad::pool_stride));
  }

  Shape weight;
  Spatial stride = 1;
  Spatial dilation = 1;
  Spatial pad_begin = 0;
  Spatial pad_end = 0;
  Spatial pool_kernel = 2;
  Spatial pool_stride = 2;

  constexpr PoolWindow pool() const { return {.kernel = pool_kernel, .stride = pool_stride}; }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 3, 3);
    if (!(in[1] == in[2])) mistakes::shapes_must_be_equal(in[1], in[2]);
    rules::check_activation(in[0], 3, 5);
    rules::check_size(weight);
    const Shapes y =
        Conv{weight[0], rules::kernel_of(weight, in[0]), stride, dilation, pad_begin, pad_end}
            .infer({in[0], weight});
    pool().check_gradient(in[1], y[0]);
    return {weight};
  }
  constexpr int64_t macs(const Shapes& in, const Shapes& out) const {
    return in[1].elements() * (out[0].elements() / out[0][0]);
  }
  constexpr bool operator==(const ConvPoolWeightGrad&) const = default;
};

/// The filter with which a convolution of dy gives dx: channels and filters of each group
/// exchanged, every spatial axis reversed. Shapes: weight [K,C/groups,R,S] -> [C,K/groups,R,S]
struct FlipFilter {
  static constexpr std::string_view name = "flip_filter";
  static constexpr auto fields() { return attributes(field("groups", &FlipFilter::groups)); }

  int64_t groups = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_rank(in[0], 3, 5);
    rules::check_positive("groups", groups);
    if (in[0][0] % groups != 0) mistakes::channels_not_divisible_by_groups(in[0][0], groups);
    Shape flipped = in[0];
    flipped[0] = in[0][1] * groups;
    flipped[1] = in[0][0] / groups;
    return {flipped};
  }
  constexpr bool operator==(const FlipFilter&) const = default;
};

}  // namespace halcyon::dsl::ops
