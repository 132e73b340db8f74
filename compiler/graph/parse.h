#pragma once
/// The text form of a graph (dsl/print.h), read back: the way from a generator to the compiler, and
/// what the tests of passes are written in. Printing what was parsed gives the same text.
///
/// The text may come from anywhere, so nothing in it is trusted. Between the lines that `print`
/// writes there may be empty lines and lines that begin with '#'; attributes that are not given
/// keep their defaults.

#include <string_view>

#include "dsl/graph.h"

namespace halcyon::compiler {

/// Reads one graph. `source` names the text in messages.
/// Errors: UserError "source:line: ..." for text that is malformed, a value that is not defined
/// above its use, an unknown operator or attribute, a shape that is not what the shape rule gives,
/// given values of another number. What else makes a graph legal is verify's matter
/// (compiler/graph/verify.h).
dsl::Graph parse_graph(std::string_view text, std::string_view source = "graph");

}  // namespace halcyon::compiler
