#pragma once
/// A diagram as SVG for the page: colours are classes of its style sheet, and each box, frame and
/// line says what it belongs to, for its script.

#include <string>

#include "compiler/driver/picture/diagram.h"

namespace halcyon::compiler {

/// `stage` ("before", "after") is the prefix of all identifiers: "before-3" is box 3, "after-k1"
/// the frame of group 1.
std::string graph_svg(const Diagram& diagram, const std::string& stage);

}  // namespace halcyon::compiler
