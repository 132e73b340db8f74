#include "compiler/graph/source_steps.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "compiler/graph/source_layers.h"
#include "compiler/graph/source_words.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Node;
using dsl::Value;

/// Gives names as dsl::Network does, so that those which it finds by itself need not be written.
class Names {
 public:
  /// Whether a layer of that kind without a name would get this one now.
  bool is_next(const std::string& kind, const std::string& name) const {
    return next(kind).second == name;
  }

  void count(const std::string& kind) { counters_[kind] = next(kind).first; }

  /// Errors: UserError where the network would refuse the name.
  void give(const Node& node) {
    const std::string name(node.name.view());
    bool usable = !name.empty() && node.name.size < FixedString::kCapacity;
    for (const char c : name) usable = usable && c >= ' ' && c <= '~' && c != '"' && c != '\\';
    if (!usable || !given_.insert(name).second || is_counted(name)) {
      throw UserError(dsl::describe(dsl::name_of(node.op), node.name, node.place) + ": the name " +
                          (usable ? "is that of another node" : "is not usable"),
                      "a source needs names of up to 62 printable characters, each once");
    }
  }

 private:
  std::pair<int64_t, std::string> next(const std::string& kind) const {
    const auto known = counters_.find(kind);
    int64_t number = (known == counters_.end() ? 0 : known->second) + 1;
    while (given_.contains(kind + std::to_string(number))) ++number;
    return {number, kind + std::to_string(number)};
  }

  bool is_counted(const std::string& name) const {
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;
    if (digits == name.size() || name.size() - digits > 9 || name[digits] == '0') return false;
    const auto known = counters_.find(name.substr(0, digits));
    return known != counters_.end() && std::stoll(name.substr(digits)) <= known->second;
  }

  std::map<std::string, int64_t> counters_;
  std::set<std::string> given_;
};

