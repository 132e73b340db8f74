#include "compiler/driver/picture/diagram.h"

#include <fmt/format.h>

#include <map>

#include "compiler/driver/dump.h"
#include "compiler/driver/number_text.h"
#include "compiler/driver/picture/describe.h"
#include "compiler/driver/summary.h"
#include "compiler/lower/kernel_spec.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

namespace {

/// The form that the passes chose for a value; empty where they have chosen none.
std::string form_text(const Program& program, Value v) {
  const auto weight = program.weights.find(v);
  if (weight != program.weights.end()) return to_string(weight->second);
  const auto layout = program.layouts.find(v);
  return layout == program.layouts.end() ? "" : to_string(layout->second);
}

std::string place_text(const Program& program, Value v) {
  const auto place = program.memory.places.find(v);
  if (place == program.memory.places.end()) return "";
  return fmt::format("{}, {} bytes", to_string(place->second), grouped(place->second.size_bytes));
}

/// Adds what is known of a node beyond its graph.
class DiagramBuilder {
 public:
  /// `program` is null before the passes.
  DiagramBuilder(const Graph& graph, const Program* program) : graph_(graph), program_(program) {
    const bool prepares = program != nullptr && program->prepare_regions > 0;
    for (const Node& node : graph.nodes()) {
      is_given_.push_back(std::holds_alternative<ops::Parameter>(node.op) ||
                          std::holds_alternative<ops::Constant>(node.op));
    }
    if (prepares) is_given_ = parameter_nodes(graph);
    for (int32_t id = 0; id < graph.node_count(); ++id) {
      if (!is_given(id)) add_node(id);
    }
    for (const dsl::Output& output : graph.outputs)
      add_result("output", output.name.view(), output.value, {});
    for (const dsl::Loss& loss : graph.losses)
      add_result("loss", loss.name.view(), loss.value,
                 {{"weight", fmt::format("{}", loss.weight)}});
  }

  void mark_training_only() {
    const std::vector<bool> needed = needed_for_outputs(graph_);
    for (const auto& [id, box] : boxes_)
      box_at(box).training_only = !needed.at(static_cast<std::size_t>(id));
    for (Box& box : diagram_.boxes) box.training_only = box.training_only || box.brief == "loss";
  }

  void add_group(const Region& region, const Target& target) {
    const KernelSpec spec = make_kernel_spec(*program_, region, target);
    Group group;
    const auto number = static_cast<int>(diagram_.groups.size());
    group.name = "kernel " + std::to_string(number + 1);
    const std::string choice = to_string(spec.choice);
    group.facts = {{"kernel", spec.label()}, {"choice", choice.empty() ? "none to make" : choice}};
    if (spec.macs() > 0) group.facts.push_back({"multiply-adds", grouped(spec.macs())});
    for (int32_t id : region.nodes) {
      const auto box = boxes_.find(id);
      if (box == boxes_.end()) continue;
      box_at(box->second).group = number;
      group.boxes.push_back(box->second);
    }
    diagram_.groups.push_back(std::move(group));
  }

  Diagram take() { return std::move(diagram_); }

 private:
  /// A parameter, or what is computed from parameters once: no box of its own.
  bool is_given(int32_t id) const { return is_given_.at(static_cast<std::size_t>(id)); }
  Box& box_at(int box) { return diagram_.boxes.at(static_cast<std::size_t>(box)); }

