#pragma once
/// Operators and layouts in few words.

#include <string>
#include <vector>

#include "compiler/driver/picture/diagram.h"

namespace halcyon::compiler {

/// "convolution", ...: also what a style sheet calls it.
const char* to_string(Kind kind);
Kind kind_of(const Op& op);

/// Every attribute, numbers in decimal.
std::vector<Fact> attribute_facts(const Op& op);

/// "conv 7x7 /2, 64": the operator with the attributes that matter most.
std::string short_text(const Op& op);

/// "NCHW16c halo 1"
std::string short_text(const Layout& layout);

}  // namespace halcyon::compiler
