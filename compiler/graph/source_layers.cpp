#include "compiler/graph/source_layers.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "compiler/graph/source_steps.h"
#include "compiler/graph/source_words.h"
#include "dsl/layers.h"
#include "dsl/norm_layers.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Graph;
using dsl::Node;
using dsl::Spatial;
using dsl::Value;
using NameAs = SourceWords::NameAs;

// Which nodes make a layer.

/// Whether the node is called "LAYER.member".
bool is_member(const Graph& graph, int32_t id, const Node& layer, std::string_view member) {
  return graph.node(id).name == dsl::detail::member_name(layer.name, member);
}

/// Whether the inputs from the second on are the parameters from `first` on, called so.
bool has_parameters(const Graph& graph, const LayerNodes& nodes,
                    const std::vector<std::string_view>& members) {
  const Node& layer = graph.node(nodes.last);
  if (members.size() != static_cast<std::size_t>(nodes.parameters) ||
      layer.inputs.size() < members.size() + 1) {
    return false;
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    const int32_t id = nodes.first + static_cast<int32_t>(i);
    if (!(layer.inputs[i + 1] == Value{id, 0}) || !is_member(graph, id, layer, members[i])) {
      return false;
    }
  }
  return true;
}

/// The layers' own parameters, weight and perhaps bias, are all that the operator reads beside x.
bool is_weighted(const Graph& graph, const LayerNodes& nodes) {
  const std::size_t inputs = graph.node(nodes.last).inputs.size();
  if (inputs == 2) return has_parameters(graph, nodes, {".weight"});
  return inputs == 3 && has_parameters(graph, nodes, {".weight", ".bias"});
}

const ops::Parameter& parameter(const Graph& graph, int32_t id) {
  return std::get<ops::Parameter>(graph.node(id).op);
}

bool is_running_statistic(const Graph& graph, int32_t id, float start) {
  const ops::Parameter& p = parameter(graph, id);
  return !p.trainable && p.init == ops::InitKind::constant && p.scale == start;
}

bool is_batch_norm(const Graph& graph, const LayerNodes& nodes) {
  return nodes.last == nodes.first + nodes.parameters &&
         has_parameters(graph, nodes, {".weight", ".bias", ".running_mean", ".running_var"}) &&
         parameter(graph, nodes.first).trainable && parameter(graph, nodes.first + 1).trainable &&
         is_running_statistic(graph, nodes.first + 2, 0) &&
         is_running_statistic(graph, nodes.first + 3, 1);
}

/// Weight, bias, moments, moments of groups where there are groups, and what they normalise.
bool is_group_norm(const Graph& graph, const LayerNodes& nodes) {
  const Node& layer = graph.node(nodes.last);
  const int32_t moments = nodes.first + nodes.parameters;
  const bool has_groups = nodes.last - moments == 2;
  if (nodes.last - moments > 2 || !has_parameters(graph, nodes, {".weight", ".bias"})) return false;
  const Node& of_channels = graph.node(moments);
  if (!std::holds_alternative<ops::Moments>(of_channels.op) ||
      !is_member(graph, moments, layer, ".moments") ||
      !(of_channels.inputs[0] == layer.inputs[0])) {
    return false;
  }
  const std::vector<Value> both = {{moments, 0}, {moments, 1}};
  if (has_groups) {
    const Node& of_groups = graph.node(moments + 1);
    const auto* op = std::get_if<ops::GroupMoments>(&of_groups.op);
    if (op == nullptr || !is_member(graph, moments + 1, layer, ".group_moments") ||
        op->groups == graph.shape(layer.inputs[0])[1] || !(of_groups.inputs == both)) {
      return false;
    }
  }
  const int32_t last = nodes.last - 1;
  return layer.inputs[3] == Value{last, 0} && layer.inputs[4] == Value{last, 1};
}

/// The numbers stand as the layers give them: one for each axis.
bool is_per_axis(const Shape& x, const std::vector<Spatial>& all) {
  for (const Spatial& numbers : all) {
    if (numbers.rank != x.spatial_rank()) return false;
    for (int axis = numbers.rank; axis < 3; ++axis) {
      if (numbers[axis] != 0) return false;
    }
  }
  return true;
}

