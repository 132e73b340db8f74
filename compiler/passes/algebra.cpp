/// Rewrites that compute the same values with less work.

#include <algorithm>
#include <set>

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
    if (!std::holds_alternative<ops::Relu>(graph.node(x).op) || is_result(graph, x)) return false;
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

bool unflatten_before_sum(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  Rewriter rewriter(graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      if (!std::holds_alternative<ops::Unflatten>(node.op)) return {};
                      const Node sum = copy.node(inputs[0]);  // a copy: adding moves the nodes
                      if (!std::holds_alternative<ops::Add>(sum.op)) return {};
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

bool separate_results(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  std::set<Value> seen;
  std::map<std::size_t, Value> again;  // number of a loss -> the value that it gets
  std::map<Value, std::vector<std::size_t>> repeated;
  for (std::size_t i = 0; i < graph.losses.size(); ++i) {
    const Value v = graph.losses[i].value;
    if (!seen.insert(v).second) repeated[v].push_back(i);
  }
  Rewriter rewriter(
      graph,
      [&](int32_t id, const Node& node, const Rewriter::Values& inputs,
          Graph& copy) -> Rewriter::Values {
        for (std::size_t loss : repeated[{id, 0}]) {
          again[loss] = {copy.add(node.op, inputs, graph.losses[loss].name, node.place), 0};
        }
        if (!std::holds_alternative<ops::Update>(node.op)) return {};
        Rewriter::Values separate = inputs;
        for (std::size_t i = inputs.size() / 2; i < inputs.size(); ++i) {
          const Value gradient = inputs[i];
          if (std::find(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(i),
                        gradient) == inputs.begin() + static_cast<std::ptrdiff_t>(i)) {
            continue;
          }
          FixedString name = copy.node(gradient).name;
          name.append(".copy");
          separate[i] = {copy.add(ops::Copy{}, {gradient}, name, node.place), 0};
        }
        if (separate == inputs) return {};
        return {{copy.add(node.op, separate, node.name, node.place), 0}};
      });
  if (!rewriter.changed() && again.empty()) return false;
  Graph result = rewriter.take();
  for (const auto& [loss, value] : again) result.losses[loss].value = value;
  program.graph = std::move(result);
  return true;
}

bool copy_outputs(Program& program, const PassContext&) {
  Graph result = program.graph;
  bool changed = false;
  // A softmax that nothing else reads can write the host's layout itself; every other output is
  // copied into it.
  const auto result_users = users_of(result);
  std::map<Value, int> times;
  for (Output& o : result.outputs) {
    const bool direct = std::holds_alternative<ops::Softmax>(result.node(o.value).op) ||
                        std::holds_alternative<ops::Copy>(result.node(o.value).op);
    if (direct && !result_users.contains(o.value) && times[o.value]++ == 0) continue;
    FixedString name = o.name;
    name.append(".copy");
    const dsl::Place place = result.node(o.value).place;
    o.value = {result.add(ops::Copy{}, {o.value}, name, place), 0};
    changed = true;
  }
  if (changed) program.graph = std::move(result);
  return changed;
}

}  // namespace halcyon::compiler
