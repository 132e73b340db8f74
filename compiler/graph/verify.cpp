#include "compiler/graph/verify.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dsl/print.h"

namespace halcyon::compiler {
namespace {

namespace ops = dsl::ops;
using dsl::Graph;
using dsl::Node;
using dsl::Shapes;
using dsl::Value;

template <class Operator>
bool is(const Node& node) {
  return std::holds_alternative<Operator>(node.op);
}

std::string quoted(const FixedString& name) { return dsl::print_detail::quoted(name); }

// Whether this operator takes class numbers or wanted values as its second input.
bool reads_target(const Node& node) {
  return is<ops::SoftmaxCrossEntropy>(node) || is<ops::SoftmaxCrossEntropyGrad>(node) ||
         is<ops::MeanSquare>(node) || is<ops::MeanSquareGrad>(node);
}

bool reads_labels(const Node& node) {
  return is<ops::SoftmaxCrossEntropy>(node) || is<ops::SoftmaxCrossEntropyGrad>(node);
}

class Verifier {
 public:
  Verifier(const Graph& graph, Stage stage) : graph_(graph), stage_(stage) {}

  void run() {
    for (int32_t id = 0; id < graph_.node_count(); ++id) check_node(id);
    check_names();
    check_outputs();
    check_losses();
    switch (stage_) {
      case Stage::source: check_source(); break;
      case Stage::passes: break;
      case Stage::inference: check_inference(); break;
      case Stage::training: check_training(); break;
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const {
    if (stage_ == Stage::source) throw UserError(message, hint);
    throw InternalError("illegal graph: " + message);
  }
  [[noreturn]] void fail(const Node& node, const std::string& message,
                         const std::string& hint = {}) const {
    fail(where(node) + ": " + message, hint);
  }

  static std::string where(const Node& node) {
    return dsl::describe(dsl::name_of(node.op), node.name, node.place);
  }

  bool exists(Value v, int32_t before) const {
    return v.node >= 0 && v.node < before && v.output >= 0 &&
           static_cast<std::size_t>(v.output) < graph_.node(v).outputs.size();
  }

  // The type of a value of a node that has been checked.
  DType type_of(Value v) const {
    const auto* pool = std::get_if<ops::MaxPool>(&graph_.node(v).op);
    if (pool != nullptr && v.output == 1) return pool->position_type(graph_.shape(v));
    return types_[static_cast<std::size_t>(v.node)];
  }

  // The type of a node's first output; a copy has that of what it copies.
  DType first_type(const Node& node) const {
    if (const auto* input = std::get_if<ops::Input>(&node.op)) return input->dtype;
    return is<ops::Copy>(node) ? type_of(node.inputs[0]) : DType::f32;
  }

  void check_node(int32_t id) {
    const Node& node = graph_.node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!exists(node.inputs[i], id)) {
        fail(node, "reads " + dsl::to_string(node.inputs[i]) + ", which is not defined above it");
      }
    }
    check_shapes(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) check_read(node, i);
    check_attributes(node);
    types_.push_back(first_type(node));
  }

  // The type that an operator reads at each place; its shapes have been checked.
  DType wanted_type(const Node& node, std::size_t i) const {
    if (i == 1 && reads_labels(node)) return DType::i32;
    const auto* scatter = std::get_if<ops::MaxPoolGrad>(&node.op);
    if (i == 1 && scatter != nullptr) return scatter->position_type(graph_.shape(node.inputs[1]));
    const auto* gather = std::get_if<ops::ConvPoolWeightGrad>(&node.op);
    if (i == 2 && gather != nullptr) {
      return gather->pool().position_type(graph_.shape(node.inputs[2]));
    }
    return DType::f32;
  }

