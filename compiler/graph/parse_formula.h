#pragma once
/// Reads the text of a formula (dsl/formula_text.h).

#include <string>
#include <string_view>

#include "dsl/stencil.h"

namespace halcyon::compiler {

/// `where` stands in front of every message, "file:line".
/// Errors: UserError for anything but a formula, for parentheses nested too deep and for a formula
/// with too many terms: the text may be hostile.
dsl::Formula parse_formula(std::string_view text, const std::string& where);

/// Reads a formula of neighbours, as dsl/formula_text.h prints it: "x(0,1) - x(0,0)".
/// Errors: as parse_formula; neighbours with different numbers of steps.
dsl::Stencil parse_stencil(std::string_view text, const std::string& where);

}  // namespace halcyon::compiler
