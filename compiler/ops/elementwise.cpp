/// Meaning and gradient of the operators that treat every position alike.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::Relu&, HostInputs in, int64_t) {
  HostTensor y = in[0];
  for (double& v : y.values) v = v > 0 ? v : 0;
  return {y};
}

// From y and not from x, so that x need not be kept.
void gradient(const ops::Relu&, GradientContext& context) {
  context.add_gradient(0, context.emit(ops::ReluGrad{}, {context.dy(), context.y()}, "x"));
}

HostTensors reference(const ops::ReluGrad&, HostInputs in, int64_t) {
  HostTensor dx = in[0];
  for (std::size_t i = 0; i < dx.values.size(); ++i) {
    if (!(in[1].values[i] > 0)) dx.values[i] = 0;
  }
  return {dx};
}

void gradient(const ops::ReluGrad&, GradientContext& context) { context.refuse(); }

HostTensors reference(const ops::Copy&, HostInputs in, int64_t) { return {in[0]}; }

void gradient(const ops::Copy&, GradientContext& context) { context.add_gradient(0, context.dy()); }

HostTensors reference(const ops::Add&, HostInputs in, int64_t) {
  HostTensor y = in[0];
  for (std::size_t i = 0; i < y.values.size(); ++i) y.values[i] += in[1].values[i];
  return {y};
}

void gradient(const ops::Add&, GradientContext& context) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (context.wants(i)) context.add_gradient(i, context.dy());
  }
}

}  // namespace halcyon::compiler
