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
  std::vector<Value> inputs;  ///< in order of first use
  std::vector<Value> outputs;
};

/// Where a stored value lies.
enum class Storage {
  host_input,   ///< the host's input (or, behind the inputs, target) number `index`
  host_output,  ///< the host's output number `index`
  loss,         ///< the host's loss number `index`
  parameter,    ///< `offset_bytes` in the parameter block
  workspace,    ///< `offset_bytes` times the batch, in the part of the workspace that grows with it
  fixed,        ///< `offset_bytes` in the part of the workspace that does not
};

struct Place {
  Storage storage = Storage::workspace;
  int64_t index = 0;
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;  ///< per sample where a value has a batch
  bool operator==(const Place&) const = default;
};

/// Workspace = fixed_bytes + batch * per_sample_bytes, and scratch for each worker. Both are
/// multiples of HALCYON_ALIGNMENT. The gradient of the trainable parameter at offset o lies at
/// gradient_offset + o: the optimizer sees two contiguous blocks.
struct MemoryPlan {
  std::map<Value, Place> places;
  int64_t parameter_bytes = 0;  ///< trainable parameters first, frozen ones behind them
  int64_t trainable_bytes = 0;
  int64_t gradient_offset = 0;  ///< in the fixed part
  int64_t fixed_bytes = 0;
  int64_t per_sample_bytes = 0;
  int64_t per_sample_lower_bound = 0;  ///< the largest sum of values that live at once
};

struct Program {
  Graph graph;
  std::vector<Region> regions;      ///< in execution order
  std::map<Value, Value> views;     ///< flatten and its reverse: the same bytes as another value
  std::map<Value, Layout> layouts;  ///< of every stored value with a batch
  std::map<Value, WeightLayout> weights;  ///< of every stored value without
  MemoryPlan memory;

  /// The value whose bytes `v` names.
  Value stored(Value v) const {
    for (auto it = views.find(v); it != views.end(); it = views.find(v)) v = it->second;
    return v;
  }
};

}  // namespace halcyon::compiler
