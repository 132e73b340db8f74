/// Meaning and gradient of dropout and of the mask that training puts in its place.

#include "compiler/ops/philox.h"
#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::Dropout&, HostInputs in, int64_t) { return {in[0]}; }

void gradient(const ops::Dropout&, GradientContext& context) {
  context.add_gradient(0, context.dy());
}

HostTensors reference(const ops::RandomMask& op, HostInputs in, int64_t) {
  return {random_mask_reference(op, in[0], 0, 1)};
}

// The mask is a function of place and step: what was kept is kept again.
void gradient(const ops::RandomMask& op, GradientContext& context) {
  context.add_gradient(0, context.emit(op, {context.dy()}, "x"));
}

HostTensor random_mask_reference(const ops::RandomMask& op, const HostTensor& x, uint64_t seed,
                                 int64_t step) {
  HostTensor y = x;
  const std::size_t sample = x.values.size() / static_cast<std::size_t>(x.shape[0]);
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const auto words =
        Philox::words({static_cast<uint32_t>(i % sample), static_cast<uint32_t>(i / sample),
                       static_cast<uint32_t>(step), static_cast<uint32_t>(op.stream)},
                      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
    const bool dropped = words[0] < drop_threshold(op.probability);
    y.values[i] = dropped ? 0 : x.values[i] / (1 - static_cast<double>(op.probability));
  }
  return y;
}

}  // namespace halcyon::compiler
