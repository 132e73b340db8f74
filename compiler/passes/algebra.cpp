/// Operators that change places: the same values with less work.

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

bool sink_relu_below_max_pool(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  const auto users = users_of(graph);
  // relu keeps the order of values, so the maximum may be taken first. Only where nobody else reads
  // the relu.
  const auto sinks = [&](Value x) {
    if (!computes(graph.node(x).op, kRelu) || is_result(graph, x)) return false;
    for (int32_t user : users.at(x)) {
      const auto* pool = std::get_if<ops::MaxPool>(&graph.node(user).op);
      if (pool == nullptr || pool->with_argmax) return false;
    }
    return true;
  };
  Rewriter rewriter(graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      if (!std::holds_alternative<ops::MaxPool>(node.op) || !sinks(node.inputs[0]))
                        return {};
                      const Node& relu = graph.node(node.inputs[0]);
                      const Value before_relu = copy.node(inputs[0]).inputs[0];
                      const int32_t pooled =
                          copy.add(node.op, {before_relu}, node.name, node.place);
                      return {{copy.add(relu.op, {{pooled, 0}}, relu.name, relu.place), 0}};
                    });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_dead_nodes(program, {});
  return true;
}

bool unflatten_before_sum(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  Rewriter rewriter(graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      if (!std::holds_alternative<ops::Unflatten>(node.op)) return {};
                      const Node sum = copy.node(inputs[0]);  // a copy: adding moves the nodes
                      if (!computes(sum.op, kSum)) return {};
                      Rewriter::Values parts;
                      for (Value part : sum.inputs)
                        parts.push_back({copy.add(node.op, {part}, node.name, node.place), 0});
                      return {{copy.add(sum.op, parts, sum.name, sum.place), 0}};
                    });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_dead_nodes(program, {});
  return true;
}

bool sum_before_scatter(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  Rewriter rewriter(graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      if (!std::holds_alternative<ops::BiasGrad>(node.op)) return {};
                      const Node& scatter = graph.node(node.inputs[0]);
                      if (!std::holds_alternative<ops::MaxPoolGrad>(scatter.op)) return {};
                      const Value gathered = copy.node(inputs[0]).inputs[0];
                      return {{copy.add(node.op, {gathered}, node.name, node.place), 0}};
                    });
  if (rewriter.changed()) program.graph = rewriter.take();
  return rewriter.changed();
}

}  // namespace halcyon::compiler
