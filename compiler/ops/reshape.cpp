/// Meaning and gradient of the operators that move values without changing them.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

// Tensors on the host are row-major, so C, H, W order is already there.
HostTensors reference(const ops::Flatten&, HostInputs in, int64_t) {
  HostTensor y = in[0];
  y.shape = {in[0].shape[0], in[0].shape.elements() / in[0].shape[0]};
  return {y};
}

void gradient(const ops::Flatten&, GradientContext& context) {
  const ops::Unflatten back{.shape = context.shape(context.x(0))};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::Unflatten& op, HostInputs in, int64_t batch) {
  return {{with_batch(op.shape, batch), in[0].values}};
}

void gradient(const ops::Unflatten&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::Concat&, HostInputs in, int64_t) {
  Shape shape = in[0].shape;
  for (const HostTensor& t : in.subspan(1)) shape[1] += t.shape[1];
  HostTensor y{shape, {}};
  const auto samples = static_cast<std::size_t>(shape[0]);
  for (std::size_t n = 0; n < samples; ++n) {
    for (const HostTensor& t : in) {
      const auto length = static_cast<std::ptrdiff_t>(t.values.size() / samples);
      const auto first = t.values.begin() + static_cast<std::ptrdiff_t>(n) * length;
      y.values.insert(y.values.end(), first, first + length);
    }
  }
  return {y};
}

void gradient(const ops::Concat&, GradientContext& context) {
  int64_t begin = 0;
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    const int64_t end = begin + context.shape(context.x(i))[1];
    if (context.wants(i)) {
      const ops::SliceChannels slice{.begin = begin, .end = end};
      std::string suffix = "x";
      suffix += std::to_string(i);
      context.add_gradient(i, context.emit(slice, {context.dy()}, suffix));
    }
    begin = end;
  }
}

HostTensors reference(const ops::SliceChannels& op, HostInputs in, int64_t) {
  HostTensor y{detail::output_shape(op, in), {}};
  const int64_t positions = detail::positions(in[0].shape);
  const int64_t sample = in[0].shape[1] * positions;
  for (int64_t n = 0; n < in[0].shape[0]; ++n) {
    const auto first = in[0].values.begin() + n * sample;
    y.values.insert(y.values.end(), first + op.begin * positions, first + op.end * positions);
  }
  return {y};
}

void gradient(const ops::SliceChannels&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
