/// Gives every stored value its place.
///
/// Parameters lie in the host's parameter block, trainable ones first, so that the optimizer is one
/// loop over two contiguous blocks: parameters and, in the same order at the begin of the
/// workspace, their gradients. All that grows with the batch is packed for a batch of one: offsets
/// and sizes are multiples of 64, so multiplying them by the batch keeps every alignment and every
/// gap.
///
/// Behind the parameters lies what inference computes from them once.

#include <algorithm>
#include <utility>

#include "compiler/integer.h"
#include "compiler/passes/arena.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

constexpr int64_t kAlignment = HALCYON_ALIGNMENT;

int64_t aligned(int64_t bytes) { return round_up(bytes, kAlignment); }

class MemoryPlanner {
 public:
  MemoryPlanner(Program& program, const Program* shared)
      : program_(program), graph_(program.graph), plan_(program.memory), shared_(shared) {
    plan_ = {};
  }

  void run() {
    place_host_values();
    if (shared_ != nullptr) {
      share_parameters();
    } else {
      place_parameters();
    }
    place_constants();
    place_gradients();
    place_prepared();
    find_lifetimes();
    pack_workspace();
    for (const auto& [v, slot] : program_.slots) {
      plan_.places[v] = plan_.places.at(program_.holder(v));
    }
    for (const auto& [view, source] : program_.views) {
      plan_.places[view] = plan_.places.at(program_.stored(source));
    }
  }

 private:
  int64_t bytes_of(Value v) const {
    const auto weight = program_.weights.find(v);
    if (weight != program_.weights.end()) return aligned(weight->second.bytes());
    return program_.layouts.at(v).buffer_bytes();
  }

  void place_host_values() {
    int64_t index = 0;
    for (const bool target : {false, true}) {
      for (int32_t id = 0; id < graph_.node_count(); ++id) {
        const auto* input = std::get_if<ops::Input>(&graph_.node(id).op);
        if (input == nullptr || input->target != target) continue;
        plan_.places[{id, 0}] = {Storage::host_input, index++, 0, bytes_of({id, 0})};
      }
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const Value v = graph_.outputs[i].value;
      plan_.places[v] = {Storage::host_output, static_cast<int64_t>(i), 0, bytes_of(v)};
    }
    for (std::size_t i = 0; i < graph_.losses.size(); ++i) {
      plan_.places[graph_.losses[i].value] = {Storage::loss, static_cast<int64_t>(i), 0, 4};
    }
  }

