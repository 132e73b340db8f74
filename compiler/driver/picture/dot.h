#pragma once
/// Diagrams in the language of Graphviz.

#include <string>
#include <vector>

#include "compiler/driver/picture/diagram.h"

namespace halcyon::compiler {

struct View {
  std::string name;   ///< "before", "after": also the prefix of its identifiers
  std::string title;  ///< "lenet5 as it was written"
  Diagram diagram;
};

/// One digraph with a cluster for each view, and in it a cluster for each group.
std::string dot_text(const std::string& network, const std::vector<View>& views);

}  // namespace halcyon::compiler