bool is_layer(const Graph& graph, const LayerNodes& nodes) {
  const Node& layer = graph.node(nodes.last);
  const Shape x = layer.inputs.empty() ? Shape{} : graph.shape(layer.inputs[0]);
  if (std::holds_alternative<ops::BatchNorm>(layer.op)) return is_batch_norm(graph, nodes);
  for (int32_t id = nodes.first; id < nodes.first + nodes.parameters; ++id) {
    if (!parameter(graph, id).trainable) return false;
  }
  if (std::holds_alternative<ops::Normalize>(layer.op)) return is_group_norm(graph, nodes);
  if (nodes.last != nodes.first + nodes.parameters) return false;
  if (const auto* op = std::get_if<ops::Conv>(&layer.op)) {
    return is_per_axis(x, {op->kernel, op->stride, op->dilation, op->pad_begin, op->pad_end}) &&
           is_weighted(graph, nodes);
  }
  if (const auto* op = std::get_if<ops::ConvTranspose>(&layer.op)) {
    return is_per_axis(x, {op->kernel, op->stride, op->dilation, op->pad_begin, op->pad_end,
                           op->output_padding}) &&
           is_weighted(graph, nodes);
  }
  if (std::holds_alternative<ops::Dense>(layer.op)) return is_weighted(graph, nodes);
  const auto* pointwise = std::get_if<ops::Pointwise>(&layer.op);
  if (pointwise == nullptr || x.rank < 2) return false;
  const auto per_channel = [&](int32_t id) { return parameter(graph, id).shape == Shape{x[1]}; };
  const dsl::Scalar in0 = dsl::Scalar::input(0), in1 = dsl::Scalar::input(1);
  if (pointwise->function.view() == "prelu") {
    return pointwise->formula == dsl::prelu(in0, in1).formula &&
           has_parameters(graph, nodes, {".slope"}) &&
           (per_channel(nodes.first) || parameter(graph, nodes.first).shape == Shape{1});
  }
  if (pointwise->function.view() != "scale_shift" || !is_weighted(graph, nodes)) return false;
  const bool has_bias = nodes.parameters == 2;
  const dsl::Scalar scaled = in0 * in1;
  const dsl::Scalar shifted = scaled + dsl::Scalar::input(2);
  return pointwise->formula == (has_bias ? shifted : scaled).formula && per_channel(nodes.first) &&
         (!has_bias || per_channel(nodes.first + 1));
}

// What a layer is called with.

/// Collects the options that differ from their defaults.
struct Options {
  std::vector<std::string> list;

  Options& add(const char* name, const std::string& value, const std::string& unless) {
    if (value != unless) list.push_back("." + std::string(name) + " = " + value);
    return *this;
  }
  Options& flag(const char* name, bool value, bool unless) {
    return add(name, value ? "true" : "false", unless ? "true" : "false");
  }
};

std::string pad_text(const Shape& x, const Spatial& begin, const Spatial& end,
                     const std::array<Spatial, 3>& window) {
  if (!(begin == end)) {
    const dsl::Padding same =
        dsl::detail::resolve_padding(dsl::same, x, window[0], window[1], window[2]);
    if (same.begin == begin && same.end == end) return "same";
  }
  return words::padding(begin, end);
}

constexpr const char* kDefaultWeight = "fan_in()";
constexpr const char* kZero = "constant(0.0f)";
constexpr const char* kOne = "constant(1.0f)";

/// Of a layer with a weight and perhaps a bias.
void add_weighted_options(Options& options, const std::vector<std::string>& initializers,
                          const char* weight_default) {
  options.flag("bias", initializers.size() > 1, true);
  options.add("init", initializers[0], weight_default);
  if (initializers.size() > 1) options.add("bias_init", initializers[1], kZero);
}

using Initializers = std::vector<std::string>;