  void check_read(const Node& node, std::size_t i) const {
    const Value v = node.inputs[i];
    const Node& from = graph_.node(v);
    const auto* input = std::get_if<ops::Input>(&from.op);
    if (input != nullptr && input->target && !(reads_target(node) && i == 1)) {
      fail(node, "reads target " + quoted(from.name) + ", which only a loss may do",
           "a network has no targets when it classifies");
    }
    const DType found = type_of(v);
    const DType wanted = wanted_type(node, i);
    if (found != wanted && !is<ops::Copy>(node)) {
      using dsl::print_detail::text_of;
      fail(node, "input " + std::to_string(i) + " is " + text_of(found) + " (" + where(from) +
                     "), expected " + text_of(wanted));
    }
  }

  void check_shapes(const Node& node) const {
    Shapes expected;
    try {
      const Shapes in = graph_.input_shapes(node);
      expected = std::visit([&](const auto& o) { return o.infer(in); }, node.op);
      for (const Shape& shape : expected) dsl::rules::check_size(shape);
    } catch (const dsl::ShapeMistake& mistake) {
      fail(node, mistake.what, mistake.hint);
    }
    if (node.outputs == expected) return;
    fail(node, "has the shapes " + dsl::to_string(node.outputs) + ", the shape rule gives " +
                   dsl::to_string(expected));
  }

  void check_attributes(const Node& node) const {
    std::visit(
        [&]<class Operator>(const Operator& op) {
          Operator::fields()([&](const auto& f) { check_finite(node, f.name, op.*(f.member)); });
        },
        node.op);
    if (const auto* input = std::get_if<ops::Input>(&node.op)) check_input(node, *input);
    check_given_values(node);
  }

  template <class T>
  void check_finite(const Node& node, std::string_view name, const T& value) const {
    if constexpr (std::is_same_v<T, float>) {
      if (!std::isfinite(value)) fail(node, std::string(name) + " is not a finite number");
    }
    if constexpr (std::is_same_v<T, dsl::Stencil>) check_finite(node, name, value.formula);
    if constexpr (std::is_same_v<T, dsl::Formula>) {
      for (int i = 0; i < value.size; ++i) {
        if (!std::isfinite(value.terms[i].value)) {
          fail(node, "the " + std::string(name) + " has a number that is not finite");
        }
      }
    }
  }

  void check_input(const Node& node, const ops::Input& input) const {
    if (input.dtype == DType::u8) fail(node, "an input is f32 or i32, found u8");
    if (input.dtype == DType::i32 && !input.target) {
      fail(node, "only labels are i32, and they are targets");
    }
    if (input.classes < 0 || (input.classes > 0 && input.dtype != DType::i32)) {
      fail(node, "has " + std::to_string(input.classes) + " classes, which only labels have");
    }
  }

  void check_given_values(const Node& node) const {
    const std::optional<int64_t> number = dsl::given_values(node.op);
    if (!number) return;
    if (*number < 0 || std::cmp_greater_equal(*number, graph_.constants.size())) {
      fail(node, "takes its values from constant " + std::to_string(*number) + ", the graph has " +
                     std::to_string(graph_.constants.size()));
    }
    const auto& values = graph_.constants[static_cast<std::size_t>(*number)];
    const Shape& shape = node.outputs[0];
    if (std::cmp_not_equal(values.size(), shape.elements())) {
      fail(node, std::to_string(values.size()) + " values given, " + to_string(shape) + " needs " +
                     std::to_string(shape.elements()));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        fail(node, "given value " + std::to_string(i) + " is not a finite number");
      }
    }
  }

  void add_name(std::set<std::string_view>& names, const FixedString& name,
                const std::string& where) const {
    if (name.empty()) fail(where + ": has no name");
    if (!names.insert(name.view()).second) {
      fail(where + ": the name is already taken", "choose another .name");
    }
  }

