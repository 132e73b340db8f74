/// A place of its own for everything that leaves the graph: losses, gradients of parameters,
/// outputs.

#include <algorithm>
#include <map>
#include <set>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

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
          const auto here = inputs.begin() + static_cast<std::ptrdiff_t>(i);
          if (std::find(inputs.begin(), here, *here) == here) continue;
          FixedString name = copy.node(*here).name;
          name.append(".copy");
          separate[i] = {copy.add(ops::Copy{}, {*here}, name, node.place), 0};
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
                        std::holds_alternative<ops::LogSoftmax>(result.node(o.value).op) ||
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
