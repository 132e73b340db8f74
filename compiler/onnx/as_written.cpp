#include "compiler/onnx/as_written.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/passes/rewrite.h"
#include "dsl/initializer.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Graph;
using dsl::Node;
using dsl::Value;
using Members = std::vector<std::string_view>;

// ---- which parameters belong to which layer

/// What the language calls the parameters that a layer of this kind reads behind its first input.
Members members_of(const Node& node) {
  if (std::holds_alternative<ops::BatchNorm>(node.op)) {
    return {".weight", ".bias", ".running_mean", ".running_var"};
  }
  if (std::holds_alternative<ops::Normalize>(node.op)) return {".weight", ".bias"};
  const bool is_weighted = std::holds_alternative<ops::Conv>(node.op) ||
                           std::holds_alternative<ops::ConvTranspose>(node.op) ||
                           std::holds_alternative<ops::Dense>(node.op);
  if (is_weighted && node.inputs.size() == 2) return {".weight"};
  if (is_weighted) return {".weight", ".bias"};
  const auto* pointwise = std::get_if<ops::Pointwise>(&node.op);
  if (pointwise != nullptr && pointwise->function.view() == "prelu") return {".slope"};
  return {};
}

using Users = std::map<Value, std::vector<int32_t>>;

/// The layer's parameters in order, if they are its own alone.
std::vector<int32_t> parameters_of(const Graph& graph, const Users& users, int32_t id) {
  const Node& node = graph.node(id);
  std::vector<int32_t> own;
  for (std::size_t i = 0; i < members_of(node).size(); ++i) {
    const Value input = node.inputs[i + 1];
    const bool is_own = std::holds_alternative<ops::Parameter>(graph.node(input).op) &&
                        users.at(input).size() == 1 && !is_result(graph, input);
    if (!is_own) return {};
    own.push_back(input.node);
  }
  return own;
}

// ---- order

/// Nodes as the language adds them: what a layer needs for itself right in front of it.
class Order {
 public:
  explicit Order(const Graph& graph) : graph_(graph), users_(users_of(graph)) {}

  std::vector<int32_t> find() {
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      const Node& node = graph_.node(id);
      if (std::holds_alternative<ops::Input>(node.op)) {
        put(id);
      } else if (!node.inputs.empty() && !waits(id)) {
        put(id);
      }
    }
    // Parameters and constants that nobody reads, and results that are parameters.
    for (int32_t id = 0; id < graph_.node_count(); ++id) put(id);
    return order_;
  }

 private:
  /// Moments stand behind the parameters of the one norm that reads them.
  bool waits(int32_t id) const {
    const Node& node = graph_.node(id);
    if (!std::holds_alternative<ops::Moments>(node.op) &&
        !std::holds_alternative<ops::GroupMoments>(node.op)) {
      return false;
    }
    std::set<int32_t> readers;
    for (const Value value : {Value{id, 0}, Value{id, 1}}) {
      if (is_result(graph_, value)) return false;
      const auto found = users_.find(value);
      if (found != users_.end()) readers.insert(found->second.begin(), found->second.end());
    }
    return readers.size() == 1;
  }

  void put(int32_t id) {
    if (!put_.insert(id).second) return;
    const std::vector<Value>& inputs = graph_.node(id).inputs;
    // What was computed stands further up; leaves come in the order in which they are read.
    for (const bool leaves : {true, false}) {
      for (const Value& input : inputs) {
        if (graph_.node(input).inputs.empty() == leaves) put(input.node);
      }
    }
    order_.push_back(id);
  }

  const Graph& graph_;
  const Users users_;
  std::set<int32_t> put_;
  std::vector<int32_t> order_;
};