  void check_names() const {
    std::set<std::string_view> inputs, parameters, outputs, losses;
    std::set<int64_t> ids;
    for (const Node& node : graph_.nodes()) {
      if (is<ops::Input>(node)) add_name(inputs, node.name, where(node));
      if (const auto* parameter = std::get_if<ops::Parameter>(&node.op)) {
        add_name(parameters, node.name, where(node));
        if (!ids.insert(parameter->id).second) {
          fail(node, "another parameter has the id " + std::to_string(parameter->id));
        }
      }
    }
    for (const dsl::Output& output : graph_.outputs) {
      add_name(outputs, output.name, "output " + quoted(output.name));
    }
    for (const dsl::Loss& loss : graph_.losses) {
      add_name(losses, loss.name, "loss " + quoted(loss.name));
    }
  }

  void check_outputs() const {
    for (const dsl::Output& output : graph_.outputs) {
      const std::string what = "output " + quoted(output.name);
      if (!exists(output.value, graph_.node_count())) {
        fail(what + ": " + dsl::to_string(output.value) + " does not exist");
      }
      const Node& from = graph_.node(output.value);
      if (!graph_.shape(output.value).has_batch()) {
        fail(what + ": " + where(from) + " is " + to_string(graph_.shape(output.value)) +
                 ", expected a batch in front, [N,...]",
             "what the host receives has a value for each sample");
      }
      if (type_of(output.value) != DType::f32) {
        fail(what + ": " + where(from) + " is not f32");
      }
    }
  }

  void check_losses() const {
    for (const dsl::Loss& loss : graph_.losses) {
      const std::string what = "loss " + quoted(loss.name);
      if (!exists(loss.value, graph_.node_count())) {
        fail(what + ": " + dsl::to_string(loss.value) + " does not exist");
      }
      const Shape& shape = graph_.shape(loss.value);
      if (shape.rank != 0) {
        fail(what + ": " + where(graph_.node(loss.value)) + " is " + to_string(shape) +
                 ", expected a scalar []",
             "make it with softmax_cross_entropy or mean_square");
      }
      if (!std::isfinite(loss.weight)) fail(what + ": its weight is not a finite number");
    }
    for (const Node& node : graph_.nodes()) {
      if (!reads_labels(node)) continue;
      const Node& labels = graph_.node(node.inputs[1]);
      const auto* input = std::get_if<ops::Input>(&labels.op);
      const int64_t classes = graph_.shape(node.inputs[0])[1];
      if (input == nullptr || input->classes == classes) continue;
      fail(labels, "has " + std::to_string(input->classes) + " classes, " + where(node) +
                       " has scores of " + std::to_string(classes));
    }
  }

  void check_source() const {
    check_network_name();
    std::vector<bool> read(graph_.nodes().size());
    std::vector<bool> needs_target(graph_.nodes().size());
    for (std::size_t id = 0; id < graph_.nodes().size(); ++id) {
      const Node& node = graph_.nodes()[id];
      check_name(where(node), node.name);
      if (is<ops::Update>(node)) {
        fail(node, "a network as written has no update", "the compiler makes it from the losses");
      }
      if (is<ops::MoveStatistics>(node) || is<ops::RandomMask>(node)) {
        fail(node, "only a training step has it",
             "the compiler makes it from batch_norm or dropout");
      }
      const auto* input = std::get_if<ops::Input>(&node.op);
      needs_target[id] = input != nullptr && input->target;
      for (Value v : node.inputs) {
        read[static_cast<std::size_t>(v.node)] = true;
        if (needs_target[static_cast<std::size_t>(v.node)]) needs_target[id] = true;
      }
    }
    if (graph_.outputs.empty()) {
      fail("network " + quoted(graph_.name) + " has no output", "add net.output(\"scores\", x)");
    }
    for (const dsl::Output& output : graph_.outputs) {
      check_name("output " + quoted(output.name), output.name);
      const auto id = static_cast<std::size_t>(output.value.node);
      read[id] = true;
      if (!needs_target[id]) continue;
      fail("output " + quoted(output.name) + ": " + where(graph_.nodes()[id]) +
               " needs a target, and a network has none when it classifies",
           "net.loss() is for values that depend on a target");
    }
    for (const dsl::Loss& loss : graph_.losses) {
      check_name("loss " + quoted(loss.name), loss.name);
    }
    for (std::size_t id = 0; id < read.size(); ++id) {
      const Node& node = graph_.nodes()[id];
      if (read[id] ||
          !(is<ops::Input>(node) || is<ops::Parameter>(node) || is<ops::Constant>(node)))
        continue;
      fail(node, "is read by nothing", "use it, or take it out of the network");
    }
  }

