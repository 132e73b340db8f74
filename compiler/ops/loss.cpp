/// Meaning and gradient of softmax and the losses.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

/// Calls `visit(at)` for each position of each sample; its channel c is the value number at(c).
template <class Visit>
void for_each_position(const HostTensor& x, const Visit& visit) {
  const auto channels = static_cast<std::size_t>(x.shape[1]);
  const auto positions = static_cast<std::size_t>(detail::positions(x.shape));
  for (std::size_t i = 0; i < x.values.size() / channels; ++i) {
    const std::size_t first = i / positions * channels * positions + i % positions;
    visit([=](std::size_t c) { return first + c * positions; });
  }
}

HostTensor softmax(const HostTensor& x) {
  HostTensor y = x;
  const auto channels = static_cast<std::size_t>(x.shape[1]);
  for_each_position(x, [&](const auto& at) {
    double most = x.values[at(0)], sum = 0;
    for (std::size_t c = 1; c < channels; ++c) most = std::max(most, x.values[at(c)]);
    for (std::size_t c = 0; c < channels; ++c) {
      sum += y.values[at(c)] = std::exp(x.values[at(c)] - most);
    }
    for (std::size_t c = 0; c < channels; ++c) y.values[at(c)] /= sum;
  });
  return y;
}

// Not the logarithm of softmax(): that is minus infinity where the probability vanishes.
HostTensor log_softmax(const HostTensor& x) {
  HostTensor y = x;
  const auto channels = static_cast<std::size_t>(x.shape[1]);
  for_each_position(x, [&](const auto& at) {
    double most = x.values[at(0)], sum = 0;
    for (std::size_t c = 1; c < channels; ++c) most = std::max(most, x.values[at(c)]);
    for (std::size_t c = 0; c < channels; ++c) sum += std::exp(x.values[at(c)] - most);
    for (std::size_t c = 0; c < channels; ++c) y.values[at(c)] -= most + std::log(sum);
  });
  return y;
}

// Position of each sample's labelled score. Errors: UserError for a label that is no class.
std::vector<std::size_t> labelled(const HostTensor& scores, const HostTensor& labels) {
  const int64_t classes = scores.shape[1];
  std::vector<std::size_t> at;
  for (std::size_t n = 0; n < labels.values.size(); ++n) {
    const double label = labels.values[n];
    if (!(label >= 0 && label < static_cast<double>(classes) && label == std::floor(label))) {
      char text[32];
      std::snprintf(text, sizeof text, "label %g", label);
      throw UserError(text + (" of sample " + std::to_string(n)) + " is no whole number in [0," +
                      std::to_string(classes) + ")");
    }
    at.push_back(n * static_cast<std::size_t>(classes) + static_cast<std::size_t>(label));
  }
  return at;
}

}  // namespace

HostTensors reference(const ops::Softmax&, HostInputs in, int64_t) { return {softmax(in[0])}; }

// From y and not from x, so that x need not be kept.
void gradient(const ops::Softmax&, GradientContext& context) {
  context.add_gradient(0, context.emit(ops::SoftmaxGrad{}, {context.dy(), context.y()}, "x"));
}

HostTensors reference(const ops::SoftmaxGrad&, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  const HostTensor &dy = in[0], &y = in[1];
  const auto channels = static_cast<std::size_t>(y.shape[1]);
  for_each_position(y, [&](const auto& at) {
    double sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += dy.values[at(c)] * y.values[at(c)];
    for (std::size_t c = 0; c < channels; ++c) {
      dx.values[at(c)] = y.values[at(c)] * (dy.values[at(c)] - sum);
    }
  });
  return {dx};
}

void gradient(const ops::SoftmaxGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::LogSoftmax&, HostInputs in, int64_t) {
  return {log_softmax(in[0])};
}

void gradient(const ops::LogSoftmax&, GradientContext& context) {
  context.add_gradient(0, context.emit(ops::LogSoftmaxGrad{}, {context.dy(), context.y()}, "x"));
}

HostTensors reference(const ops::LogSoftmaxGrad&, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  const HostTensor &dy = in[0], &y = in[1];
  const auto channels = static_cast<std::size_t>(y.shape[1]);
  for_each_position(y, [&](const auto& at) {
    double sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += dy.values[at(c)];
    for (std::size_t c = 0; c < channels; ++c) {
      dx.values[at(c)] -= std::exp(y.values[at(c)]) * sum;
    }
  });
  return {dx};
}

void gradient(const ops::LogSoftmaxGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::SoftmaxCrossEntropy&, HostInputs in, int64_t) {
  const HostTensor logarithms = log_softmax(in[0]);
  double sum = 0;
  for (std::size_t at : labelled(in[0], in[1])) sum -= logarithms.values[at];
  return {{Shape{}, {sum / static_cast<double>(in[0].shape[0])}}};
}

void gradient(const ops::SoftmaxCrossEntropy&, GradientContext& context) {
  if (context.wants(1)) {
    context.refuse("has no gradient towards its labels",
                   "labels are class numbers that the host gives: use net.labels()");
  }
  const ops::SoftmaxCrossEntropyGrad grad{.weight = context.loss_weight()};
  context.add_gradient(0, context.emit(grad, {context.x(0), context.x(1)}, "x"));
}

HostTensors reference(const ops::SoftmaxCrossEntropyGrad& op, HostInputs in, int64_t) {
  HostTensor dx = softmax(in[0]);
  for (std::size_t at : labelled(in[0], in[1])) dx.values[at] -= 1;
  for (double& d : dx.values) {
    d *= static_cast<double>(op.weight) / static_cast<double>(in[0].shape[0]);
  }
  return {dx};
}

void gradient(const ops::SoftmaxCrossEntropyGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::MeanSquare&, HostInputs in, int64_t) {
  double sum = 0;
  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
    const double difference = in[0].values[i] - in[1].values[i];
    sum += difference * difference;
  }
  return {{Shape{}, {sum / static_cast<double>(in[0].values.size())}}};
}

void gradient(const ops::MeanSquare&, GradientContext& context) {
  const ops::MeanSquareGrad grad{.weight = context.loss_weight()};
  // Both sides may be computed: the square does not change when they are exchanged.
  if (context.wants(0)) {
    context.add_gradient(0, context.emit(grad, {context.x(0), context.x(1)}, "x"));
  }
  if (context.wants(1)) {
    context.add_gradient(1, context.emit(grad, {context.x(1), context.x(0)}, "target"));
  }
}

HostTensors reference(const ops::MeanSquareGrad& op, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  const double factor =
      2 * static_cast<double>(op.weight) / static_cast<double>(in[0].values.size());
  for (std::size_t i = 0; i < dx.values.size(); ++i) {
    dx.values[i] = factor * (in[0].values[i] - in[1].values[i]);
  }
  return {dx};
}

void gradient(const ops::MeanSquareGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
