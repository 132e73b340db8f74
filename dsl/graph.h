#pragma once
/// The graph: nodes in an order in which every input stands before its use. A constexpr value: the
/// same code builds it while the C++ compiler runs and, for imported models, at run time.
///
/// Invariants: an untyped node cannot exist (add() runs the shape rule); inputs have smaller ids.

#include <limits>
#include <span>
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

/// A value that the host receives, [N,spatial...,C] or [N,C,spatial...].
struct Output {
  FixedString name;
  Value value;
  bool channels_last = true;
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

namespace detail {

template <class Rule>
auto explain_at_run_time(std::string_view op, const FixedString& name, const Place& place,
                         std::span<const Shape> in, const Rule& rule) -> decltype(rule()) {
  try {
    return rule();
  } catch (const ShapeMistake& mistake) {
    std::string text = describe(op, name, place) + ": " + mistake.what;
    for (std::size_t i = 0; i < in.size(); ++i) {
      text += (i == 0 ? "; inputs " : ", ") + to_string(in[i]);
    }
    throw UserError(text, mistake.hint);
  }
}

}  // namespace detail

/// Calls `rule`. In a constant expression a mistake that it finds is the compiler's own message.
/// Errors: UserError at run time, with the node, its place and the shapes of its inputs.
template <class Rule>
constexpr auto explain(std::string_view op, const FixedString& name, const Place& place,
                       std::span<const Shape> in, const Rule& rule) -> decltype(rule()) {
  if (std::is_constant_evaluated()) return rule();
  return detail::explain_at_run_time(op, name, place, in, rule);
}

class Graph {
 public:
  FixedString name;
  std::vector<Output> outputs;
  std::vector<Loss> losses;
  std::vector<std::vector<float>> constants;  ///< given values, canonical order

  constexpr int32_t node_count() const { return static_cast<int32_t>(nodes_.size()); }
  constexpr const Node& node(int32_t id) const { return nodes_.at(static_cast<std::size_t>(id)); }
  constexpr const Node& node(Value v) const { return node(v.node); }
  constexpr const std::vector<Node>& nodes() const { return nodes_; }
  constexpr const Shape& shape(Value v) const {
    return node(v).outputs.at(static_cast<std::size_t>(v.output));
  }
  constexpr Shapes input_shapes(const Node& n) const { return shapes_of(n.inputs); }

  /// Adds a node behind all others and returns its id.
  /// Errors: UserError at run time, a failed constant expression at compile time.
  constexpr int32_t add(const Op& op, std::vector<Value> inputs, const FixedString& node_name,
                        const Place& place) {
    // Growing moves every node, and clang counts the steps of a constant evaluation.
    if (std::is_constant_evaluated() && nodes_.empty()) nodes_.reserve(1024);
    const Shapes in = shapes_of(inputs);
    Shapes out = infer_or_explain(op, in, node_name, place);
    nodes_.push_back({op, std::move(inputs), std::move(out), node_name, place});
    return node_count() - 1;
  }

  /// For builders that learn an attribute later; the shapes must stay as they are.
  constexpr void replace_op(int32_t id, const Op& op) {
    nodes_.at(static_cast<std::size_t>(id)).op = op;
  }

  /// Values that can be trained: running statistics are not counted, as in the papers.
  constexpr int64_t parameter_count() const {
    int64_t count = 0;
    for (const Node& n : nodes_) {
      const auto* p = std::get_if<ops::Parameter>(&n.op);
      if (p != nullptr && p->trainable) count += p->shape.elements();
    }
    return count;
  }

  /// Multiply-adds per sample of all nodes; the largest int64_t where they cannot be counted.
  constexpr int64_t macs() const {
    int64_t sum = 0;
    for (const Node& n : nodes_) {
      const int64_t macs = macs_of(n.op, input_shapes(n), n.outputs);
      if (macs > std::numeric_limits<int64_t>::max() - sum) {
        return std::numeric_limits<int64_t>::max();
      }
      sum += macs;
    }
    return sum;
  }

 private:
  constexpr Shapes shapes_of(const std::vector<Value>& values) const {
    Shapes shapes;
    shapes.reserve(values.size());
    for (Value v : values) shapes.push_back(shape(v));
    return shapes;
  }

  static constexpr Shapes infer(const Op& op, const Shapes& in) {
    Shapes out = std::visit([&](const auto& o) { return o.infer(in); }, op);
    for (const Shape& shape : out) rules::check_size(shape);
    return out;
  }

  static constexpr Shapes infer_or_explain(const Op& op, const Shapes& in, const FixedString& name,
                                           const Place& place) {
    if (std::is_constant_evaluated()) return infer(op, in);
    return explain(name_of(op), name, place, in, [&] { return infer(op, in); });
  }

  std::vector<Node> nodes_;
};

}  // namespace halcyon::dsl
