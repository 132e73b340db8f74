#include "compiler/passes/rewrite.h"

#include <algorithm>

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
  for (const dsl::Output& o : graph.outputs) copy.outputs.push_back({o.name, map.at(o.value)});
  for (const dsl::Loss& l : graph.losses) {
    copy.losses.push_back({l.name, map.at(l.value), l.weight});
  }
}

}  // namespace

Rewriter::Rewriter(const Graph& graph, const Visit& visit) : copy_(empty_copy(graph)) {
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& node = graph.node(id);
    Values inputs;
    for (Value v : node.inputs) inputs.push_back(map_.at(v));
    Values replaced = visit(id, node, inputs, copy_);
    if (replaced.empty()) {
      const int32_t kept = copy_.add(node.op, inputs, node.name, node.place);
      for (int32_t i = 0; i < static_cast<int32_t>(node.outputs.size()); ++i) {
        replaced.push_back({kept, i});
      }
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
  Graph copy = empty_copy(graph);
  std::map<Value, Value> map;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    if (!keep.at(static_cast<std::size_t>(id))) continue;
    const Node& node = graph.node(id);
    std::vector<Value> inputs;
    for (Value v : node.inputs) inputs.push_back(map.at(v));
    const int32_t kept = copy.add(node.op, inputs, node.name, node.place);
    for (int32_t i = 0; i < static_cast<int32_t>(node.outputs.size()); ++i) {
      map[{id, i}] = {kept, i};
    }
  }
  copy_results(graph, map, copy);
  return copy;
}

}  // namespace halcyon::compiler
