#include <algorithm>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::ScaleFilters&, HostInputs in, int64_t) {
  HostTensor scaled = in[0];
  const std::size_t elements = in[0].values.size() / in[1].values.size();
  for (std::size_t i = 0; i < scaled.values.size(); ++i) {
    scaled.values[i] *= in[1].values[i / elements];
  }
  return {scaled};
}

HostTensors reference(const ops::StackFilters& op, HostInputs in, int64_t) {
  HostTensor stacked = {in[0].shape, {}};
  stacked.shape[0] = 0;
  for (const HostTensor& weight : in) {
    const int64_t elements = weight.shape.elements() / weight.shape[0];
    stacked.shape[0] += op.filled(weight.shape[0]);
    stacked.values.insert(stacked.values.end(), weight.values.begin(), weight.values.end());
    stacked.values.resize(static_cast<std::size_t>(stacked.shape[0] * elements));
  }
  return {stacked};
}

void gradient(const ops::ScaleFilters&, GradientContext& context) { context.refuse(); }
void gradient(const ops::StackFilters&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
