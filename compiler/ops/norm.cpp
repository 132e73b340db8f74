/// Meaning and gradient of normalisation. With m and s the mean and sqrt(variance + epsilon) of a
/// value's channel or group, and z = (x - m) / s,
///
///   y = z * gamma + beta        dgamma = sum of dy * z        dbeta = sum of dy
///
/// over the batch and the positions of the channel. Where m and s are given numbers,
///
///   dx = dy * gamma / s
///
/// and where they are those of x itself, that is of `count` values among which x is one,
///
///   dx = (dy * gamma - sum(dy * gamma) / count - z * sum(dy * gamma * z) / count) / s
///
/// summed over the same values: what x does through m and s is in there, so nothing flows into the
/// nodes that compute them. Source: Ioffe and Szegedy 2015, section 3.

#include <algorithm>
#include <cmath>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// The number in a tensor of shape [C] or [N,groups] that belongs to each value of x.
class PerValue {
 public:
  explicit PerValue(const Shape& x) : channels_(x[1]), positions_(detail::positions(x)) {}

  std::size_t channel(std::size_t value) const {
    return value / static_cast<std::size_t>(positions_) % static_cast<std::size_t>(channels_);
  }
  double operator()(const HostTensor& numbers, std::size_t value) const {
    if (numbers.shape.rank == 1) return numbers.values[channel(value)];
    const auto groups = static_cast<std::size_t>(numbers.shape[1]);
    const auto in_group = static_cast<std::size_t>(channels_) / groups;
    const std::size_t sample =
        value / static_cast<std::size_t>(positions_) / static_cast<std::size_t>(channels_);
    return numbers.values[sample * groups + channel(value) / in_group];
  }

 private:
  int64_t channels_, positions_;
};

template <class Op>
HostTensors normalized(const Op& op, HostInputs in) {
  const PerValue of(in[0].shape);
  HostTensor y = in[0];
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const double z =
        (y.values[i] - of(in[3], i)) / std::sqrt(of(in[4], i) + static_cast<double>(op.epsilon));
    y.values[i] = z * of(in[1], i) + of(in[2], i);
  }
  return {y};
}

bool are_moments_of(const GradientContext& context, Value x, Value mean) {
  const Node* node = &context.node(mean);
  if (std::holds_alternative<ops::BatchMoments>(node->op) ||
      std::holds_alternative<ops::GroupMoments>(node->op)) {
    node = &context.node(node->inputs[0]);
  }
  return std::holds_alternative<ops::Moments>(node->op) && node->inputs[0] == x;
}

template <class Op>
void normalize_gradient(const Op& op, GradientContext& context) {
  const Value dy = context.dy(), x = context.x(0), mean = context.x(3), variance = context.x(4);
  const bool own = are_moments_of(context, x, mean);
  if (!own && (context.wants(3) || context.wants(4))) {
    context.refuse("has no gradient towards its statistics",
                   "they are parameters, or what Moments makes of x");
  }
  Value gamma_gradient, beta_gradient;
  std::vector<Value> of_x = {dy, context.x(1), mean, variance};
  if (context.wants(1) || context.wants(2) || (context.wants(0) && own)) {
    const Value sums =
        context.emit(ops::NormalizeSums{.epsilon = op.epsilon}, {dy, x, mean, variance}, "sums");
    const Value sums_times_z = {sums.node, 1};
    beta_gradient = context.emit(ops::BiasGrad{}, {sums}, "beta");
    gamma_gradient = context.emit(ops::BiasGrad{}, {sums_times_z}, "gamma");
    if (own && context.shape(mean).has_batch()) {
      const ops::GroupSums groups{.groups = context.shape(mean)[1]};
      const Value of_groups = context.emit(groups, {sums, sums_times_z, context.x(1)}, "groups");
      of_x.insert(of_x.end(), {x, of_groups, {of_groups.node, 1}});
    } else if (own) {
      of_x.insert(of_x.end(), {x, beta_gradient, gamma_gradient});
    }
  }
  if (context.wants(0)) {
    context.add_gradient(
        0, context.emit(ops::NormalizeGrad{.epsilon = op.epsilon}, std::move(of_x), "x"));
  }
  if (context.wants(1)) context.add_gradient(1, gamma_gradient);
  if (context.wants(2)) context.add_gradient(2, beta_gradient);
}

}  // namespace

HostTensors reference(const ops::BatchNorm& op, HostInputs in, int64_t) {
  return normalized(op, in);
}

void gradient(const ops::BatchNorm& op, GradientContext& context) {
  normalize_gradient(op, context);
}

HostTensors reference(const ops::Normalize& op, HostInputs in, int64_t) {
  return normalized(op, in);
}

void gradient(const ops::Normalize& op, GradientContext& context) {
  normalize_gradient(op, context);
}

