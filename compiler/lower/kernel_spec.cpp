#include "compiler/lower/kernel_spec.h"

#include <algorithm>

#include "dsl/print.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

KernelArguments update_arguments(const ops::Update& update) {
  using Kind = KernelArgument::Kind;
  KernelArguments list;
  list.inputs = {{Kind::parameters, {}, 0}, {Kind::gradients, {}, 0}, {Kind::hyper, {}, 0}};
  list.outputs = {{Kind::parameters, {}, 0}};
  for (int64_t slot = 0; slot < update.state_slots(); ++slot) {
    list.inputs.push_back({Kind::state, {}, slot});
    list.outputs.push_back({Kind::state, {}, slot});
  }
  return list;
}

std::string layout_text(const Program& program, Value v) {
  const auto weight = program.weights.find(v);
  if (weight != program.weights.end()) return to_string(weight->second);
  return to_string(program.layouts.at(v));
}

}  // namespace

KernelArguments kernel_arguments(const Program& program, const Region& region) {
  const Node& first = program.graph.node(region.nodes.front());
  if (const auto* update = std::get_if<ops::Update>(&first.op)) return update_arguments(*update);
  KernelArguments list;
  for (Value v : region.inputs) list.inputs.push_back({KernelArgument::Kind::value, v, 0});
  for (Value v : region.outputs) list.outputs.push_back({KernelArgument::Kind::value, v, 0});
  if (std::holds_alternative<ops::MoveStatistics>(first.op)) {
    for (std::size_t i = 0; i < 2; ++i)
      list.outputs.push_back({KernelArgument::Kind::value, first.inputs[i], 0});
  }
  const bool draws = std::any_of(region.nodes.begin(), region.nodes.end(), [&](int32_t id) {
    return std::holds_alternative<ops::RandomMask>(program.graph.node(id).op);
  });
  if (draws) list.inputs.push_back({KernelArgument::Kind::step, {}, 0});
  return list;
}

KernelSpec make_kernel_spec(const Program& program, const Region& region, const Target& target) {
  KernelSpec spec;
  spec.program = &program;
  spec.region = &region;
  spec.target = target;
  KernelArguments list = kernel_arguments(program, region);
  spec.inputs = std::move(list.inputs);
  spec.outputs = std::move(list.outputs);
  spec.choice = region.choice;
  return spec;
}

int64_t KernelSpec::macs() const {
  int64_t sum = 0;
  for (int32_t id : region->nodes) {
    const Node& node = program->graph.node(id);
    sum += macs_of(node.op, program->graph.input_shapes(node), node.outputs);
  }
  return sum;
}

std::string KernelSpec::label() const {
  std::string text;
  for (int32_t id : region->nodes) {
    text += (text.empty() ? "" : "+") + std::string(program->graph.node(id).name.view());
  }
  return text;
}

std::string KernelSpec::text() const {
  const Graph& graph = program->graph;
  std::map<Value, std::string> names;
  std::string text = "target " + target.features + "\nchoice " + to_string(choice) + "\n";
  if (std::holds_alternative<ops::Update>(anchor().op)) {
    return text + "update " + attributes_text(anchor().op) + " bytes " +
           std::to_string(program->memory.trainable_bytes) + "\n";
  }
  for (Value v : region->inputs) {
    const std::string name = "in" + std::to_string(names.size());
    text += name + " " + halcyon::to_string(graph.shape(v)) + " " + layout_text(*program, v) + "\n";
    names[v] = name;
  }
  for (int32_t id : region->nodes) {
    const Node& node = graph.node(id);
    for (int32_t o = 0; o < static_cast<int32_t>(node.outputs.size()); ++o) {
      names[{id, o}] = "v" + std::to_string(names.size());
    }
    text += names[{id, 0}] + " = " + std::string(name_of(node.op)) + attributes_text(node.op) + "(";
    for (Value v : node.inputs) text += names.at(v) + " ";
    text += ") " + (node.outputs.empty() ? "" : halcyon::to_string(node.outputs[0])) + "\n";
  }
  for (Value v : region->outputs) {
    text += "out " + names.at(v) + " ";
    text += graph.shape(v).rank == 0 ? "scalar" : layout_text(*program, v);
    text += "\n";
  }
  return text;
}

}  // namespace halcyon::compiler
