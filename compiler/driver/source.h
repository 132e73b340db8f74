#pragma once
/// From what the user names on the command line to a graph.

#include <chrono>
#include <string>

#include "dsl/graph.h"

namespace halcyon::compiler {

inline constexpr std::chrono::seconds kSourceTimeout{60};

/// `source` is a DSL file (".cpp", compiled by $CXX or c++ and run, each for `limit` at most) or
/// "zoo:NAME" or "zoo:NAME:HEIGHTxWIDTHxCHANNELS". No temporary files are left, not even by SIGINT.
/// Errors: UserError for unknown names, files that do not compile (with the compiler's own
/// messages) or do not end, and networks that break a rule; SystemError when there is no C++
/// compiler.
dsl::Graph load_graph(const std::string& source, std::chrono::seconds limit = kSourceTimeout);

}  // namespace halcyon::compiler
