#include "compiler/passes/verify_program.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "compiler/passes/rewrite.h"
#include "dsl/print.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;

bool is_source(const Node& node) {
  return std::holds_alternative<ops::Input>(node.op) ||
         std::holds_alternative<ops::Parameter>(node.op) ||
         std::holds_alternative<ops::Constant>(node.op);
}

template <class T>
bool contains(const std::vector<T>& list, const T& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

/// A stored value and the steps during which its bytes must last.
struct Alive {
  Value value;
  std::size_t first = 0;
  std::size_t last = 0;
};

class ProgramVerifier {
 public:
  explicit ProgramVerifier(const Program& program) : program_(program), graph_(program.graph) {}

  void run() {
    if (program_.regions.empty()) return;
    check_membership();
    for (const Region& region : program_.regions) check_edges(region);
    check_order();
    if (!program_.layouts.empty() || !program_.weights.empty()) {
      for_stored([&](Value v) { check_layout(v); });
      check_slots();
      for_gradients([&](Value p, Value g) { check_gradient_layout(p, g); });
    }
    if (!program_.memory.places.empty()) {
      check_blocks();
      for_stored([&](Value v) { check_place(v); });
      for_gradients([&](Value p, Value g) { check_gradient_place(p, g); });
      check_overlaps();
    }
  }

 private:
  [[noreturn]] void fail(Value v, const std::string& message) const {
    throw InternalError("illegal program: " + name(v) + ": " + message);
  }

  std::string name(Value v) const {
    if (v.node < 0 || v.node >= graph_.node_count()) return dsl::to_string(v);
    const Node& node = graph_.node(v.node);
    std::string text = dsl::describe(dsl::name_of(node.op), node.name, node.place);
    if (v.output > 0) text += ", output " + std::to_string(v.output);
    return text;
  }

  // Regions.

  bool computes(int32_t id) const { return !is_source(graph_.node(id)) && !program_.is_free(id); }

  void check_membership() const {
    std::vector<int> times(graph_.nodes().size());
    for (const Region& region : program_.regions) {
      for (int32_t id : region.nodes) {
        if (id < 0 || id >= graph_.node_count()) fail({id, 0}, "a region has it, the graph not");
        if (!computes(id)) fail({id, 0}, "computes nothing and belongs to a region");
        if (++times[static_cast<std::size_t>(id)] > 1) fail({id, 0}, "belongs to two regions");
      }
      if (!std::is_sorted(region.nodes.begin(), region.nodes.end())) {
        fail({region.nodes.front(), 0}, "its region is not in graph order");
      }
    }
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (computes(id) && times[static_cast<std::size_t>(id)] == 0) {
        fail({id, 0}, "belongs to no region");
      }
    }
  }

  void check_edges(const Region& region) const {
    for (Value v : region.outputs) {
      if (!contains(region.nodes, v.node) || v.output < 0 ||
          std::cmp_greater_equal(v.output, graph_.node(v).outputs.size())) {
        fail(v, "is listed as output of a region that does not compute it");
      }
    }
    for (int32_t id : region.nodes) {
      const Node& node = graph_.node(id);
      for (Value v : node.inputs) {
        if (!contains(region.nodes, v.node) && !contains(region.inputs, v)) {
          fail({id, 0}, "reads " + name(v) + ", which its region does not list as input");
        }
      }
      for (int32_t o = 0; std::cmp_less(o, node.outputs.size()); ++o) {
        if (leaves({id, o}, region) && !contains(region.outputs, {id, o})) {
          fail({id, o}, "is read outside its region, which does not list it as output");
        }
      }
    }
  }

  bool leaves(Value v, const Region& region) const {
    if (is_result(graph_, v)) return true;
    const auto it = users_.find(v);
    return it != users_.end() &&
           std::any_of(it->second.begin(), it->second.end(),
                       [&](int32_t user) { return !contains(region.nodes, user); });
  }

  void check_order() const {
    std::set<Value> known;
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (is_source(graph_.node(id))) known.insert({id, 0});
    }
    const auto is_known = [&](auto&& self, Value v) -> bool {
      if (!program_.is_free(v.node)) return known.contains(v);
      const std::vector<Value>& parts = graph_.node(v).inputs;
      return std::all_of(parts.begin(), parts.end(), [&](Value part) { return self(self, part); });
    };
    for (const Region& region : program_.regions) {
      for (Value v : region.inputs) {
        if (is_known(is_known, v)) continue;
        fail(v, "is read by a region that does not run behind the one that computes it");
      }
      known.insert(region.outputs.begin(), region.outputs.end());
    }
  }

  template <class Visit>
  void for_stored(const Visit& visit) const {
    for (const Region& region : program_.regions) {
      for (Value v : region.inputs) visit(v);
      for (Value v : region.outputs) visit(v);
    }
  }

  template <class Visit>
  void for_gradients(const Visit& visit) const {
    for (const Node& node : graph_.nodes()) {
      if (!std::holds_alternative<ops::Update>(node.op)) continue;
      const std::size_t count = node.inputs.size() / 2;
      for (std::size_t i = 0; i < count; ++i) visit(node.inputs[i], node.inputs[count + i]);
    }
  }

  // Layouts.

  void check_layout(Value v) const {
    const Shape& shape = graph_.shape(v);
    if (shape.has_batch()) {
      if (!program_.layouts.contains(v)) fail(v, "has no layout");
    } else if (shape.rank > 0 && !program_.weights.contains(v)) {
      fail(v, "has no weight layout");
    }
  }

  /// Scalars, which have no layout, compare equal.
  void check_gradient_layout(Value parameter, Value gradient) const {
    const auto p = program_.weights.find(parameter);
    const auto g = program_.weights.find(gradient);
    const auto none = program_.weights.end();
    if (p == none && g == none) return;
    if (p != none && g != none && p->second == g->second) return;
    fail(gradient, "has another layout than " + name(parameter) + ", whose gradient it is");
  }

  // Shared buffers.

  int64_t blocks_of(Value v) const { return program_.layouts.at(v).blocks(); }

  /// Every value lies where its concat or slice says, and no two kernels write the same blocks.
  void check_slots() const {
    for (const auto& [v, slot] : program_.slots) {
      const int64_t end = slot.first_block + blocks_of(v);
      if (slot.first_block < 0 ||
          end > program_.buffer_blocks.at(static_cast<std::size_t>(slot.buffer))) {
        fail(v, "leaves the buffer that it shares");
      }
      if (!slot.is_computed) check_free_slot(v, slot);
      for (const auto& [other, theirs] : program_.slots) {
        if (other == v || !slot.is_computed || !theirs.is_computed) continue;
        const bool apart = slot.buffer != theirs.buffer || end <= theirs.first_block ||
                           theirs.first_block + blocks_of(other) <= slot.first_block;
        if (!apart) fail(v, "shares channel blocks with " + name(other));
      }
    }
  }

  void check_free_slot(Value v, const Slot& slot) const {
    const Node& node = graph_.node(v);
    const auto* cut = std::get_if<ops::Slice>(&node.op);
    int64_t channel = cut != nullptr ? -cut->begin[0] : 0;
    for (Value part : node.inputs) {
      const auto theirs = program_.slots.find(part);
      const bool lies_there =
          theirs != program_.slots.end() && theirs->second.buffer == slot.buffer &&
          (theirs->second.first_block - slot.first_block) * program_.layouts.at(v).block == channel;
      if (!lies_there) fail(v, "does not lie where its input " + name(part) + " does");
      channel += graph_.shape(part)[1];
    }
  }

  // Memory.

  int64_t needed_bytes(Value v) const {
    const auto weight = program_.weights.find(v);
    if (weight != program_.weights.end()) return weight->second.bytes();
    const auto layout = program_.layouts.find(v);
    return layout != program_.layouts.end() ? layout->second.buffer_bytes()
                                            : size_bytes(DType::f32);
  }

  /// Each block of the workspace begins where the one before it ends.
  void check_blocks() const {
    for (int64_t bytes : {program_.memory.fixed_bytes, program_.memory.per_sample_bytes}) {
      if (bytes % HALCYON_ALIGNMENT == 0) continue;
      throw InternalError("illegal program: a part of the workspace has " + std::to_string(bytes) +
                          " bytes, which is no multiple of " + std::to_string(HALCYON_ALIGNMENT));
    }
  }

  void check_place(Value v) const {
    const auto it = program_.memory.places.find(v);
    if (it == program_.memory.places.end()) fail(v, "has no place");
    const Place& place = it->second;
    const auto stored = program_.memory.places.find(program_.stored(v));
    if (stored == program_.memory.places.end() || !(stored->second == place)) {
      fail(v, "is a view and lies elsewhere than what it shows");
    }
    if (place.size_bytes < needed_bytes(v)) {
      fail(v, "has a place of " + std::to_string(place.size_bytes) + " bytes, needs " +
                  std::to_string(needed_bytes(v)));
    }
    const int64_t block = block_bytes(place.storage);
    if (block < 0) return;
    if (place.offset_bytes % HALCYON_ALIGNMENT != 0) {
      fail(v, "lies at " + std::to_string(place.offset_bytes) + ", which is not aligned to " +
                  std::to_string(HALCYON_ALIGNMENT));
    }
    if (place.offset_bytes < 0 || place.offset_bytes > block - place.size_bytes) {
      fail(v, "lies at " + std::to_string(place.offset_bytes) + " with " +
                  std::to_string(place.size_bytes) + " bytes, outside its block of " +
                  std::to_string(block));
    }
  }

  /// Bytes of the block that offsets count in; -1 where the host holds the value.
  int64_t block_bytes(Storage storage) const {
    switch (storage) {
      case Storage::constant: return -1;
      case Storage::parameter:
        return program_.memory.parameter_bytes + program_.memory.prepared_bytes;
      case Storage::workspace: return program_.memory.per_sample_bytes;
      case Storage::fixed:
        return std::max(program_.memory.fixed_bytes, program_.memory.prepare_bytes);
      default: return -1;
    }
  }

  void check_gradient_place(Value parameter, Value gradient) const {
    const MemoryPlan& memory = program_.memory;
    const Place& p = memory.places.at(parameter);
    const Place& g = memory.places.at(gradient);
    if (g.storage == Storage::fixed && g.size_bytes == p.size_bytes &&
        g.offset_bytes == memory.gradient_offset + p.offset_bytes) {
      return;
    }
    fail(gradient, "does not lie as " + name(parameter) + " does, whose gradient it is");
  }

  bool places_in_parameters(Value v) const {
    return program_.memory.places.at(program_.stored(v)).storage == Storage::parameter;
  }

  /// What the host holds, parameters included, lasts the whole run; all else from the region that
  /// writes it to the last that reads it.
  std::vector<Alive> lifetimes() const {
    const std::size_t end = program_.regions.size() - 1;
    std::map<Value, Alive> alive;
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      const Value v{id, 0};
      if (is_source(graph_.node(id)) && program_.memory.places.contains(v)) alive[v] = {v, 0, end};
    }
    for (std::size_t r = 0; r < program_.regions.size(); ++r) {
      for (Value v : program_.regions[r].inputs) {
        Alive& life = alive.at(program_.holder(v));
        life.last = std::max(life.last, r);
      }
      for (Value v : program_.regions[r].outputs) {
        const Value holder = program_.holder(v);
        const auto [life, is_new] = alive.emplace(holder, Alive{holder, r, r});
        const bool is_kept = places_in_parameters(v) || is_result(graph_, v);
        life->second.last = is_kept ? end : r;
      }
    }
    std::vector<Alive> list;
    for (const auto& [v, life] : alive) list.push_back(life);
    return list;
  }

  void check_overlaps() const {
    const std::vector<Alive> all = lifetimes();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Place& a = program_.memory.places.at(all[i].value);
      for (std::size_t j = 0; j < i; ++j) {
        const Place& b = program_.memory.places.at(all[j].value);
        const bool together = all[i].first <= all[j].last && all[j].first <= all[i].last;
        const bool overlap = a.storage == b.storage && a.index == b.index &&
                             a.offset_bytes < b.offset_bytes + b.size_bytes &&
                             b.offset_bytes < a.offset_bytes + a.size_bytes;
        if (together && overlap) {
          fail(all[i].value, "shares memory with " + name(all[j].value) + " while both are alive");
        }
      }
    }
  }

  const Program& program_;
  const Graph& graph_;
  const std::map<Value, std::vector<int32_t>> users_ = users_of(graph_);
};

}  // namespace

void verify_program(const Program& program) { ProgramVerifier(program).run(); }

}  // namespace halcyon::compiler