Graph reordered(const Graph& graph) {
  Graph copy;
  copy.name = graph.name;
  std::map<Value, Value> now;
  int64_t parameters = 0;
  for (const int32_t id : Order(graph).find()) {
    const Node& node = graph.node(id);
    dsl::Op op = node.op;
    if (const auto given = dsl::given_values(op)) {
      const auto next = static_cast<int64_t>(copy.constants.size());
      copy.constants.push_back(graph.constants[static_cast<std::size_t>(*given)]);
      if (auto* constant = std::get_if<ops::Constant>(&op)) constant->values = next;
      if (auto* parameter = std::get_if<ops::Parameter>(&op)) parameter->values = next;
    }
    if (auto* parameter = std::get_if<ops::Parameter>(&op)) parameter->id = parameters++;
    std::vector<Value> inputs;
    for (const Value& input : node.inputs) inputs.push_back(now.at(input));
    const int32_t copied = copy.add(op, std::move(inputs), node.name, node.place);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const auto output = static_cast<int32_t>(i);
      now[{id, output}] = {copied, output};
    }
  }
  for (const dsl::Output& o : graph.outputs) {
    copy.outputs.push_back({o.name, now.at(o.value), o.channels_last});
  }
  return copy;
}

// ---- operators

/// Axis i + 1 of the result is axis i of the model's: the last axis becomes the channels.
bool takes_last_axis_first(const ops::Transpose& op) {
  const int axes = op.permutation.rank;
  if (axes < 2 || op.permutation[0] != axes) return false;
  for (int i = 1; i < axes; ++i) {
    if (op.permutation[i] != i) return false;
  }
  return true;
}

/// Inputs that only such a transpose reads, and that transpose.
std::map<int32_t, int32_t> turned_inputs(const Graph& graph) {
  std::map<int32_t, int32_t> turned;
  for (const auto& [value, readers] : users_of(graph)) {
    const auto* input = std::get_if<ops::Input>(&graph.node(value).op);
    if (input == nullptr || input->channels_last || is_result(graph, value)) continue;
    if (readers.size() != 1) continue;
    const auto* transpose = std::get_if<ops::Transpose>(&graph.node(readers[0]).op);
    if (transpose != nullptr && takes_last_axis_first(*transpose)) turned[value.node] = readers[0];
  }
  return turned;
}

Graph with_inputs_turned(const Graph& graph) {
  const std::map<int32_t, int32_t> turned = turned_inputs(graph);
  std::set<int32_t> transposes;
  for (const auto& [input, transpose] : turned) transposes.insert(transpose);
  return Rewriter(graph,
                  [&](int32_t id, const Node& node, const Rewriter::Values& inputs,
                      Graph& copy) -> Rewriter::Values {
                    if (transposes.contains(id)) return {inputs[0]};
                    const auto found = turned.find(id);
                    if (found == turned.end()) return {};
                    ops::Input input = std::get<ops::Input>(node.op);
                    input.shape = graph.shape({found->second, 0});
                    input.channels_last = true;
                    return {{copy.add(input, {}, node.name, node.place), 0}};
                  })
      .take();
}

/// The channels become the last axis.
bool takes_first_axis_last(const ops::Transpose& op) {
  const int axes = op.permutation.rank;
  if (axes < 2 || op.permutation[axes - 1] != 1) return false;
  for (int i = 0; i + 1 < axes; ++i) {
    if (op.permutation[i] != i + 2) return false;
  }
  return true;
}

Graph with_outputs_turned(const Graph& graph) {
  Graph turned = graph;
  for (dsl::Output& output : turned.outputs) {
    const Node& node = graph.node(output.value);
    const auto* transpose = std::get_if<ops::Transpose>(&node.op);
    if (output.channels_last || transpose == nullptr || !takes_first_axis_last(*transpose))
      continue;
    output.value = node.inputs[0];
    output.channels_last = true;
  }
  remove_unneeded(turned);
  return turned;
}

/// Maps that are laid out flat are flattened.
Graph with_flattens(const Graph& graph) {
  return Rewriter(graph,
                  [&](int32_t id, const Node& node, const Rewriter::Values& inputs,
                      Graph& copy) -> Rewriter::Values {
                    const bool is_flat = std::holds_alternative<ops::Reshape>(node.op) &&
                                         graph.shape({id, 0}).rank == 2 &&
                                         graph.shape(node.inputs[0]).rank > 2;
                    if (!is_flat) return {};
                    return {{copy.add(ops::Flatten{}, inputs, node.name, node.place), 0}};
                  })
      .take();
}

