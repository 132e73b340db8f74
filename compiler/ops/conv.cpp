/// Meaning and gradient of convolution.

#include <algorithm>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// Index types: extents are int64_t, vectors count in size_t.
struct Extents {
  std::size_t batch, channels, filters, groups, x, y, taps;
  std::size_t channels_per_group() const { return channels / groups; }
  std::size_t filters_per_group() const { return filters / groups; }
};

Extents extents_of(const Shape& x, const Shape& y, const Shape& weight, int64_t groups) {
  const auto size = [](int64_t n) { return static_cast<std::size_t>(n); };
  return {size(x[0]),
          size(x[1]),
          size(y[1]),
          size(groups),
          size(detail::positions(x)),
          size(detail::positions(y)),
          size(detail::positions(weight))};
}

// Calls f(x channel, weight channel pair, y channel) with the offsets of their first values.
template <class F>
void for_each_channel_pair(const Extents& e, F f) {
  for (std::size_t n = 0; n < e.batch; ++n) {
    for (std::size_t k = 0; k < e.filters; ++k) {
      const std::size_t first = k / e.filters_per_group() * e.channels_per_group();
      for (std::size_t c = 0; c < e.channels_per_group(); ++c) {
        f((n * e.channels + first + c) * e.x, (k * e.channels_per_group() + c) * e.taps,
          (n * e.filters + k) * e.y);
      }
    }
  }
}

// Outputs side by side that one tap reads at steps of equal length.
struct Run {
  std::size_t tap, input, output, count, step;
};

// By tap: the sums of an output keep their order.
std::vector<Run> runs_of(std::vector<detail::Tap> taps) {
  std::stable_sort(taps.begin(), taps.end(),
                   [](const detail::Tap& a, const detail::Tap& b) { return a.tap < b.tap; });
  std::vector<Run> runs;
  for (const detail::Tap& t : taps) {
    if (!runs.empty()) {
      Run& last = runs.back();
      const bool is_next = t.tap == last.tap && t.output == last.output + last.count;
      if (is_next && last.count == 1 && t.input > last.input) last.step = t.input - last.input;
      if (is_next && t.input == last.input + last.count * last.step) {
        ++last.count;
        continue;
      }
    }
    runs.push_back({t.tap, t.input, t.output, 1, 1});
  }
  return runs;
}

Spatial spatial_of(const Shape& shape) {
  Spatial extents;
  extents.rank = shape.spatial_rank();
  for (int axis = 0; axis < extents.rank; ++axis) extents[axis] = shape.spatial(axis);
  return extents;
}

// Rows behind the last window are `output_padding` of the way back.
Value input_gradient(const ops::Conv& op, GradientContext& context) {
  const Shape x = context.shape(context.x(0));
  ops::ConvTranspose back{.filters = x[1],
                          .kernel = spatial_of(context.shape(context.x(1))),
                          .stride = op.stride,
                          .dilation = op.dilation,
                          .pad_begin = op.pad_begin,
                          .pad_end = op.pad_end,
                          .output_padding = Spatial(),
                          .groups = op.groups};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const int64_t room = x.spatial(axis) + op.pad_begin[axis] + op.pad_end[axis] - 1 -
                         op.dilation[axis] * (op.kernel[axis] - 1);
    back.output_padding.push_back(room % op.stride[axis]);
  }
  return context.emit(back, {context.dy(), context.x(1)}, "x");
}

}  // namespace

HostTensors reference(const ops::Conv& op, HostInputs in, int64_t) {
  HostTensor y = zeros(detail::output_shape(op, in));
  const Extents e = extents_of(in[0].shape, y.shape, in[1].shape, op.groups);
  if (in.size() > 2) {
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      y.values[i] = in[2].values[i / e.y % e.filters];
    }
  }
  const std::vector<Run> runs = runs_of(detail::window_taps({.x = in[0].shape,
                                                             .y = y.shape,
                                                             .kernel = op.kernel,
                                                             .stride = op.stride,
                                                             .dilation = op.dilation,
                                                             .pad_begin = op.pad_begin}));
  for_each_channel_pair(e, [&](std::size_t x0, std::size_t w0, std::size_t y0) {
    for (const Run& run : runs) {
      const double weight = in[1].values[w0 + run.tap];
      const double* from = in[0].values.data() + x0 + run.input;
      double* to = y.values.data() + y0 + run.output;
      if (run.step == 1) {
        for (std::size_t i = 0; i < run.count; ++i) to[i] += from[i] * weight;
      } else {
        for (std::size_t i = 0; i < run.count; ++i) to[i] += from[i * run.step] * weight;
      }
    }
  });
  return {y};
}