  // Generated functions are named after the network.
  void check_network_name() const {
    const std::string_view name = graph_.name;
    bool usable = !name.empty() && name.size() <= 40 && !(name[0] >= '0' && name[0] <= '9');
    for (char c : name) {
      usable = usable && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_');
    }
    if (usable) return;
    fail("network " + quoted(graph_.name) + ": not a usable name for a network",
         "at most 40 letters, digits and _; it becomes part of the C functions' names");
  }

  void check_name(const std::string& where, const FixedString& name) const {
    bool usable = name.size < FixedString::kCapacity;
    for (char c : name.view()) usable = usable && c >= ' ' && c <= '~' && c != '"' && c != '\\';
    if (!usable) {
      fail(where + ": the name is longer than 62 characters or has a \", a \\ or no ASCII in it");
    }
  }

  void check_inference() const {
    if (!graph_.losses.empty()) fail("an inference graph has losses");
    for (const Node& node : graph_.nodes()) {
      const auto* input = std::get_if<ops::Input>(&node.op);
      if (input != nullptr && input->target) fail(node, "an inference graph has a target");
      if (node.outputs.empty()) fail(node, "an inference graph changes something");
      if (is<ops::Dropout>(node) || is<ops::RandomMask>(node)) {
        fail(node, "an inference graph drops values");
      }
    }
  }

  // Whether this node only hands a value to the host. Such a copy may stand behind the update: it
  // reads nothing that an update changes, since outputs have a batch and parameters have none.
  bool is_output_copy(int32_t id) const {
    if (!is<ops::Copy>(graph_.node(id))) return false;
    for (const dsl::Output& output : graph_.outputs) {
      if (output.value.node == id) return true;
    }
    return false;
  }

  // What a step moves in place are parameters of their own.
  void check_statistics(const Node& node) const {
    for (std::size_t i = 0; i < 2; ++i) {
      const Node& moved = graph_.node(node.inputs[i]);
      const auto* parameter = std::get_if<ops::Parameter>(&moved.op);
      if (parameter == nullptr || parameter->trainable) {
        fail(node, "moves " + where(moved) + ", which is no parameter, or one that is trained");
      }
    }
  }

  void check_training() const {
    if (graph_.losses.empty()) fail("a training graph has no loss");
    int32_t found = -1;
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      const Node& node = graph_.node(id);
      if (is<ops::Update>(node)) {
        if (found >= 0) fail(node, "is a second update");
        found = id;
      } else if (found >= 0 && !is_output_copy(id)) {
        fail(node, "stands behind the update and is no copy of an output");
      }
      if (is<ops::Dropout>(node)) fail(node, "a training graph has a dropout without its mask");
      if (is<ops::MoveStatistics>(node)) check_statistics(node);
    }
    if (found < 0) fail("a training graph has no update");
    const Node& update = graph_.node(found);
    std::set<int32_t> updated;
    for (std::size_t i = 0; i < update.inputs.size() / 2; ++i) {
      const Node& target = graph_.node(update.inputs[i]);
      const auto* parameter = std::get_if<ops::Parameter>(&target.op);
      if (parameter == nullptr || !parameter->trainable) {
        fail(update, "changes " + where(target) + ", which is no trainable parameter");
      }
      if (!updated.insert(update.inputs[i].node).second) {
        fail(update, "changes " + where(target) + " twice");
      }
    }
  }

  const Graph& graph_;
  Stage stage_;
  std::vector<DType> types_;  // of the nodes checked so far
};

}  // namespace

void verify(const Graph& graph, Stage stage) { Verifier(graph, stage).run(); }

}  // namespace halcyon::compiler