/// One slice for both, if they cut along different axes. `x` goes into the first, `middle` into the
/// second.
std::optional<ops::Slice> joined_slices(const ops::Slice& first, const ops::Slice& second,
                                        const Shape& x, const Shape& middle) {
  ops::Slice both = first;
  const auto is_whole = [](const ops::Slice& slice, int axis, const Shape& of) {
    return slice.begin[axis] == 0 && slice.end[axis] == of[axis + 1] && slice.step[axis] == 1;
  };
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    if (is_whole(second, axis, middle)) continue;
    if (!is_whole(first, axis, x)) return {};
    both.begin[axis] = second.begin[axis];
    both.end[axis] = second.end[axis];
    both.step[axis] = second.step[axis];
  }
  return both;
}

/// A model cuts one axis after the other.
Graph with_joined_slices(Graph graph) {
  for (bool changed = true; changed;) {
    const Users users = users_of(graph);
    Rewriter rewriter(
        graph, Rewriter::VisitNow([&](int32_t id, const Rewriter::Now& now,
                                      Graph& copy) -> Rewriter::Values {
          const auto* second = std::get_if<ops::Slice>(&graph.node(id).op);
          if (second == nullptr) return {};
          const Value middle = graph.node(id).inputs[0];
          const Node& before = graph.node(middle);
          const auto* first = std::get_if<ops::Slice>(&before.op);
          if (first == nullptr || users.at(middle).size() != 1 || is_result(graph, middle))
            return {};
          const auto both =
              joined_slices(*first, *second, graph.shape(before.inputs[0]), graph.shape(middle));
          if (!both) return {};
          return {{copy.add(*both, {now.at(before.inputs[0])}, before.name, before.place), 0}};
        }));
    changed = rewriter.changed();
    graph = rewriter.take();
    if (changed) remove_unneeded(graph);
  }
  return graph;
}

/// The number of groups if a reshape, a transpose and this reshape sort the channels of `x`.
int64_t shuffled_groups(const Graph& graph, const Users& users, int32_t last, Value& x) {
  const Node& joined = graph.node(last);
  if (!std::holds_alternative<ops::Reshape>(joined.op)) return 0;
  const Node& turned = graph.node(joined.inputs[0]);
  const auto* transpose = std::get_if<ops::Transpose>(&turned.op);
  if (transpose == nullptr || users.at(joined.inputs[0]).size() != 1) return 0;
  const Node& apart = graph.node(turned.inputs[0]);
  if (!std::holds_alternative<ops::Reshape>(apart.op)) return 0;
  if (users.at(turned.inputs[0]).size() != 1) return 0;
  x = apart.inputs[0];
  const Shape& from = graph.shape(x);
  const Shape& split = apart.outputs[0];
  if (!(joined.outputs[0] == from) || from.rank < 2 || split.rank != from.rank + 1) return 0;
  if (split[1] * split[2] != from[1]) return 0;
  const dsl::SampleAxes& axes = transpose->permutation;
  for (int axis = 3; axis < split.rank; ++axis) {
    if (split[axis] != from[axis - 1] || axes[axis - 1] != axis) return 0;
  }
  return axes[0] == 2 && axes[1] == 1 ? split[1] : 0;
}

Graph with_shuffles(const Graph& graph) {
  const Users users = users_of(graph);
  Rewriter rewriter(graph, Rewriter::VisitNow([&](int32_t id, const Rewriter::Now& now,
                                                  Graph& copy) -> Rewriter::Values {
                      Value x;
                      const int64_t groups = shuffled_groups(graph, users, id, x);
                      if (groups == 0) return {};
                      const Node& node = graph.node(id);
                      const ops::ChannelShuffle op{.groups = groups};
                      return {{copy.add(op, {now.at(x)}, node.name, node.place), 0}};
                    }));
  Graph shuffled = rewriter.take();
  remove_unneeded(shuffled);
  return shuffled;
}

