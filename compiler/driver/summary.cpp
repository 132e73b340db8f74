#include "compiler/driver/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compiler/driver/number_text.h"
#include "compiler/passes/pipeline.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

std::vector<LayerFacts> layers_of(const Graph& graph) {
  const std::vector<bool> needed = needed_for_outputs(graph);
  std::vector<bool> counted(needed.size());  // a parameter that two layers share is the first's
  std::vector<LayerFacts> layers;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& node = graph.node(id);
    const bool is_layer = !std::holds_alternative<ops::Parameter>(node.op) &&
                          !std::holds_alternative<ops::Constant>(node.op);
    if (!needed[static_cast<std::size_t>(id)] || !is_layer) continue;
    LayerFacts layer;
    layer.name = node.name.view();
    layer.op = name_of(node.op);
    layer.shape = node.outputs[0];
    layer.elements = node.outputs[0].elements();
    layer.macs = macs_of(node.op, graph.input_shapes(node), node.outputs);
    for (Value v : node.inputs) {
      const auto* parameter = std::get_if<ops::Parameter>(&graph.node(v).op);
      if (parameter == nullptr || counted[static_cast<std::size_t>(v.node)]) continue;
      counted[static_cast<std::size_t>(v.node)] = true;
      if (parameter->trainable) layer.parameters += parameter->shape.elements();
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

RegionFacts region_facts(const Program& program, const Region& region) {
  RegionFacts facts;
  const Graph& graph = program.graph;
  for (int32_t id : region.nodes) {
    const Node& node = graph.node(id);
    facts.nodes.emplace_back(node.name.view());
    facts.macs += macs_of(node.op, graph.input_shapes(node), node.outputs);
  }
  for (Value v : region.outputs) {
    const auto layout = program.layouts.find(v);
    facts.outputs.push_back(layout == program.layouts.end() ? halcyon::to_string(graph.shape(v))
                                                            : to_string(layout->second));
  }
  return facts;
}

/// Columns as wide as their widest cell; the first is flush left, the others as `left` says.
std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view left) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i == 0 ? "" : "  ";
      line += left.at(i) == 'l' ? fmt::format("{:<{}}", row[i], widths[i])
                                : fmt::format("{:>{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string or_nothing(int64_t number) { return number == 0 ? "" : grouped(number); }

std::string joined(const std::vector<std::string>& words, const char* between) {
  return fmt::format("{}", fmt::join(words, between));
}

}  // namespace

std::vector<bool> needed_for_outputs(const Graph& graph) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.node_count()));
  for (const Output& output : graph.outputs) {
    needed[static_cast<std::size_t>(output.value.node)] = true;
  }
  for (int32_t id = graph.node_count() - 1; id >= 0; --id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    for (Value v : graph.node(id).inputs) needed[static_cast<std::size_t>(v.node)] = true;
  }
  return needed;
}

Summary summarize(const Graph& graph, const Program& program) {
  Summary summary;
  summary.network = graph.name.view();
  summary.layers = layers_of(graph);
  for (std::size_t r = 0; r < program.regions.size(); ++r) {
    auto& list = r < program.prepare_regions ? summary.prepare : summary.regions;
    list.push_back(region_facts(program, program.regions[r]));
  }
  for (const LayerFacts& layer : summary.layers) {
    summary.parameters += layer.parameters;
    summary.macs += layer.macs;
  }
  summary.parameter_bytes = program.memory.parameter_bytes;
  summary.prepared_bytes = program.memory.prepared_bytes;
  summary.per_sample_bytes = program.memory.per_sample_bytes;
  summary.per_sample_lower_bound_bytes = program.memory.per_sample_lower_bound;
  summary.fixed_bytes = program.memory.fixed_bytes;
  summary.prepare_bytes = program.memory.prepare_bytes;
  return summary;
}

Summary summarize(const Graph& graph, const Target& target, const FusionChoice& fusing,
                  bool exact) {
  Program program;
  program.graph = graph;
  PassContext context;
  context.target = target;
  context.fusing = fusing;
  context.exact = exact;
  run_passes(program, context, inference_passes());
  Summary summary = summarize(graph, program);
  summary.machine = target;
  return summary;
}

std::string to_text(const Summary& s) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "operator", "shape", "kB", "parameters", "multiply-adds"}};
  for (const LayerFacts& layer : s.layers) {
    rows.push_back({layer.name, layer.op, halcyon::to_string(layer.shape),
                    kilobytes(4 * layer.elements), or_nothing(layer.parameters),
                    or_nothing(layer.macs)});
  }
  rows.push_back({"total", "", "", "", grouped(s.parameters), grouped(s.macs)});
  std::string text = s.network + "\n\n" + table(rows, "lllrrr");

  rows = {{"kernel", "multiply-adds", "writes"}};
  for (const RegionFacts& region : s.regions) {
    rows.push_back(
        {joined(region.nodes, "+"), or_nothing(region.macs), joined(region.outputs, "; ")});
  }
  text += fmt::format("\n{} kernels, each one loop nest\n\n", s.regions.size());
  text += table(rows, "lrl");
  if (!s.prepare.empty()) {
    text += fmt::format("\n{} more run once, when the parameters are known, and leave {} kB\n",
                        s.prepare.size(), kilobytes(s.prepared_bytes));
  }
  text +=
      fmt::format("\nparameters {} kB\nworkspace {} kB a sample (most that lives at once: {} kB)",
                  kilobytes(s.parameter_bytes), kilobytes(s.per_sample_bytes),
                  kilobytes(s.per_sample_lower_bound_bytes));
  if (s.fixed_bytes > 0) text += fmt::format(" and {} kB", kilobytes(s.fixed_bytes));
  if (s.prepare_bytes > 0) text += fmt::format(", at least {} kB", kilobytes(s.prepare_bytes));
  text += fmt::format("\nmade for vectors of {} and {} kB of cache beside each core",
                      s.machine.vector_width, s.machine.l2_bytes / 1024);
  return text + "\n";
}

nlohmann::json to_json(const Summary& s) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerFacts& layer : s.layers) {
    std::vector<int64_t> shape;  // without the batch
    for (int axis = layer.shape.has_batch() ? 1 : 0; axis < layer.shape.rank; ++axis) {
      shape.push_back(layer.shape[axis]);
    }
    layers.push_back({{"name", layer.name},
                      {"operator", layer.op},
                      {"shape", shape},
                      {"elements", layer.elements},
                      {"parameters", layer.parameters},
                      {"macs", layer.macs}});
  }
  const auto list_of = [](const std::vector<RegionFacts>& regions) {
    nlohmann::json list = nlohmann::json::array();
    for (const RegionFacts& region : regions) {
      list.push_back({{"nodes", region.nodes}, {"outputs", region.outputs}, {"macs", region.macs}});
    }
    return list;
  };
  return {{"network", s.network},
          {"layers", layers},
          {"kernels", list_of(s.regions)},
          {"prepare", list_of(s.prepare)},
          {"parameters", s.parameters},
          {"macs", s.macs},
          {"vector_width", s.machine.vector_width},
          {"l2_bytes", s.machine.l2_bytes},
          {"parameter_bytes", s.parameter_bytes},
          {"prepared_bytes", s.prepared_bytes},
          {"workspace_bytes_per_sample", s.per_sample_bytes},
          {"workspace_lower_bound_bytes_per_sample", s.per_sample_lower_bound_bytes},
          {"workspace_fixed_bytes", s.fixed_bytes},
          {"workspace_prepare_bytes", s.prepare_bytes}};
}

}  // namespace halcyon::compiler
