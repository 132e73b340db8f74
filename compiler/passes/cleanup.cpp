/// Passes that only take away: training parts, dead nodes, nodes that stand twice or do nothing.

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

bool drop_training(Program& program, const PassContext&) {
  const bool had_losses = !program.graph.losses.empty();
  program.graph.losses.clear();
  Rewriter rewriter(program.graph,
                    [](int32_t, const Node& node, const Rewriter::Values& inputs, Graph&) {
                      const bool dropout = std::holds_alternative<ops::Dropout>(node.op);
                      return dropout ? inputs : Rewriter::Values{};
                    });
  if (rewriter.changed()) program.graph = rewriter.take();
  return remove_unneeded(program.graph) || had_losses || rewriter.changed();
}

bool remove_dead_nodes(Program& program, const PassContext&) {
  return remove_unneeded(program.graph);
}

bool merge_common_nodes(Program& program, const PassContext&) {
  std::vector<Node> seen;
  std::vector<int32_t> seen_ids;
  Rewriter rewriter(program.graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      // Two sources, two changes and two dropouts are never one.
                      const bool single = node.inputs.empty() || node.outputs.empty() ||
                                          std::holds_alternative<ops::Dropout>(node.op);
                      for (std::size_t i = 0; i < seen.size() && !single; ++i) {
                        if (seen[i].op == node.op && seen[i].inputs == inputs) {
                          Rewriter::Values same;
                          for (std::size_t o = 0; o < node.outputs.size(); ++o) {
                            same.push_back({seen_ids[i], static_cast<int32_t>(o)});
                          }
                          return same;
                        }
                      }
                      if (!single) {
                        seen.push_back({node.op, inputs, node.outputs, node.name, node.place});
                        seen_ids.push_back(copy.node_count());
                      }
                      return {};
                    });
  if (rewriter.changed()) program.graph = rewriter.take();
  return rewriter.changed();
}

bool remove_identities(Program& program, const PassContext&) {
  Rewriter rewriter(
      program.graph,
      [&](int32_t, const Node& node, const Rewriter::Values& inputs, Graph&) -> Rewriter::Values {
        const bool flat = std::holds_alternative<ops::Flatten>(node.op) &&
                          program.graph.shape(node.inputs[0]).rank == 2;
        const bool single = std::holds_alternative<ops::Concat>(node.op) && inputs.size() == 1;
        return flat || single ? inputs : Rewriter::Values{};
      });
  if (rewriter.changed()) program.graph = rewriter.take();
  return rewriter.changed();
}

}  // namespace halcyon::compiler
