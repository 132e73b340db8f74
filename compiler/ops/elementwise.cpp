/// Meaning and gradient of copying.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::Copy&, HostInputs in, int64_t) { return {in[0]}; }

void gradient(const ops::Copy&, GradientContext& context) { context.add_gradient(0, context.dy()); }

}  // namespace halcyon::compiler
