#pragma once
/// Numbers as people meant them.

#include <string>

#include "dsl/formula_text.h"

namespace halcyon::compiler {

/// 0.1 of 0.1f: one minus it is what somebody means who writes 0.9f.
inline double decimal(float value) { return std::stod(dsl::detail::shortest(value)); }

}  // namespace halcyon::compiler