  void place_constants() {
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (!std::holds_alternative<ops::Constant>(graph_.node(id).op)) continue;
      plan_.places[{id, 0}] = {Storage::constant, id, 0, bytes_of({id, 0})};
    }
  }

  void place_parameters() {
    for (const bool trainable : {true, false}) {
      for (int32_t id = 0; id < graph_.node_count(); ++id) {
        const auto* parameter = std::get_if<ops::Parameter>(&graph_.node(id).op);
        if (parameter == nullptr || parameter->trainable != trainable) continue;
        const int64_t size = bytes_of({id, 0});
        plan_.places[{id, 0}] = {Storage::parameter, 0, plan_.parameter_bytes, size};
        plan_.parameter_bytes += size;
      }
      if (trainable) plan_.trainable_bytes = plan_.parameter_bytes;
    }
  }

  void share_parameters() {
    plan_.parameter_bytes = shared_->memory.parameter_bytes;
    plan_.trainable_bytes = shared_->memory.trainable_bytes;
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (!std::holds_alternative<ops::Parameter>(graph_.node(id).op)) continue;
      for (int32_t other = 0; other < shared_->graph.node_count(); ++other) {
        const Node& theirs = shared_->graph.node(other);
        if (!std::holds_alternative<ops::Parameter>(theirs.op) ||
            !(theirs.name == graph_.node(id).name)) {
          continue;
        }
        if (!(program_.weights.at({id, 0}) == shared_->weights.at({other, 0}))) {
          throw InternalError("plan_memory: inference and training pack '" +
                              std::string(theirs.name.view()) + "' differently");
        }
        plan_.places[{id, 0}] = shared_->memory.places.at({other, 0});
      }
    }
  }

  void place_gradients() {
    for (const Node& node : graph_.nodes()) {
      if (!std::holds_alternative<ops::Update>(node.op)) continue;
      const std::size_t count = node.inputs.size() / 2;
      for (std::size_t i = 0; i < count; ++i) {
        const Place& parameter = plan_.places.at(node.inputs[i]);
        plan_.places[node.inputs[count + i]] = {Storage::fixed, 0, parameter.offset_bytes,
                                                parameter.size_bytes};
      }
      plan_.gradient_offset = 0;
      plan_.fixed_bytes = plan_.trainable_bytes;
    }
  }

  /// What regions that run once leave for those that run in each call.
  void place_prepared() {
    const auto& regions = program_.regions;
    const auto calls = regions.begin() + static_cast<std::ptrdiff_t>(program_.prepare_regions);
    int64_t end = plan_.parameter_bytes + kAlignment;  // behind the word that says it is there
    for (auto region = regions.begin(); region != calls; ++region) {
      for (Value v : region->outputs) {
        const bool kept = std::any_of(calls, regions.end(), [&](const Region& reader) {
          return std::find(reader.inputs.begin(), reader.inputs.end(), v) != reader.inputs.end();
        });
        if (!kept) continue;
        plan_.places[v] = {Storage::parameter, 0, end, bytes_of(v)};
        end += bytes_of(v);
        plan_.prepared_bytes = end - plan_.parameter_bytes;
      }
    }
  }

  void find_lifetimes() {
    for (std::size_t r = 0; r < program_.regions.size(); ++r) {
      const auto step = static_cast<int32_t>(r);
      const Region& region = program_.regions[r];
      for (Value v : region.outputs) {
        if (plan_.places.contains(v)) continue;
        const auto [life, is_new] =
            lifetimes_.emplace(program_.holder(v), Interval{bytes_of(v), step, step});
        life->second.last_step = step;
      }
      for (Value v : region.inputs) {
        const auto it = lifetimes_.find(program_.holder(v));
        if (it != lifetimes_.end()) it->second.last_step = step;
      }
    }
  }

  /// The parts of the workspace.
  enum class Part { per_sample, fixed, prepare };

  Part part_of(Value v, const Interval& life) const {
    if (!program_.weights.contains(v)) return Part::per_sample;
    const bool prepares = std::cmp_less(life.first_step, program_.prepare_regions);
    return prepares ? Part::prepare : Part::fixed;
  }

  /// Returns the packing; its values lie `base` bytes behind the begin of the part.
  Packing pack_part(Part part, int64_t base) {
    std::vector<Value> values;
    std::vector<Interval> intervals;
    for (const auto& [v, life] : lifetimes_) {
      if (part_of(v, life) != part) continue;
      values.push_back(v);
      intervals.push_back(life);
    }
    Packing packing = pack(intervals, kAlignment);
    const Storage storage = part == Part::per_sample ? Storage::workspace : Storage::fixed;
    for (std::size_t i = 0; i < values.size(); ++i) {
      plan_.places[values[i]] = {storage, 0, base + packing.offsets[i], intervals[i].size_bytes};
    }
    return packing;
  }

  void pack_workspace() {
    const Packing per_sample = pack_part(Part::per_sample, 0);
    plan_.per_sample_bytes = per_sample.size_bytes;
    plan_.per_sample_lower_bound = per_sample.lower_bound_bytes;
    plan_.fixed_bytes += pack_part(Part::fixed, plan_.fixed_bytes).size_bytes;
    plan_.prepare_bytes = pack_part(Part::prepare, 0).size_bytes;
  }

  Program& program_;
  const Graph& graph_;
  MemoryPlan& plan_;
  const Program* shared_;
  std::map<Value, Interval> lifetimes_;
};

}  // namespace

bool plan_memory(Program& program, const PassContext& context) {
  MemoryPlanner(program, context.shares_parameters_with).run();
  return true;
}

}  // namespace halcyon::compiler
