#pragma once
/// From what the user names on the command line to a graph.

#include <string>
#include <vector>

#include "dsl/graph.h"

namespace halcyon::compiler {

/// `source` is a DSL file (".cpp", compiled by $CXX or c++ and run) or "zoo:NAME" or
/// "zoo:NAME:HEIGHTxWIDTHxCHANNELS". Errors: UserError for unknown names, files that do not compile
/// (with the compiler's own messages) and networks that break a rule; SystemError when there is no
/// C++ compiler.
dsl::Graph load_graph(const std::string& source);

/// What a zoo network is, for `halcyon zoo`.
struct ZooEntry {
  std::string name;
  std::string summary;
  dsl::Graph (*build)();
};
const std::vector<ZooEntry>& zoo();

}  // namespace halcyon::compiler
