#pragma once
/// The graph: nodes in an order in which every input stands before its use. A constexpr value: the
/// same code builds it while the C++ compiler runs and, for imported models, at run time.
///
/// Invariants: an untyped node cannot exist (add() runs the shape rule); inputs have smaller ids.

#include <string>
#include <type_traits>
#include <vector>

#include "dsl/ops/all_ops.h"
#include "dsl/place.h"

namespace halcyon::dsl {

/// One output of one node.
struct Value {
  int32_t node = -1;
  int32_t output = 0;
  constexpr bool operator==(const Value&) const = default;
  constexpr auto operator<=>(const Value&) const = default;
};

struct Node {
  Op op;
  std::vector<Value> inputs;
  Shapes outputs;
  FixedString name;
  Place place;
};

/// A value that the host receives.
struct Output {
  FixedString name;
  Value value;
};

/// A scalar to minimise; the total is the sum of weight * value.
struct Loss {
  FixedString name;
  Value value;
  float weight = 1;
};

/// "conv 'conv1' (lenet5.cpp:12)"
inline std::string describe(std::string_view op, const FixedString& name, const Place& place) {
  std::string text = std::string(op) + " '" + std::string(name.view()) + "'";
  if (place.line > 0) {
    text += " (" + std::string(place.file.view()) + ":" + std::to_string(place.line) + ")";
  }
  return text;
}

class Graph {
 public:
  FixedString name;
  std::vector<Output> outputs;
  std::vector<Loss> losses;
  std::vector<std::vector<float>> constants;  ///< given parameter values, canonical order

  constexpr int32_t node_count() const { return static_cast<int32_t>(nodes_.size()); }
  constexpr const Node& node(int32_t id) const { return nodes_.at(static_cast<std::size_t>(id)); }
  constexpr const Node& node(Value v) const { return node(v.node); }
  constexpr const std::vector<Node>& nodes() const { return nodes_; }
  constexpr const Shape& shape(Value v) const {
    return node(v).outputs.at(static_cast<std::size_t>(v.output));
  }
  constexpr Shapes input_shapes(const Node& n) const {
    Shapes shapes;
    for (Value v : n.inputs) shapes.push_back(shape(v));
    return shapes;
  }

  /// Adds a node behind all others and returns its id.
  /// Errors: UserError at run time, a failed constant expression at compile time.
  constexpr int32_t add(Op op, std::vector<Value> inputs, FixedString node_name, Place place) {
    Shapes in;
    for (Value v : inputs) in.push_back(shape(v));
    Node node{std::move(op), std::move(inputs), {}, node_name, place};
    if (std::is_constant_evaluated()) {
      node.outputs = infer(node.op, in);
    } else {
      node.outputs = infer_or_explain(node.op, in, node_name, place);
    }
    nodes_.push_back(std::move(node));
    return node_count() - 1;
  }

  /// For builders that learn an attribute later; the shapes must stay as they are.
  constexpr void replace_op(int32_t id, Op op) {
    nodes_.at(static_cast<std::size_t>(id)).op = std::move(op);
  }

  constexpr int64_t parameter_count() const {
    int64_t count = 0;
    for (const Node& n : nodes_) {
      if (const auto* p = std::get_if<ops::Parameter>(&n.op)) count += p->shape.elements();
    }
    return count;
  }

  /// Multiply-adds per sample of all nodes.
  constexpr int64_t macs() const {
    int64_t sum = 0;
    for (const Node& n : nodes_) sum += macs_of(n.op, input_shapes(n), n.outputs);
    return sum;
  }

 private:
  static constexpr Shapes infer(const Op& op, const Shapes& in) {
    return std::visit([&](const auto& o) { return o.infer(in); }, op);
  }

  static Shapes infer_or_explain(const Op& op, const Shapes& in, const FixedString& node_name,
                                 const Place& place) {
    try {
      return infer(op, in);
    } catch (const ShapeMistake& mistake) {
      std::string text = describe(name_of(op), node_name, place) + ": " + mistake.what;
      for (std::size_t i = 0; i < in.size(); ++i) {
        text += (i == 0 ? "; inputs " : ", ") + to_string(in[i]);
      }
      throw UserError(text, mistake.hint);
    }
  }

  std::vector<Node> nodes_;
};

}  // namespace halcyon::dsl