HostTensors reference(const ops::Moments&, HostInputs in, int64_t) {
  HostTensor mean = zeros({in[0].shape[0], in[0].shape[1]});
  HostTensor variance = mean;
  const std::size_t count = in[0].values.size() / mean.values.size();
  for (std::size_t c = 0; c < mean.values.size(); ++c) {
    const std::span<const double> channel = std::span(in[0].values).subspan(c * count, count);
    for (double v : channel) mean.values[c] += v / static_cast<double>(count);
    for (double v : channel) {
      const double distance = v - mean.values[c];
      variance.values[c] += distance * distance / static_cast<double>(count);
    }
  }
  return {mean, variance};
}

// Only a normalisation knows what flows through the moments that it uses; see above.
void gradient(const ops::Moments&, GradientContext& context) { context.refuse(); }

// The variance of a union of equal parts is the mean of their variances plus the variance of their
// means.
HostTensors reference(const ops::GroupMoments& op, HostInputs in, int64_t) {
  HostTensor mean = zeros({in[0].shape[0], op.groups});
  HostTensor variance = mean;
  const std::size_t part = in[0].values.size() / mean.values.size();
  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
    mean.values[i / part] += in[0].values[i] / static_cast<double>(part);
  }
  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
    const double distance = in[0].values[i] - mean.values[i / part];
    variance.values[i / part] +=
        (in[1].values[i] + distance * distance) / static_cast<double>(part);
  }
  return {mean, variance};
}

void gradient(const ops::GroupMoments&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::BatchMoments&, HostInputs in, int64_t) {
  const auto samples = static_cast<std::size_t>(in[0].shape[0]);
  const auto channels = static_cast<std::size_t>(in[0].shape[1]);
  HostTensor mean = zeros({in[0].shape[1]});
  HostTensor variance = mean;
  for (std::size_t i = 0; i < samples * channels; ++i) {
    mean.values[i % channels] += in[0].values[i] / static_cast<double>(samples);
  }
  for (std::size_t i = 0; i < samples * channels; ++i) {
    const double distance = in[0].values[i] - mean.values[i % channels];
    variance.values[i % channels] +=
        (in[1].values[i] + distance * distance) / static_cast<double>(samples);
  }
  return {mean, variance};
}

void gradient(const ops::BatchMoments&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::MoveStatistics& op, HostInputs in, int64_t batch) {
  HostTensor mean = in[0], variance = in[1];
  const auto count = static_cast<double>(batch * op.positions);
  const double unbiased = count / std::max(count - 1, 1.0);
  const auto momentum = static_cast<double>(op.momentum);
  for (std::size_t c = 0; c < mean.values.size(); ++c) {
    mean.values[c] += momentum * (in[2].values[c] - mean.values[c]);
    variance.values[c] += momentum * (in[3].values[c] * unbiased - variance.values[c]);
  }
  return {mean, variance};
}

void gradient(const ops::MoveStatistics&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::NormalizeSums& op, HostInputs in, int64_t) {
  const HostTensor& dy = in[0];
  const PerValue of(dy.shape);
  const auto positions = static_cast<std::size_t>(detail::positions(dy.shape));
  HostTensor plain = zeros({dy.shape[0], dy.shape[1]});
  HostTensor times_z = plain;
  for (std::size_t i = 0; i < dy.values.size(); ++i) {
    const double z = (in[1].values[i] - of(in[2], i)) /
                     std::sqrt(of(in[3], i) + static_cast<double>(op.epsilon));
    plain.values[i / positions] += dy.values[i];
    times_z.values[i / positions] += dy.values[i] * z;
  }
  return {plain, times_z};
}

void gradient(const ops::NormalizeSums&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::GroupSums& op, HostInputs in, int64_t) {
  HostTensor plain = zeros({in[0].shape[0], op.groups});
  HostTensor times_z = plain;
  const std::vector<double>& gamma = in[2].values;
  const std::size_t in_group = in[0].values.size() / plain.values.size();
  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
    plain.values[i / in_group] += in[0].values[i] * gamma[i % gamma.size()];
    times_z.values[i / in_group] += in[1].values[i] * gamma[i % gamma.size()];
  }
  return {plain, times_z};
}

void gradient(const ops::GroupSums&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::NormalizeGrad& op, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  const HostTensor &gamma = in[1], &mean = in[2], &variance = in[3];
  const PerValue of(dx.shape);
  const bool own = in.size() > 4, of_groups = mean.shape.rank == 2;
  // How many values of x share a mean.
  const std::size_t count = dx.values.size() / mean.values.size();
  for (std::size_t i = 0; i < dx.values.size(); ++i) {
    const double s = std::sqrt(of(variance, i) + static_cast<double>(op.epsilon));
    double d = dx.values[i] * of(gamma, i);
    if (own) {
      const double z = (in[4].values[i] - of(mean, i)) / s;
      const double weight = of_groups ? 1 : of(gamma, i);  // sums of groups are weighted already
      d -= weight * (of(in[5], i) + z * of(in[6], i)) / static_cast<double>(count);
    }
    dx.values[i] = d / s;
  }
  return {dx};
}

void gradient(const ops::NormalizeGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
