/// Meaning and gradient of local response normalisation. With s = bias + alpha / n * sum of the
/// neighbours' squares,
///
///   y = x * s^-beta
///   dx = dy * s^-beta - 2 * alpha * beta / n * x * sum of dy' * x' * s'^(-beta - 1)
///
/// over all values x' that x is a neighbour of.

#include <algorithm>
#include <cmath>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// Calls body(value, neighbour), indices within a sample, for each neighbour of each value.
template <class Op, class Body>
void for_each_neighbour(const Op& op, const Shape& shape, const Body& body) {
  const auto positions = static_cast<std::size_t>(detail::positions(shape));
  const int64_t below = (op.size - 1) / 2;
  if (op.across == ops::Neighbours::positions) {
    const auto taps =
        detail::window_taps({.x = shape, .y = shape, .kernel = op.size, .pad_begin = below});
    for (std::size_t c = 0; c < static_cast<std::size_t>(shape[1]); ++c) {
      for (const detail::Tap& t : taps) body(c * positions + t.output, c * positions + t.input);
    }
    return;
  }
  for (int64_t c = 0; c < shape[1]; ++c) {
    const int64_t first = std::max<int64_t>(c - below, 0);
    const int64_t last = std::min(c + op.size - 1 - below, shape[1] - 1);
    for (int64_t other = first; other <= last; ++other) {
      for (std::size_t p = 0; p < positions; ++p) {
        body(static_cast<std::size_t>(c) * positions + p,
             static_cast<std::size_t>(other) * positions + p);
      }
    }
  }
}

// alpha / n
template <class Op>
double factor(const Op& op, const Shape& shape) {
  const int axes = op.across == ops::Neighbours::positions ? shape.spatial_rank() : 1;
  return static_cast<double>(op.alpha) / std::pow(static_cast<double>(op.size), axes);
}

// s of each value.
template <class Op>
std::vector<double> responses(const Op& op, const HostTensor& x) {
  std::vector<double> s(x.values.size(), static_cast<double>(op.bias));
  const std::size_t sample = x.values.size() / static_cast<std::size_t>(x.shape[0]);
  const double share = factor(op, x.shape);
  for (std::size_t first = 0; first < s.size(); first += sample) {
    for_each_neighbour(op, x.shape, [&](std::size_t value, std::size_t neighbour) {
      const double v = x.values[first + neighbour];
      s[first + value] += share * v * v;
    });
  }
  return s;
}

}  // namespace

HostTensors reference(const ops::LocalResponseNorm& op, HostInputs in, int64_t) {
  HostTensor y = in[0];
  const std::vector<double> s = responses(op, in[0]);
  for (std::size_t i = 0; i < s.size(); ++i) {
    y.values[i] *= std::pow(s[i], -static_cast<double>(op.beta));
  }
  return {y};
}

void gradient(const ops::LocalResponseNorm& op, GradientContext& context) {
  const ops::LocalResponseNormGrad grad{
      .size = op.size, .alpha = op.alpha, .beta = op.beta, .bias = op.bias, .across = op.across};
  context.add_gradient(0, context.emit(grad, {context.dy(), context.x(0)}, "x"));
}

HostTensors reference(const ops::LocalResponseNormGrad& op, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  const HostTensor &dy = in[0], &x = in[1];
  const std::vector<double> s = responses(op, x);
  const auto beta = static_cast<double>(op.beta);
  for (std::size_t i = 0; i < s.size(); ++i) dx.values[i] *= std::pow(s[i], -beta);
  const std::size_t sample = s.size() / static_cast<std::size_t>(x.shape[0]);
  const double share = 2 * beta * factor(op, x.shape);
  for (std::size_t first = 0; first < s.size(); first += sample) {
    for_each_neighbour(op, x.shape, [&](std::size_t value, std::size_t neighbour) {
      const std::size_t i = first + value, j = first + neighbour;
      dx.values[j] -= share * x.values[j] * dy.values[i] * x.values[i] * std::pow(s[i], -beta - 1);
    });
  }
  return {dx};
}

void gradient(const ops::LocalResponseNormGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