SourceWords say(const ops::Conv& op, const Shape& x, const Initializers& initializers) {
  Options options;
  options.add("stride", words::per_axis(op.stride), "1")
      .add("pad", pad_text(x, op.pad_begin, op.pad_end, {op.kernel, op.stride, op.dilation}), "0")
      .add("dilation", words::per_axis(op.dilation), "1")
      .add("groups", words::number(op.groups), "1");
  add_weighted_options(options, initializers, kDefaultWeight);
  return {"conv", "conv", {words::number(op.filters), words::per_axis(op.kernel)}, options.list};
}

SourceWords say(const ops::ConvTranspose& op, const Initializers& initializers) {
  Options options;
  options.add("stride", words::per_axis(op.stride), "1")
      .add("pad", words::padding(op.pad_begin, op.pad_end), "0")
      .add("dilation", words::per_axis(op.dilation), "1")
      .add("output_padding", words::per_axis(op.output_padding), "0")
      .add("groups", words::number(op.groups), "1");
  add_weighted_options(options, initializers, kDefaultWeight);
  return {"conv_transpose",
          "conv_transpose",
          {words::number(op.filters), words::per_axis(op.kernel)},
          options.list};
}

SourceWords say(const ops::Dense& op, const Initializers& initializers) {
  Options options;
  add_weighted_options(options, initializers, kDefaultWeight);
  return {"dense", "dense", {words::number(op.units)}, options.list};
}

Options norm_options(float epsilon, const Initializers& initializers) {
  Options options;
  options.add("epsilon", words::number(epsilon), words::number(dsl::NormOptions{}.epsilon))
      .add("init", initializers[0], kOne)
      .add("bias_init", initializers[1], kZero);
  return options;
}

SourceWords say(const ops::BatchNorm& op, const Initializers& initializers) {
  Options options = norm_options(op.epsilon, initializers);
  options.add("momentum", words::number(op.momentum), words::number(dsl::NormOptions{}.momentum));
  // Options stand in the order of their declaration.
  if (options.list.size() > 1 && options.list.back().starts_with(".momentum")) {
    const bool has_epsilon = options.list.front().starts_with(".epsilon");
    std::rotate(options.list.begin() + (has_epsilon ? 1 : 0), options.list.end() - 1,
                options.list.end());
  }
  return {"batch_norm", "batch_norm", {}, options.list};
}

/// The norms that differ in their groups alone.
std::vector<SourceWords> say_group_norms(const ops::Normalize& op, int64_t groups, int64_t channels,
                                         const Initializers& initializers) {
  const std::vector<std::string> options = norm_options(op.epsilon, initializers).list;
  std::vector<SourceWords> all;
  if (groups == channels) all.push_back({"instance_norm", "instance_norm", {}, options});
  if (groups == 1) all.push_back({"layer_norm", "layer_norm", {}, options});
  all.push_back({"group_norm", "group_norm", {words::number(groups)}, options});
  // Where there is one channel, a norm of each is found without those of groups.
  return all;
}

SourceWords say_pointwise(const ops::Pointwise& op, const Graph& graph, const LayerNodes& layer,
                          const Initializers& initializers) {
  Options options;
  if (op.function.view() == "prelu") {
    const bool per_channel =
        parameter(graph, layer.first).shape[0] == graph.shape(graph.node(layer.last).inputs[0])[1];
    options.flag("per_channel", per_channel, true).add("init", initializers[0], "constant(0.25f)");
    return {"prelu", "prelu", {}, options.list};
  }
  add_weighted_options(options, initializers, kOne);
  return {"scale_shift", "scale_shift", {}, options.list};
}

}  // namespace

std::optional<LayerNodes> layer_at(const Graph& graph, int32_t id) {
  LayerNodes nodes{.first = id};
  int32_t next = id;
  for (; next < graph.node_count(); ++next) {
    const auto* found = std::get_if<ops::Parameter>(&graph.node(next).op);
    if (found == nullptr) break;
    if (found->file_shape.rank > 0) return {};
  }
  nodes.parameters = next - id;
  if (nodes.parameters == 0) return {};
  // In front of the result a norm has up to two nodes of moments.
  for (nodes.last = next; nodes.last < std::min(next + 3, graph.node_count()); ++nodes.last) {
    if (is_layer(graph, nodes)) return nodes;
  }
  return {};
}