void gradient(const ops::Conv& op, GradientContext& context) {
  if (context.wants(0)) context.add_gradient(0, input_gradient(op, context));
  if (context.wants(1)) {
    const ops::ConvWeightGrad weight_grad{.weight = context.shape(context.x(1)),
                                          .stride = op.stride,
                                          .dilation = op.dilation,
                                          .pad_begin = op.pad_begin,
                                          .pad_end = op.pad_end,
                                          .groups = op.groups};
    context.add_gradient(1, context.emit(weight_grad, {context.x(0), context.dy()}, "weight"));
  }
  if (context.input_count() > 2 && context.wants(2)) {
    context.add_gradient(2, context.emit(ops::BiasGrad{}, {context.dy()}, "bias"));
  }
}

HostTensors reference(const ops::ConvWeightGrad& op, HostInputs in, int64_t) {
  HostTensor dw = zeros(op.weight);
  const Extents e = extents_of(in[0].shape, in[1].shape, op.weight, op.groups);
  const std::vector<detail::Tap> taps = detail::window_taps({.x = in[0].shape,
                                                             .y = in[1].shape,
                                                             .kernel = spatial_of(op.weight),
                                                             .stride = op.stride,
                                                             .dilation = op.dilation,
                                                             .pad_begin = op.pad_begin});
  for_each_channel_pair(e, [&](std::size_t x0, std::size_t w0, std::size_t y0) {
    for (const detail::Tap& t : taps) {
      dw.values[w0 + t.tap] += in[0].values[x0 + t.input] * in[1].values[y0 + t.output];
    }
  });
  return {dw};
}

void gradient(const ops::ConvWeightGrad&, GradientContext& context) { context.refuse(); }

// Scattered to the map that was pooled, then as any other.
HostTensors reference(const ops::ConvPoolWeightGrad& op, HostInputs in, int64_t batch) {
  const Spatial kernel = spatial_of(op.weight);
  const ops::Conv conv{op.weight[0], kernel, op.stride, op.dilation, op.pad_begin, op.pad_end};
  const std::array<HostTensor, 2> forward = {in[0], HostTensor{op.weight, {}}};
  const ops::MaxPoolGrad scatter{op.pool(), detail::output_shape(conv, forward)};
  const HostTensors dy = reference(scatter, in.subspan(1), batch);
  const std::array<HostTensor, 2> pair = {in[0], dy[0]};
  const ops::ConvWeightGrad whole{.weight = op.weight,
                                  .stride = op.stride,
                                  .dilation = op.dilation,
                                  .pad_begin = op.pad_begin,
                                  .pad_end = op.pad_end};
  return reference(whole, pair, batch);
}

void gradient(const ops::ConvPoolWeightGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::FlipFilter& op, HostInputs in, int64_t) {
  HostTensor flipped = zeros(op.infer({in[0].shape})[0]);
  const auto groups = static_cast<std::size_t>(op.groups);
  const auto filters = static_cast<std::size_t>(in[0].shape[0]) / groups;
  const auto channels = static_cast<std::size_t>(in[0].shape[1]);
  const auto taps = static_cast<std::size_t>(detail::positions(in[0].shape));
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t k = 0; k < filters; ++k) {
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t t = 0; t < taps; ++t) {
          flipped.values[((g * channels + c) * filters + k) * taps + taps - 1 - t] =
              in[0].values[((g * filters + k) * channels + c) * taps + t];
        }
      }
    }
  }
  return {flipped};
}

void gradient(const ops::FlipFilter&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