// ---- names

/// What the language calls a node that has no name: "conv" and a number.
std::string kind_of(const Graph& graph, const Node& node) {
  if (std::holds_alternative<ops::MaxPool>(node.op) ||
      std::holds_alternative<ops::AveragePool>(node.op)) {
    return "pool";
  }
  if (const auto* reduce = std::get_if<ops::Reduce>(&node.op)) {
    const Shape& x = graph.shape(node.inputs[0]);
    bool is_global =
        x.rank > 2 && reduce->axes.rank == x.rank - 2 &&
        (reduce->kind == ops::ReduceKind::mean || reduce->kind == ops::ReduceKind::max);
    for (int i = 0; i < reduce->axes.rank; ++i) is_global = is_global && reduce->axes[i] == i + 2;
    return is_global ? "pool" : "reduce";
  }
  if (std::holds_alternative<ops::Normalize>(node.op)) {
    const int64_t groups = graph.shape(node.inputs[3])[1];
    if (groups == graph.shape(node.inputs[0])[1]) return "instance_norm";
    return groups == 1 ? "layer_norm" : "group_norm";
  }
  return std::string(dsl::name_of(node.op));
}

/// "/layer1/layer1.0/Conv", "Relu_12", "123": no person calls a layer so.
bool is_made_by_program(std::string_view name) {
  if (name.empty() || name.find_first_of("/:") != name.npos) return true;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  if (digits == 0) return true;
  return digits < name.size() && name[digits - 1] == '_' && name[0] >= 'A' && name[0] <= 'Z';
}

class Names {
 public:
  explicit Names(const Graph& graph) : graph_(graph), users_(users_of(graph)) {}

  /// By node.
  std::vector<FixedString> find() {
    names_.resize(static_cast<std::size_t>(graph_.node_count()));
    for (int32_t id = 0; id < graph_.node_count(); ++id) keep_given(id);
    for (int32_t id = 0; id < graph_.node_count(); ++id) name_layer(id);
    return names_;
  }

 private:
  FixedString& name(int32_t id) { return names_[static_cast<std::size_t>(id)]; }

  /// Names that stay: of what the host sees, of layers whose parameters are called after them, and
  /// all that somebody chose.
  void keep_given(int32_t id) {
    const Node& node = graph_.node(id);
    const std::vector<int32_t> parameters = parameters_of(graph_, users_, id);
    if (node.inputs.empty()) {
      name(id) = node.name;
      given_.insert(std::string(node.name.view()));
      return;
    }
    std::string wanted = prefix_of(parameters, members_of(node));
    if (wanted.empty() && !is_made_by_program(node.name.view())) wanted = node.name.view();
    if (wanted.empty() || !given_.insert(wanted).second) return;
    name(id) = FixedString(wanted);
  }