class Reader {
 public:
  explicit Reader(const dsl::Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes()) {
      for (const Value& value : node.inputs) ++uses_[value];
    }
  }

  SourceSteps read() {
    for (int32_t id = 0; id < graph_.node_count();) id = step(id);
    return std::move(all_);
  }

 private:
  /// Returns the node behind the step.
  int32_t step(int32_t id) {
    const Node& node = graph_.node(id);
    if (const auto* input = std::get_if<ops::Input>(&node.op)) return add_input(id, *input);
    if (const auto* constant = std::get_if<ops::Constant>(&node.op)) {
      return add_source(id, "net.constant(" + name(node) + ", " +
                                words::extents(constant->shape, 0) + ", " +
                                given(constant->values, node) + ")");
    }
    const auto own = owner_of(id);
    if (own) return add_layer(*own);
    if (const auto* parameter = std::get_if<ops::Parameter>(&node.op)) {
      return add_parameter(id, *parameter);
    }
    return add_call(id);
  }

  std::string name(const Node& node) const { return words::quoted(node.name.view()); }

  int32_t add_input(int32_t id, const ops::Input& input) {
    const Node& node = graph_.node(id);
    names_.give(node);
    const std::string text = input_text(node, input);
    if (text.empty()) refuse(node, "is an input that the language has no word for");
    const bool inside = input.target;
    all_.steps.push_back(
        {inside ? SourceStep::Form::source : SourceStep::Form::input, text, {}, id});
    return id + 1;
  }

  int32_t add_source(int32_t id, std::string text) {
    all_.steps.push_back({SourceStep::Form::source, std::move(text), {}, id});
    return id + 1;
  }

  int32_t add_parameter(int32_t id, const ops::Parameter& parameter) {
    const Node& node = graph_.node(id);
    if (!parameter.trainable) refuse(node, "is frozen, and belongs to no batch norm of its name");
    if (parameter.file_shape.rank > 0) refuse(node, "has another shape in its file");
    return add_source(id, "net.parameter(" + name(node) + ", " +
                              words::extents(parameter.shape, 0) + ", " +
                              initializer(parameter, node) + ")");
  }

  /// What a layer that begins with this node consists of, if it is one with nodes of its own.
  std::optional<LayerNodes> owner_of(int32_t id) const {
    std::optional<LayerNodes> layer = layer_at(graph_, id);
    if (!layer) return {};
    // Whatever is inside is read there alone.
    for (int32_t inner = layer->first; inner < layer->last; ++inner) {
      const auto outputs = static_cast<int32_t>(graph_.node(inner).outputs.size());
      for (int32_t output = 0; output < outputs; ++output) {
        const auto used = uses_.find({inner, output});
        const int64_t outside = used == uses_.end() ? 0 : used->second;
        if (outside != inner_uses(*layer, {inner, output}) || is_result({inner, output})) return {};
      }
    }
    return layer;
  }

  int64_t inner_uses(const LayerNodes& layer, Value value) const {
    int64_t count = 0;
    for (int32_t id = layer.first; id <= layer.last; ++id) {
      count += std::ranges::count(graph_.node(id).inputs, value);
    }
    return count;
  }

  bool is_result(Value value) const {
    return std::ranges::any_of(graph_.outputs, [&](const auto& o) { return o.value == value; }) ||
           std::ranges::any_of(graph_.losses, [&](const auto& l) { return l.value == value; });
  }

  int32_t add_layer(const LayerNodes& layer) {
    const Node& node = graph_.node(layer.last);
    std::vector<std::string> initializers;
    for (int32_t id = layer.first; id < layer.first + layer.parameters; ++id) {
      const auto& parameter = std::get<ops::Parameter>(graph_.node(id).op);
      initializers.push_back(initializer(parameter, graph_.node(id)));
    }
    return finish(layer.last, layer_words(graph_, layer, initializers), {node.inputs[0]});
  }

  /// A node without parameters of its own.
  int32_t add_call(int32_t id) {
    const Node& node = graph_.node(id);
    return finish(id, call_words(graph_, id), node.inputs);
  }

  int32_t finish(int32_t id, std::vector<SourceWords> choices, std::vector<Value> inputs) {
    const Node& node = graph_.node(id);
    if (choices.empty()) refuse(node, "is made by the compiler alone");
    const std::string own(node.name.view());
    // The first form whose own name is this one, else the first.
    const auto found = std::ranges::find_if(
        choices, [&](const SourceWords& words) { return names_.is_next(words.kind, own); });
    const bool is_named = found == choices.end();
    const SourceWords& chosen = is_named ? choices.front() : *found;
    if (is_named) {
      names_.give(node);
    } else {
      names_.count(chosen.kind);
    }
    SourceStep step = {chosen.is_layer ? SourceStep::Form::layer : SourceStep::Form::call,
                       chosen.text(is_named ? words::quoted(own) : ""), std::move(inputs), id};
    all_.steps.push_back(std::move(step));
    return id + 1;
  }

  std::string initializer(const ops::Parameter& parameter, const Node& node) {
    if (parameter.init == ops::InitKind::values) {
      return "values(" + given(parameter.values, node) + ")";
    }
    return initializer_words(parameter);
  }

  /// Values of the network's own: in their line if they are few, else in a table.
  std::string given(int64_t index, const Node& node) {
    const auto count = static_cast<int64_t>(graph_.constants.size());
    if (index < 0 || index >= count) refuse(node, "takes its values from nowhere");
    const std::vector<float>& values = graph_.constants[static_cast<std::size_t>(index)];
    constexpr std::size_t kMostInALine = 16;
    if (values.size() <= kMostInALine) {
      std::vector<std::string> parts;
      for (const float v : values) parts.push_back(words::number(v));
      return words::list(parts);
    }
    std::string table = "kValues";
    table += std::to_string(all_.tables.size() + 1);
    all_.tables.push_back({table, &values});
    return "{std::begin(" + table + "), std::end(" + table + ")}";
  }

  [[noreturn]] static void refuse(const Node& node, const std::string& why) {
    throw UserError(dsl::describe(dsl::name_of(node.op), node.name, node.place) + " " + why,
                    "a source is written of networks as they are before the compiler's passes");
  }

  const dsl::Graph& graph_;
  std::map<Value, int64_t> uses_;
  Names names_;
  SourceSteps all_;
};

}  // namespace

SourceSteps source_steps(const dsl::Graph& graph) { return Reader(graph).read(); }

}  // namespace halcyon::compiler
