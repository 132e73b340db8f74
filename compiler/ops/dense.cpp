/// Meaning and gradient of fully connected layers.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::Dense&, HostInputs in, int64_t) {
  HostTensor y = zeros({in[0].shape[0], in[1].shape[0]});
  const auto units = static_cast<std::size_t>(in[1].shape[0]);
  const auto channels = static_cast<std::size_t>(in[1].shape[1]);
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const std::size_t n = i / units;
    const std::size_t k = i % units;
    double sum = in.size() > 2 ? in[2].values[k] : 0;
    for (std::size_t c = 0; c < channels; ++c) {
      sum += in[0].values[n * channels + c] * in[1].values[k * channels + c];
    }
    y.values[i] = sum;
  }
  return {y};
}

void gradient(const ops::Dense&, GradientContext& context) {
  const Value dy = context.dy();
  if (context.wants(0)) {
    const Value weight = context.emit(ops::TransposeMatrix{}, {context.x(1)}, "transpose");
    const int64_t channels = context.shape(context.x(0))[1];
    context.add_gradient(0, context.emit(ops::Dense{.units = channels}, {dy, weight}, "x"));
  }
  if (context.wants(1)) {
    context.add_gradient(1, context.emit(ops::DenseWeightGrad{}, {context.x(0), dy}, "weight"));
  }
  if (context.input_count() > 2 && context.wants(2)) {
    context.add_gradient(2, context.emit(ops::BiasGrad{}, {dy}, "bias"));
  }
}

HostTensors reference(const ops::DenseWeightGrad&, HostInputs in, int64_t) {
  HostTensor dw = zeros({in[1].shape[1], in[0].shape[1]});
  const auto samples = static_cast<std::size_t>(in[0].shape[0]);
  const auto channels = static_cast<std::size_t>(in[0].shape[1]);
  const auto units = static_cast<std::size_t>(in[1].shape[1]);
  for (std::size_t n = 0; n < samples; ++n) {
    for (std::size_t k = 0; k < units; ++k) {
      for (std::size_t c = 0; c < channels; ++c) {
        dw.values[k * channels + c] += in[0].values[n * channels + c] * in[1].values[n * units + k];
      }
    }
  }
  return {dw};
}

void gradient(const ops::DenseWeightGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::TransposeMatrix&, HostInputs in, int64_t) {
  HostTensor y = zeros({in[0].shape[1], in[0].shape[0]});
  const auto rows = static_cast<std::size_t>(in[0].shape[0]);
  const auto columns = static_cast<std::size_t>(in[0].shape[1]);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      y.values[c * rows + r] = in[0].values[r * columns + c];
    }
  }
  return {y};
}

void gradient(const ops::TransposeMatrix&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::BiasGrad&, HostInputs in, int64_t) {
  HostTensor db = zeros({in[0].shape[1]});
  const auto positions = static_cast<std::size_t>(detail::positions(in[0].shape));
  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
    db.values[i / positions % db.values.size()] += in[0].values[i];
  }
  return {db};
}

void gradient(const ops::BiasGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
