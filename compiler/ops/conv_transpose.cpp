/// Meaning and gradient of transposed convolution. No kernel computes it: the pass
/// expand_conv_transpose makes an ordinary convolution of it.

#include <algorithm>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// The ordinary convolution that leads back from y to x. Its output has exactly x's extents when the
// whole strides of the output padding are left out at the end, by less padding or by cutting dy.
struct WayBack {
  ops::Conv conv;
  Value dy;
};

WayBack way_back(const ops::ConvTranspose& op, GradientContext& context) {
  const Shape y = context.shape(context.dy());
  WayBack back;
  back.conv = {.filters = context.shape(context.x(0))[1],
               .kernel = op.kernel,
               .stride = op.stride,
               .dilation = op.dilation,
               .pad_begin = op.pad_begin,
               .pad_end = Spatial(),
               .groups = op.groups};
  ops::Slice cut{.begin = 0, .end = {y[1]}, .step = 1};
  bool too_long = false;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    const int64_t left_out = op.output_padding[axis] / op.stride[axis] * op.stride[axis];
    const int64_t pad_end = op.pad_end[axis] - left_out;
    back.conv.pad_end.push_back(std::max<int64_t>(pad_end, 0));
    cut.end.push_back(y.spatial(axis) + std::min<int64_t>(pad_end, 0));
    too_long = too_long || pad_end < 0;
  }
  back.dy = context.dy();
  if (too_long) back.dy = context.emit(cut, {back.dy}, "cut");
  return back;
}

}  // namespace

HostTensors reference(const ops::ConvTranspose& op, HostInputs in, int64_t) {
  HostTensor y = zeros(detail::output_shape(op, in));
  const Shape& x = in[0].shape;
  const auto size = [](int64_t n) { return static_cast<std::size_t>(n); };
  const std::size_t from = size(detail::positions(x));
  const std::size_t to = size(detail::positions(y.shape));
  const std::size_t taps = size(detail::positions(in[1].shape));
  const std::size_t group_channels = size(x[1] / op.groups);
  const std::size_t group_filters = size(op.filters / op.groups);
  if (in.size() > 2) {
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      y.values[i] = in[2].values[i / to % size(op.filters)];
    }
  }
  // The windows of the convolution from y to x, read backwards.
  const std::vector<detail::Tap> windows = detail::window_taps({.x = y.shape,
                                                                .y = x,
                                                                .kernel = op.kernel,
                                                                .stride = op.stride,
                                                                .dilation = op.dilation,
                                                                .pad_begin = op.pad_begin});
  for (std::size_t n = 0; n < size(x[0]); ++n) {
    for (std::size_t c = 0; c < size(x[1]); ++c) {
      for (std::size_t k = 0; k < group_filters; ++k) {
        const std::size_t filter = c / group_channels * group_filters + k;
        for (const detail::Tap& t : windows) {
          y.values[(n * size(op.filters) + filter) * to + t.input] +=
              in[0].values[(n * size(x[1]) + c) * from + t.output] *
              in[1].values[(c * group_filters + k) * taps + t.tap];
        }
      }
    }
  }
  return {y};
}

void gradient(const ops::ConvTranspose& op, GradientContext& context) {
  if (context.wants(0) || context.wants(1)) {
    const WayBack back = way_back(op, context);
    if (context.wants(0)) {
      context.add_gradient(0, context.emit(back.conv, {back.dy, context.x(1)}, "x"));
    }
    if (context.wants(1)) {
      const ops::ConvWeightGrad weight_grad{.weight = context.shape(context.x(1)),
                                            .stride = op.stride,
                                            .dilation = op.dilation,
                                            .pad_begin = op.pad_begin,
                                            .pad_end = back.conv.pad_end,
                                            .groups = op.groups};
      context.add_gradient(1, context.emit(weight_grad, {back.dy, context.x(0)}, "weight"));
    }
  }
  if (context.input_count() > 2 && context.wants(2)) {
    context.add_gradient(2, context.emit(ops::BiasGrad{}, {context.dy()}, "bias"));
  }
}

}  // namespace halcyon::compiler