  void add_node(int32_t id) {
    const Node& node = graph_.node(id);
    Box box;
    box.name = node.name.view();
    box.brief = short_text(node.op);
    box.kind = kind_of(node.op);
    box.facts.push_back({"operator", std::string(dsl::name_of(node.op))});
    for (Fact& fact : attribute_facts(node.op)) box.facts.push_back(std::move(fact));
    const int64_t macs = dsl::macs_of(node.op, graph_.input_shapes(node), node.outputs);
    if (macs > 0) box.facts.push_back({"multiply-adds", grouped(macs)});
    add_parameter_facts(node, box);
    for (int32_t o = 0; o < static_cast<int32_t>(node.outputs.size()); ++o)
      add_value_facts({id, o}, node.outputs.size() > 1 ? fmt::format("output {}", o) : "output",
                      box);
    if (node.place.line > 0) {
      box.facts.push_back(
          {"written in", fmt::format("{}:{}", node.place.file.view(), node.place.line)});
    }
    boxes_[id] = add(std::move(box));
    for (Value v : node.inputs) add_edge(v, boxes_[id]);
  }

  void add_parameter_facts(const Node& node, Box& box) const {
    int64_t count = 0;
    std::string list;
    for (Value v : node.inputs) {
      if (!is_given(v.node)) continue;
      const auto* parameter = std::get_if<ops::Parameter>(&graph_.node(v).op);
      if (parameter != nullptr && parameter->trainable) count += parameter->shape.elements();
      list += (list.empty() ? "" : "\n") + std::string(graph_.node(v).name.view()) + " " +
              halcyon::to_string(graph_.shape(v));
      if (parameter == nullptr) list += ", computed once";
      const std::string form = program_ == nullptr ? "" : form_text(*program_, v);
      if (!form.empty()) list += ": " + form;
    }
    if (count > 0) box.facts.push_back({"parameters", grouped(count)});
    if (!list.empty()) box.facts.push_back({"reads parameters", list});
  }

  void add_value_facts(Value v, const std::string& name, Box& box) const {
    std::string text = halcyon::to_string(graph_.shape(v));
    if (program_ != nullptr) {
      const std::string form = form_text(*program_, v);
      const std::string place = place_text(*program_, v);
      if (!place.empty() && !form.empty()) text += "\n" + form;
      text += "\n" + (place.empty() ? "never stored" : place);
      if (program_->is_free(v.node)) text += "\nthe same bytes as its input";
    }
    box.facts.push_back({name, text});
  }

  void add_result(const char* what, std::string_view name, Value v, std::vector<Fact> facts) {
    if (is_given(v.node)) return;
    Box box;
    box.name = name;
    box.brief = what;
    box.kind = Kind::source;
    box.facts = std::move(facts);
    add_value_facts(v, "value", box);
    add_edge(v, add(std::move(box)));
  }

  int add(Box box) {
    diagram_.boxes.push_back(std::move(box));
    return static_cast<int>(diagram_.boxes.size()) - 1;
  }

  void add_edge(Value v, int to) {
    if (is_given(v.node)) return;
    Edge edge;
    edge.from = boxes_.at(v.node);
    edge.to = to;
    edge.output = v.output;
    edge.shape = halcyon::to_string(graph_.shape(v));
    if (program_ != nullptr) {
      const auto layout = program_->layouts.find(v);
      const bool stored = program_->memory.places.contains(v);
      if (stored && layout != program_->layouts.end()) edge.layout = short_text(layout->second);
    }
    // A node may read a value twice; what it reads stands at the end of the list.
    for (auto e = diagram_.edges.rbegin(); e != diagram_.edges.rend() && e->to == to; ++e) {
      if (e->from == edge.from && e->output == v.output) return;
    }
    diagram_.edges.push_back(std::move(edge));
  }

  const Graph& graph_;
  const Program* program_;
  Diagram diagram_;
  std::vector<bool> is_given_;    // by node
  std::map<int32_t, int> boxes_;  // node -> box
};

}  // namespace

Diagram diagram_of(const Graph& graph, bool train) {
  DiagramBuilder builder(graph, nullptr);
  if (!train) builder.mark_training_only();
  return builder.take();
}

Diagram diagram_of(const Program& program, const Target& target) {
  DiagramBuilder builder(program.graph, &program);
  for (const Region& region : program.call_regions()) builder.add_group(region, target);
  return builder.take();
}

}  // namespace halcyon::compiler
