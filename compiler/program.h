#pragma once
/// What the passes work on: the graph, and what they have decided about it so far.

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "compiler/layout.h"
#include "compiler/schedules/choice.h"
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
  Choice choice;  ///< how it is scheduled
};

/// Part of a buffer that several values share: the inputs of a concat and what it joins them to, a
/// value and its slices.
struct Slot {
  int32_t buffer = 0;
  int64_t first_block = 0;
  bool is_computed = true;  ///< by a kernel; a concat or slice that only names bytes is not
  bool operator==(const Slot&) const = default;
};

/// Where a stored value lies.
enum class Storage {
  host_input,   ///< the host's input (or, behind the inputs, target) number `index`
  host_output,  ///< the host's output number `index`
  loss,         ///< the host's loss number `index`
  constant,     ///< in the code: the node's own values
  parameter,    ///< `offset_bytes` in the parameter block, packed or prepared
  workspace,    ///< `offset_bytes` times the batch, in the part of the workspace that grows with it
  fixed,        ///< `offset_bytes` in the part that does not, or in what preparing needs
};

struct Place {
  Storage storage = Storage::workspace;
  int64_t index = 0;
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;  ///< per sample where a value has a batch
  bool operator==(const Place&) const = default;
};

/// Workspace = fixed_bytes + batch * per_sample_bytes, and scratch for each worker; preparing needs
/// prepare_bytes instead. All are multiples of HALCYON_ALIGNMENT. The gradient of the trainable
/// parameter at offset o lies at gradient_offset + o: the optimizer sees two contiguous blocks.
struct MemoryPlan {
  std::map<Value, Place> places;
  int64_t parameter_bytes = 0;  ///< trainable parameters first, frozen ones behind them
  /// Behind them in the parameter block: a word that says whether what follows is up to date, and
  /// what is computed from parameters alone.
  int64_t prepared_bytes = 0;
  int64_t trainable_bytes = 0;
  int64_t gradient_offset = 0;  ///< in the fixed part
  int64_t fixed_bytes = 0;
  int64_t prepare_bytes = 0;  ///< of values that preparing alone needs, from the workspace's begin
  int64_t per_sample_bytes = 0;
  int64_t per_sample_lower_bound = 0;  ///< the largest sum of values that live at once

  /// Without scratch.
  int64_t workspace_bytes(int64_t batch) const {
    return std::max(prepare_bytes, fixed_bytes + batch * per_sample_bytes);
  }
};

struct Program {
  Graph graph;
  std::vector<Region> regions;  ///< in execution order
  /// How many of them, the first ones, run once for each set of parameters instead of in each call.
  std::size_t prepare_regions = 0;
  std::map<Value, Value> views;        ///< flatten and its reverse: the same bytes as another value
  std::map<Value, Slot> slots;         ///< of every value in a shared buffer
  std::vector<int64_t> buffer_blocks;  ///< of each shared buffer
  std::map<Value, Layout> layouts;     ///< of every stored value with a batch
  std::map<Value, WeightLayout> weights;  ///< of every stored value without
  MemoryPlan memory;

  /// Those that run in each call.
  std::span<const Region> call_regions() const {
    return std::span(regions).subspan(prepare_regions);
  }

  /// The value whose bytes `v` names.
  Value stored(Value v) const {
    for (auto it = views.find(v); it != views.end(); it = views.find(v)) v = it->second;
    return v;
  }

  /// One value for all that lie in the same buffer.
  Value holder(Value v) const {
    v = stored(v);
    const auto slot = slots.find(v);
    if (slot == slots.end()) return v;
    const auto same = [&](const auto& other) { return other.second.buffer == slot->second.buffer; };
    return std::find_if(slots.begin(), slots.end(), same)->first;
  }

  /// Whether a node needs no kernel: it only names bytes that others have written.
  bool is_free(int32_t id) const {
    const auto slot = slots.find({id, 0});
    return views.contains({id, 0}) || (slot != slots.end() && !slot->second.is_computed);
  }
};

}  // namespace halcyon::compiler
