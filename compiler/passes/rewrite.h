#pragma once
/// Building a changed copy of a graph: what graph passes are written with.

#include <functional>
#include <map>
#include <vector>

#include "dsl/graph.h"

namespace halcyon::compiler {

/// Copies `graph` node by node. `visit(id, node, inputs, copy)` may add nodes to the copy and
/// returns the values that replace the node's outputs; returning nothing keeps the node as it is.
class Rewriter {
 public:
  using Values = std::vector<dsl::Value>;
  using Visit = std::function<Values(int32_t id, const dsl::Node& node, const Values& inputs,
                                     dsl::Graph& copy)>;

  Rewriter(const dsl::Graph& graph, const Visit& visit);

  /// For nodes whose replacement reads more than their own inputs: `now` is what has become of the
  /// values in front of the node.
  using Now = std::map<dsl::Value, dsl::Value>;
  using VisitNow = std::function<Values(int32_t id, const Now& now, dsl::Graph& copy)>;
  Rewriter(const dsl::Graph& graph, const VisitNow& visit);

  dsl::Graph take() { return std::move(copy_); }
  /// True if some node was replaced.
  bool changed() const { return changed_; }

 private:
  dsl::Graph copy_;
  Now map_;
  bool changed_ = false;
};

/// The nodes that read each value, in graph order; a node that reads a value twice stands twice.
std::map<dsl::Value, std::vector<int32_t>> users_of(const dsl::Graph& graph);

/// True for values that the host receives: outputs and losses.
bool is_result(const dsl::Graph& graph, dsl::Value v);

/// True for nodes that name the bytes of their input: flatten, and its reverse behind a dense layer
/// that can write the map's own order.
bool is_view(const dsl::Graph& graph, const dsl::Node& node);

/// Removes nodes that no result needs; true if there were any. Inputs of the network stay.
bool remove_unneeded(dsl::Graph& graph);

/// The same graph with everything that follows from parameters alone in front.
dsl::Graph with_parameters_first(const dsl::Graph& graph);

/// By node: whether it follows from parameters alone.
std::vector<bool> parameter_nodes(const dsl::Graph& graph);

/// A copy without the nodes that `keep` does not hold. Kept nodes must not read dropped ones.
dsl::Graph without(const dsl::Graph& graph, const std::vector<bool>& keep);

}  // namespace halcyon::compiler