std::vector<SourceWords> layer_words(const Graph& graph, const LayerNodes& layer,
                                     const Initializers& initializers) {
  const Node& node = graph.node(layer.last);
  const Shape& x = graph.shape(node.inputs[0]);
  if (const auto* op = std::get_if<ops::Conv>(&node.op)) return {say(*op, x, initializers)};
  if (const auto* op = std::get_if<ops::ConvTranspose>(&node.op)) return {say(*op, initializers)};
  if (const auto* op = std::get_if<ops::Dense>(&node.op)) return {say(*op, initializers)};
  if (const auto* op = std::get_if<ops::BatchNorm>(&node.op)) return {say(*op, initializers)};
  if (const auto* op = std::get_if<ops::Normalize>(&node.op)) {
    return say_group_norms(*op, graph.shape(node.inputs[3])[1], x[1], initializers);
  }
  return {say_pointwise(std::get<ops::Pointwise>(node.op), graph, layer, initializers)};
}

std::string SourceWords::text(const std::string& name) const {
  std::vector<std::string> all = arguments;
  std::vector<std::string> braces = options;
  std::string called = callee;
  if (!name.empty()) {
    switch (name_as) {
      case NameAs::option: braces.push_back(".name = " + name); break;
      case NameAs::argument:
        if (!before_name.empty()) all.push_back(before_name);
        all.push_back(name);
        break;
      case NameAs::wrapper: return "named(" + called + ", " + name + ")";
      case NameAs::pair: all[0] = words::list({all[0], name}); break;
    }
  } else if (name_as == NameAs::wrapper) {
    return called;
  }
  if (!braces.empty()) all.push_back(words::list(braces));
  std::string list;
  for (const std::string& argument : all) list += (list.empty() ? "" : ", ") + argument;
  return called + "(" + list + ")";
}

std::string initializer_words(const ops::Parameter& parameter) {
  struct Rule {
    const char* text;
    dsl::Initializer rule;
  };
  const Rule rules[] = {
      {"fan_in()", dsl::fan_in()}, {"he()", dsl::he()}, {"xavier()", dsl::xavier()}};
  for (const Rule& candidate : rules) {
    const dsl::Distribution found = dsl::resolve(candidate.rule, parameter.shape);
    if (found.kind == parameter.init && found.scale == parameter.scale) return candidate.text;
  }
  const std::string number = "(" + words::number(parameter.scale) + ")";
  switch (parameter.init) {
    case ops::InitKind::uniform: return "uniform" + number;
    case ops::InitKind::normal: return "normal" + number;
    case ops::InitKind::constant: return "constant" + number;
    case ops::InitKind::values: break;
  }
  return "values({})";
}

std::string input_text(const Node& node, const ops::Input& input) {
  const std::string name = words::quoted(node.name.view());
  const Shape& shape = input.shape;
  if (input.target) {
    if (input.dtype == DType::i32 && shape == Shape{kBatch} && input.channels_last) {
      return "net.labels(" + name + ")";
    }
    if (input.dtype != DType::f32 || input.channels_last) return {};
    return "net.target(" + name + ", " + words::extents(shape, 1) + ")";
  }
  if (input.dtype != DType::f32 || input.classes != 0) return {};
  if (shape.rank == 4) {
    Options options;
    options.add("height", words::number(shape[2]), "")
        .add("width", words::number(shape[3]), "")
        .add("channels", words::number(shape[1]), "");
    if (!input.channels_last) options.add("order", "Order::chw", "");
    return "net.input(" + name + ", " + words::list(options.list) + ")";
  }
  if (input.channels_last) return {};
  return "net.input(" + name + ", " + words::extents(shape, 1) + ")";
}

}  // namespace halcyon::compiler
