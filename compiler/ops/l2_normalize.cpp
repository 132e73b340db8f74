/// Meaning and gradient of division by the length of each position's channels.

#include <algorithm>
#include <cmath>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// Calls body(indices of the channels) for each position of each sample.
template <class Body>
void for_each_position(const Shape& shape, const Body& body) {
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto positions = static_cast<std::size_t>(detail::positions(shape));
  std::vector<std::size_t> at(channels);
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]) * positions; ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      at[c] = i / positions * channels * positions + c * positions + i % positions;
    }
    body(at);
  }
}

double dot(const HostTensor& a, const HostTensor& b, const std::vector<std::size_t>& at) {
  double sum = 0;
  for (std::size_t i : at) sum += a.values[i] * b.values[i];
  return sum;
}

}  // namespace

HostTensors reference(const ops::L2Normalize& op, HostInputs in, int64_t) {
  HostTensor y = in[0];
  for_each_position(y.shape, [&](const std::vector<std::size_t>& at) {
    const double length =
        std::max(std::sqrt(dot(in[0], in[0], at)), static_cast<double>(op.epsilon));
    for (std::size_t i : at) y.values[i] /= length;
  });
  return {y};
}

void gradient(const ops::L2Normalize& op, GradientContext& context) {
  context.add_gradient(0, context.emit(ops::L2NormalizeGrad{.epsilon = op.epsilon},
                                       {context.dy(), context.x(0)}, "x"));
}

// dx = (dy - y * sum(dy * y)) / length, and dy / epsilon where epsilon takes the length's place.
HostTensors reference(const ops::L2NormalizeGrad& op, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  const HostTensor &dy = in[0], &x = in[1];
  for_each_position(dx.shape, [&](const std::vector<std::size_t>& at) {
    const double length = std::sqrt(dot(x, x, at));
    const auto epsilon = static_cast<double>(op.epsilon);
    const double along = length > epsilon ? dot(dy, x, at) / (length * length) : 0;
    for (std::size_t i : at) {
      dx.values[i] = (dy.values[i] - x.values[i] * along) / std::max(length, epsilon);
    }
  });
  return {dx};
}

void gradient(const ops::L2NormalizeGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
