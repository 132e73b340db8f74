#pragma once
/// What the passes work on: the graph, and what they have decided about it so far.

#include <map>
#include <vector>

#include "compiler/layout.h"
#include "dsl/graph.h"

namespace halcyon::compiler {

using dsl::Graph;
using dsl::Node;
using dsl::Op;
using dsl::Value;

/// Nodes that become one kernel: one Halide pipeline, one loop nest.
/// Invariant: nodes are in graph order; `outputs` share one shape and are all that others read.
struct Region {
  std::vector<int32_t> nodes;
  std::vector<Value> inputs;   ///< in order of first use
  std::vector<Value> outputs;
};

/// Where a stored value lies.
enum class Storage {
  host_input,    ///< index: which input (then which target)
  host_output,   ///< index: which output
  loss,          ///< index: which loss
  parameter,     ///< offset in the parameter block
  workspace,     ///< offset per sample, times the batch
  fixed,         ///< offset in the part of the workspace that does not depend on the batch
};

struct Place {
  Storage storage = Storage::workspace;
  int64_t index = 0;
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;  ///< per sample for host values and workspace
};

/// Workspace = fixed + batch * per_sample + (workers + 1) * scratch.
struct MemoryPlan {
  std::map<Value, Place> places;
  int64_t parameter_bytes = 0;  ///< trainable parameters first, frozen behind them
  int64_t trainable_bytes = 0;
  int64_t fixed_bytes = 0;
  int64_t per_sample_bytes = 0;
  int64_t per_sample_lower_bound = 0;  ///< largest sum of values that live at once
};

struct Program {
  Graph graph;
  std::vector<Region> regions;        ///< in execution order
  std::map<Value, Layout> layouts;    ///< of every stored value
  MemoryPlan memory;
};

}  // namespace halcyon::compiler
