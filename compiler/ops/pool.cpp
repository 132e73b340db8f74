/// Meaning and gradient of pooling.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// x is the pooled value, y the result.
std::vector<detail::Tap> taps_of(const ops::PoolWindow& window, const Shape& x, const Shape& y) {
  return detail::window_taps({.x = x,
                              .y = y,
                              .kernel = window.kernel,
                              .stride = window.stride,
                              .dilation = window.dilation,
                              .pad_begin = window.pad_begin});
}

// What the mean of each output position divides by: the taps that meet the input or, where padding
// counts, the padded input.
std::vector<double> divisors(ops::PoolWindow window, bool count_padding, const Shape& x,
                             const Shape& y) {
  Shape counted = x;
  if (count_padding) {
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      counted[axis + 2] += window.pad_begin[axis] + window.pad_end[axis];
    }
    window.pad_begin = 0;
  }
  std::vector<double> counts(static_cast<std::size_t>(detail::positions(y)));
  for (const detail::Tap& t : taps_of(window, counted, y)) counts[t.output] += 1;
  return counts;
}

std::size_t positions(const HostTensor& t) {
  return static_cast<std::size_t>(detail::positions(t.shape));
}

}  // namespace

HostTensors reference(const ops::MaxPool& op, HostInputs in, int64_t) {
  HostTensor y = zeros(detail::output_shape(op, in));
  HostTensor argmax = y;
  const std::vector<detail::Tap> taps = taps_of(op, in[0].shape, y.shape);
  const std::size_t from = positions(in[0]);
  const std::size_t to = positions(y);
  for (std::size_t channel = 0; channel < in[0].values.size() / from; ++channel) {
    std::vector<bool> seen(to);
    for (const detail::Tap& t : taps) {
      const double x = in[0].values[channel * from + t.input];
      double& best = y.values[channel * to + t.output];
      if (!seen[t.output] || x > best) {
        best = x;
        argmax.values[channel * to + t.output] = static_cast<double>(t.tap);
        seen[t.output] = true;
      }
    }
  }
  HostTensors out = {y};
  if (op.with_argmax) out.push_back(argmax);
  return out;
}

void gradient(const ops::MaxPool& op, GradientContext& context) {
  if (!op.with_argmax) throw InternalError("max_pool: the gradient needs the argmax");
  const ops::MaxPoolGrad grad = {op, context.shape(context.x(0))};
  context.add_gradient(0, context.emit(grad, {context.dy(), context.y(1)}, "x"));
}

HostTensors reference(const ops::MaxPoolGrad& op, HostInputs in, int64_t batch) {
  HostTensor dx = zeros(with_batch(op.input, batch));
  const std::vector<detail::Tap> taps = taps_of(op, dx.shape, in[0].shape);
  const std::size_t from = positions(in[0]);
  const std::size_t to = positions(dx);
  for (std::size_t channel = 0; channel < in[0].values.size() / from; ++channel) {
    for (const detail::Tap& t : taps) {
      if (in[1].values[channel * from + t.output] == static_cast<double>(t.tap)) {
        dx.values[channel * to + t.input] += in[0].values[channel * from + t.output];
      }
    }
  }
  return {dx};
}

void gradient(const ops::MaxPoolGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::AveragePool& op, HostInputs in, int64_t) {
  HostTensor y = zeros(detail::output_shape(op, in));
  const std::vector<detail::Tap> taps = taps_of(op, in[0].shape, y.shape);
  const std::size_t from = positions(in[0]);
  const std::size_t to = positions(y);
  const std::vector<double> counts = divisors(op, op.count_padding, in[0].shape, y.shape);
  for (std::size_t channel = 0; channel < in[0].values.size() / from; ++channel) {
    for (const detail::Tap& t : taps) {
      y.values[channel * to + t.output] += in[0].values[channel * from + t.input];
    }
  }
  for (std::size_t i = 0; i < y.values.size(); ++i) y.values[i] /= counts[i % to];
  return {y};
}

void gradient(const ops::AveragePool& op, GradientContext& context) {
  const ops::AveragePoolGrad grad = {op, context.shape(context.x(0)), op.count_padding};
  context.add_gradient(0, context.emit(grad, {context.dy()}, "x"));
}

HostTensors reference(const ops::AveragePoolGrad& op, HostInputs in, int64_t batch) {
  HostTensor dx = zeros(with_batch(op.input, batch));
  const std::vector<detail::Tap> taps = taps_of(op, dx.shape, in[0].shape);
  const std::size_t from = positions(in[0]);
  const std::size_t to = positions(dx);
  const std::vector<double> counts = divisors(op, op.count_padding, dx.shape, in[0].shape);
  for (std::size_t channel = 0; channel < in[0].values.size() / from; ++channel) {
    for (const detail::Tap& t : taps) {
      dx.values[channel * to + t.input] +=
          in[0].values[channel * from + t.output] / counts[t.output];
    }
  }
  return {dx};
}

void gradient(const ops::AveragePoolGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