  /// "conv1" of conv1.weight and conv1.bias.
  std::string prefix_of(const std::vector<int32_t>& parameters, const Members& members) const {
    std::string prefix;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string_view full = graph_.node(parameters[i]).name.view();
      if (!full.ends_with(members[i]) || full.size() == members[i].size()) return {};
      const std::string own(full.substr(0, full.size() - members[i].size()));
      if (i > 0 && own != prefix) return {};
      prefix = own;
    }
    return prefix;
  }

  void name_layer(int32_t id) {
    const Node& node = graph_.node(id);
    if (node.inputs.empty()) return;
    const std::string kind = kind_of(graph_, node);
    int64_t& count = counters_[kind];
    // As dsl::Network counts: what is given is passed over, and counts if it comes in turn.
    int64_t next = count + 1;
    const std::string own(name(id).view());
    while (given_.contains(kind + std::to_string(next)) && own != kind + std::to_string(next)) {
      ++next;
    }
    if (own.empty() || own == kind + std::to_string(next)) {
      count = next;
      name(id) = FixedString(kind + std::to_string(next));
    }
    name_members(id);
  }

  void name_members(int32_t id) {
    const std::vector<int32_t> parameters = parameters_of(graph_, users_, id);
    const Members members = members_of(graph_.node(id));
    const std::string layer(name(id).view());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (layer.size() + members[i].size() >= FixedString::kCapacity) return;
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string full = layer + std::string(members[i]);
      const Node& parameter = graph_.node(parameters[i]);
      if (parameter.name.view() != full && !given_.insert(full).second) continue;
      name(parameters[i]) = FixedString(full);
    }
    if (!std::holds_alternative<ops::Normalize>(graph_.node(id).op)) return;
    const int32_t statistics = graph_.node(id).inputs[3].node;
    const bool has_groups = std::holds_alternative<ops::GroupMoments>(graph_.node(statistics).op);
    name(statistics) = FixedString(layer + (has_groups ? ".group_moments" : ".moments"));
    if (!has_groups) return;
    name(graph_.node(statistics).inputs[0].node) = FixedString(layer + ".moments");
  }

  const Graph& graph_;
  const Users users_;
  std::vector<FixedString> names_;
  std::set<std::string> given_;
  std::map<std::string, int64_t> counters_;
};

Graph renamed(const Graph& graph) {
  const std::vector<FixedString> names = Names(graph).find();
  return Rewriter(graph,
                  [&](int32_t id, const Node& node, const Rewriter::Values& inputs,
                      Graph& copy) -> Rewriter::Values {
                    const int32_t copied =
                        copy.add(node.op, inputs, names[static_cast<std::size_t>(id)], node.place);
                    Rewriter::Values outputs;
                    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
                      outputs.push_back({copied, static_cast<int32_t>(i)});
                    }
                    return outputs;
                  })
      .take();
}

}  // namespace

Graph with_ends_turned(const Graph& graph) {
  return with_outputs_turned(with_inputs_turned(graph));
}

Graph as_written(const Graph& graph) {
  const Graph turned = with_ends_turned(graph);
  return renamed(reordered(with_shuffles(with_flattens(with_joined_slices(turned)))));
}

void forget_values(Graph& graph) {
  std::map<int32_t, dsl::Initializer> rules;
  for (const Node& node : graph.nodes()) {
    const Members members = members_of(node);
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::string_view member = members[i];
      const bool is_norm = std::holds_alternative<ops::BatchNorm>(node.op) ||
                           std::holds_alternative<ops::Normalize>(node.op);
      rules[node.inputs[i + 1].node] = member == ".slope"               ? dsl::constant(0.25f)
                                       : member == ".running_var"       ? dsl::constant(1)
                                       : member == ".weight" && is_norm ? dsl::constant(1)
                                       : member == ".weight"            ? dsl::fan_in()
                                                                        : dsl::constant(0);
    }
  }
  std::vector<std::vector<float>> rest;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    dsl::Op op = graph.node(id).op;
    const auto given = dsl::given_values(op);
    if (!given) continue;
    if (auto* constant = std::get_if<ops::Constant>(&op)) {
      constant->values = static_cast<int64_t>(rest.size());
      rest.push_back(std::move(graph.constants[static_cast<std::size_t>(*given)]));
    } else {
      auto& parameter = std::get<ops::Parameter>(op);
      const auto rule = rules.find(id);
      const bool is_matrix = parameter.shape.rank > 1;
      const dsl::Distribution drawn = dsl::resolve(rule != rules.end() ? rule->second
                                                   : is_matrix         ? dsl::fan_in()
                                                                       : dsl::constant(0),
                                                   parameter.shape);
      parameter.init = drawn.kind;
      parameter.scale = drawn.scale;
      parameter.values = -1;
    }
    graph.replace_op(id, op);
  }
  graph.constants = std::move(rest);
}

}  // namespace halcyon::compiler
