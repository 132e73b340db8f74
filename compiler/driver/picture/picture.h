#pragma once
/// Pictures of a network: the graph as it was written and as it is compiled, what it costs, and its
/// memory. Compiles no kernel.

#include <chrono>
#include <string>
#include <vector>

#include "compiler/driver/picture/dot.h"
#include "compiler/driver/picture/memory_map.h"
#include "compiler/driver/summary.h"
#include "compiler/passes/passes.h"

namespace halcyon::compiler {

enum class Show { before, after, both };

struct Picture {
  Summary summary;
  bool train = false;
  std::vector<View> views;  ///< those asked for, "before" first
  MemoryMap per_sample, fixed;
};

/// `train`: of the training step, otherwise of inference.
/// Errors: UserError for a network with more nodes than anybody can look at; as the passes.
Picture make_picture(const Graph& graph, const PassContext& context, bool train, Show show);

/// Drawn by Graphviz. Errors: UserError if the program dot is missing, fails or takes longer.
std::string graphviz_svg(const std::string& dot, std::chrono::seconds limit);

/// A page that needs nothing but a browser.
std::string page_text(const Picture& picture);

}  // namespace halcyon::compiler
