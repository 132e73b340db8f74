#pragma once
/// Reads the text of a formula (dsl/formula_text.h).

#include <string>
#include <string_view>

#include "dsl/formula.h"

namespace halcyon::compiler {

/// `where` stands in front of every message, "file:line".
/// Errors: UserError for anything but a formula, for parentheses nested too deep and for a formula
/// with too many terms: the text may be hostile.
dsl::Formula parse_formula(std::string_view text, const std::string& where);

}  // namespace halcyon::compiler
