#include "compiler/passes/rewrite.h"

#include <algorithm>
#include <utility>

namespace halcyon::compiler {

using dsl::Graph;
using dsl::Node;
using dsl::Value;

namespace {

Graph empty_copy(const Graph& graph) {
  Graph copy;
  copy.name = graph.name;
  copy.constants = graph.constants;
  return copy;
}

void copy_results(const Graph& graph, const std::map<Value, Value>& map, Graph& copy) {
  for (const dsl::Output& o : graph.outputs) {
    copy.outputs.push_back({o.name, map.at(o.value), o.channels_last});
  }
  for (const dsl::Loss& l : graph.losses) {
    copy.losses.push_back({l.name, map.at(l.value), l.weight});
  }
}

/// Copies a node; `outputs` receives the copy's.
void keep(const Node& node, const std::map<Value, Value>& map, Graph& copy,
          std::vector<Value>& outputs) {
  std::vector<Value> inputs;
  for (Value v : node.inputs) inputs.push_back(map.at(v));
  const int32_t kept = copy.add(node.op, inputs, node.name, node.place);
  for (int32_t i = 0; std::cmp_less(i, node.outputs.size()); ++i) outputs.push_back({kept, i});
}

/// A copy of the nodes in `order`.
Graph copy_of(const Graph& graph, const std::vector<int32_t>& order) {
  Graph copy = empty_copy(graph);
  std::map<Value, Value> map;
  for (int32_t id : order) {
    std::vector<Value> outputs;
    keep(graph.node(id), map, copy, outputs);
    for (int32_t i = 0; std::cmp_less(i, outputs.size()); ++i)
      map[{id, i}] = outputs[static_cast<std::size_t>(i)];
  }
  copy_results(graph, map, copy);
  return copy;
}

}  // namespace

Rewriter::Rewriter(const Graph& graph, const Visit& visit)
    : Rewriter(graph, VisitNow([&](int32_t id, const Now& now, Graph& copy) {
                 const Node& node = graph.node(id);
                 Values inputs;
                 for (Value v : node.inputs) inputs.push_back(now.at(v));
                 return visit(id, node, inputs, copy);
               })) {}

Rewriter::Rewriter(const Graph& graph, const VisitNow& visit) : copy_(empty_copy(graph)) {
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& node = graph.node(id);
    Values replaced = visit(id, map_, copy_);
    if (replaced.empty()) {
      keep(node, map_, copy_, replaced);
    } else {
      changed_ = true;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      map_[{id, static_cast<int32_t>(i)}] = replaced.at(i);
    }
  }
  copy_results(graph, map_, copy_);
}

std::map<Value, std::vector<int32_t>> users_of(const Graph& graph) {
  std::map<Value, std::vector<int32_t>> users;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    for (Value v : graph.node(id).inputs) users[v].push_back(id);
  }
  return users;
}

bool is_result(const Graph& graph, Value v) {
  return std::any_of(graph.outputs.begin(), graph.outputs.end(),
                     [&](const dsl::Output& o) { return o.value == v; }) ||
         std::any_of(graph.losses.begin(), graph.losses.end(),
                     [&](const dsl::Loss& l) { return l.value == v; });
}

bool is_view(const Graph& graph, const Node& node) {
  if (std::holds_alternative<dsl::ops::Flatten>(node.op)) return true;
  return std::holds_alternative<dsl::ops::Unflatten>(node.op) &&
         std::holds_alternative<dsl::ops::Dense>(graph.node(node.inputs[0]).op) &&
         users_of(graph)[node.inputs[0]].size() == 1;
}

Graph without(const Graph& graph, const std::vector<bool>& keep) {
  std::vector<int32_t> order;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    if (keep.at(static_cast<std::size_t>(id))) order.push_back(id);
  }
  return copy_of(graph, order);
}

bool remove_unneeded(Graph& graph) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.node_count()), false);
  const auto mark = [&](int32_t id) { needed[static_cast<std::size_t>(id)] = true; };
  for (const dsl::Output& o : graph.outputs) mark(o.value.node);
  for (const dsl::Loss& l : graph.losses) mark(l.value.node);
  bool changed = false;
  for (int32_t id = graph.node_count() - 1; id >= 0; --id) {
    const Node& node = graph.node(id);
    // The host fills every input it was told of, used or not; a node without outputs is there for
    // what it changes.
    const auto* input = std::get_if<dsl::ops::Input>(&node.op);
    if ((input != nullptr && !input->target) || node.outputs.empty()) mark(id);
    if (!needed[static_cast<std::size_t>(id)]) {
      changed = true;
      continue;
    }
    for (Value v : node.inputs) mark(v.node);
  }
  if (changed) graph = without(graph, needed);
  return changed;
}

std::vector<bool> parameter_nodes(const Graph& graph) {
  std::vector<bool> list;
  for (const Node& node : graph.nodes()) {
    list.push_back(!std::holds_alternative<dsl::ops::Input>(node.op) &&
                   std::all_of(node.inputs.begin(), node.inputs.end(),
                               [&](Value v) { return list[static_cast<std::size_t>(v.node)]; }));
  }
  return list;
}

Graph with_parameters_first(const Graph& graph) {
  const std::vector<bool> of_parameters = parameter_nodes(graph);
  std::vector<int32_t> order;
  for (const bool wanted : {true, false}) {
    for (int32_t id = 0; id < graph.node_count(); ++id) {
      if (of_parameters[static_cast<std::size_t>(id)] == wanted) order.push_back(id);
    }
  }
  return copy_of(graph, order);
}

}  // namespace halcyon::compiler
