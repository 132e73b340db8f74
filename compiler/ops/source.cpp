/// Sources have no meaning of their own: the host, a weight file or the graph gives their values.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::Input&, HostInputs, int64_t) {
  throw InternalError("an input is given, not computed");
}

HostTensors reference(const ops::Parameter&, HostInputs, int64_t) {
  throw InternalError("a parameter is given, not computed");
}

HostTensors reference(const ops::Constant&, HostInputs, int64_t) {
  throw InternalError("a constant is given, not computed");
}

// A source has no inputs that a gradient could flow on to.

void gradient(const ops::Input&, GradientContext&) {}
void gradient(const ops::Parameter&, GradientContext&) {}
void gradient(const ops::Constant&, GradientContext&) {}

}  // namespace halcyon::compiler
