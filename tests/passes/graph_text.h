#pragma once
/// Pass tests: a graph as text in, a graph as short text out.

#include <string>
#include <string_view>

#include "compiler/graph/parse.h"
#include "compiler/passes/passes.h"
#include "dsl/print.h"

namespace halcyon::tests {

/// A program whose graph is `text` (dsl/print.h), below a header line.
inline compiler::Program program_of(std::string_view text) {
  compiler::Program program;
  program.graph = compiler::parse_graph("network \"test\"\n" + std::string(text));
  return program;
}

inline std::string name_of(const dsl::Graph& graph, dsl::Value v) {
  std::string text(graph.node(v).name.view());
  if (v.output > 0) text.append(".").append(std::to_string(v.output));
  return text;
}

inline std::string names_of(const dsl::Graph& graph, const std::vector<dsl::Value>& values) {
  std::string text;
  for (dsl::Value v : values) text += (text.empty() ? "" : ", ") + name_of(graph, v);
  return text;
}

/// One line for each node that computes, inputs by name: "relu1 = relu (conv1)"; then the outputs.
inline std::string text_of(const dsl::Graph& graph) {
  std::string text;
  for (const dsl::Node& n : graph.nodes()) {
    if (n.inputs.empty()) continue;
    text += std::string(n.name.view()) + " = " + std::string(dsl::name_of(n.op)) + " (" +
            names_of(graph, n.inputs) + ")\n";
  }
  for (const dsl::Output& o : graph.outputs) {
    text += "output " + std::string(o.name.view()) + " " + name_of(graph, o.value) + "\n";
  }
  for (const dsl::Loss& l : graph.losses) {
    text += "loss " + std::string(l.name.view()) + " " + name_of(graph, l.value) + "\n";
  }
  return text;
}

/// "conv1 relu1: x, conv1.weight -> relu1", a line for each region in execution order.
inline std::string regions_of(const compiler::Program& program) {
  std::string text;
  for (const compiler::Region& region : program.regions) {
    std::string nodes;
    for (int32_t id : region.nodes) {
      nodes += (nodes.empty() ? "" : " ") + name_of(program.graph, {id, 0});
    }
    text += nodes + ": " + names_of(program.graph, region.inputs) + " -> " +
            names_of(program.graph, region.outputs) + "\n";
  }
  return text;
}

/// The value of that name.
inline dsl::Value find(const dsl::Graph& graph, std::string_view name) {
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    if (graph.node(id).name == name) return {id, 0};
  }
  throw InternalError("no node is named " + std::string(name));
}

/// A machine with 512-bit vectors, whatever the tests run on.
inline compiler::PassContext wide_machine() {
  compiler::PassContext context;
  context.target = {.features = "", .triple = "", .vector_width = 16, .vector_registers = 32};
  return context;
}

}  // namespace halcyon::tests
