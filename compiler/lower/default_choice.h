#pragma once
/// The untuned schedule of each kernel, derived from the target's registers and vector width.

#include "compiler/lower/choice.h"

namespace halcyon::compiler {

struct KernelSpec;

Choice default_choice(const KernelSpec& spec);

}  // namespace halcyon::compiler
