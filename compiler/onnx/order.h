#pragma once
/// The nodes of a model that its outputs need, each behind those that it reads.

#include <set>
#include <string>
#include <vector>

#include "compiler/onnx/onnx.pb.h"

namespace halcyon::compiler {

struct NodeOrder {
  std::vector<int> nodes;      ///< indices into the model's graph
  std::set<std::string> used;  ///< tensors that these nodes read, and the outputs
};

/// Errors: UserError for a tensor that two nodes make, one that nobody makes, and nodes that read
/// each other's results.
NodeOrder order_nodes(const onnx::GraphProto& graph);

}  // namespace halcyon::compiler
