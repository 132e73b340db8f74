/// Concat and slice without copies: producers write, and readers read, ranges of one buffer.
///
/// Each concat says where its inputs lie within it, each slice where it lies within its input, both
/// in channel blocks. Joining what they say gives groups of values with fixed distances, and each
/// group is a buffer:
///
///     merged = conv(x)          [ b | c | a ]            b, c and a are slices of merged
///     joined = concat(a, d, e)          [ a | d | e ]    d and e are computed from b and c
///     the buffer                [ b | c | a | d | e ]
///
/// Where two kernels would write the same blocks, or an input is also the host's, that input gets a
/// copy of its own. Inputs that belong to nobody else are joined first: so the one that is shared
/// is copied, once.
///
/// A range begins with a channel block. A concat whose inputs do not fill their blocks copies.

#include <algorithm>
#include <set>

#include "compiler/ops/formula.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// Values at fixed distances, each with those of its group.
class Groups {
 public:
  struct Member {
    Value value;
    int64_t first_block;
    int64_t blocks;
    bool is_computed;
  };

  void add(Value v, int64_t blocks, bool is_computed) {
    where_[v] = groups_.size();
    groups_.push_back({{v, 0, blocks, is_computed}});
  }

  /// Puts `b` at `distance` blocks behind the begin of `a`; false if that cannot be.
  bool join(Value a, Value b, int64_t distance) {
    const std::size_t to = where_.at(a), from = where_.at(b);
    const int64_t shift = member(a).first_block + distance - member(b).first_block;
    if (to == from) return shift == 0;
    for (const Member& x : groups_[to]) {
      for (const Member& y : groups_[from]) {
        const int64_t begin = y.first_block + shift;
        const bool apart = x.first_block + x.blocks <= begin || begin + y.blocks <= x.first_block;
        if (x.is_computed && y.is_computed && !apart) return false;
      }
    }
    for (Member moved : groups_[from]) {
      moved.first_block += shift;
      where_[moved.value] = to;
      groups_[to].push_back(moved);
    }
    groups_[from].clear();
    return true;
  }

  bool is_alone(Value v) const { return groups_[where_.at(v)].size() == 1; }
  Member& member(Value v) {
    std::vector<Member>& group = groups_[where_.at(v)];
    return *std::find_if(group.begin(), group.end(), [&](const Member& m) { return m.value == v; });
  }
  const std::vector<std::vector<Member>>& all() const { return groups_; }

 private:
  std::map<Value, std::size_t> where_;
  std::vector<std::vector<Member>> groups_;
};

class BufferSharer {
 public:
  BufferSharer(const Graph& graph, int64_t vector_width) : graph_(graph), width_(vector_width) {
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (!can_share({id, 0})) continue;
      const Value v{id, 0};
      groups_.add(v, (channels(v) + block(v) - 1) / block(v), true);
      if (std::holds_alternative<ops::Concat>(graph_.node(id).op)) join_inputs(id);
      if (std::holds_alternative<ops::Slice>(graph_.node(id).op)) join_source(id);
    }
  }

  /// Inputs of concats that need a copy first: concat, number of the input.
  const std::set<std::pair<int32_t, std::size_t>>& copies() const { return copies_; }

  void assign(Program& program) const {
    for (const auto& group : groups_.all()) {
      if (group.size() < 2) continue;
      int64_t first = group[0].first_block, end = first;
      for (const Groups::Member& m : group) {
        first = std::min(first, m.first_block);
        end = std::max(end, m.first_block + m.blocks);
      }
      const auto buffer = static_cast<int32_t>(program.buffer_blocks.size());
      program.buffer_blocks.push_back(end - first);
      for (const Groups::Member& m : group) {
        program.slots[m.value] = {buffer, m.first_block - first, m.is_computed};
      }
    }
  }

 private:
  int64_t channels(Value v) const { return graph_.shape(v)[1]; }
  int64_t block(Value v) const { return natural_block(channels(v), width_); }

  /// Whether this pass may decide where a value lies.
  bool can_share(Value v) const {
    const Node& node = graph_.node(v);
    return !std::holds_alternative<ops::Input>(node.op) && !node.outputs.empty() &&
           graph_.shape(v).has_batch() && graph_.shape(v).rank > 1 && !is_result(graph_, v) &&
           !is_view(graph_, node) && !is_seen_as_map(v);
  }

  /// A dense layer that writes a map in the map's form.
  bool is_seen_as_map(Value v) const {
    const auto it = users_.find(v);
    return it != users_.end() && std::any_of(it->second.begin(), it->second.end(), [&](int32_t u) {
             return std::holds_alternative<ops::Unflatten>(graph_.node(u).op);
           });
  }

  void join_inputs(int32_t id) {
    const Node& node = graph_.node(id);
    const Value y{id, 0};
    if (std::get<ops::Concat>(node.op).axis != 1) return;
    std::vector<int64_t> first_channel;
    int64_t channel = 0;
    for (Value v : node.inputs) {
      if (block(v) != block(y) || channel % block(y) != 0) return;
      first_channel.push_back(channel);
      channel += channels(v);
    }
    groups_.member(y).is_computed = false;
    bool joined = false;
    for (const bool shared : {false, true}) {
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Value v = node.inputs[i];
        const bool is_alone = can_share(v) && groups_.is_alone(v);
        if (is_alone == shared || copies_.contains({id, i})) continue;
        if (can_share(v) && groups_.join(y, v, first_channel[i] / block(y))) {
          joined = true;
        } else {
          copies_.insert({id, i});
        }
      }
    }
    if (joined) return;
    groups_.member(y).is_computed = true;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) copies_.erase({id, i});
  }

  void join_source(int32_t id) {
    const Node& node = graph_.node(id);
    const auto& slice = std::get<ops::Slice>(node.op);
    const Value y{id, 0}, x = node.inputs[0];
    const Shape& whole = graph_.shape(x);
    for (int axis = 1; axis < whole.rank; ++axis) {
      const bool all = axis > 1 && graph_.shape(y)[axis] == whole[axis];
      if (slice.step[axis - 1] != 1 || (axis > 1 && !all)) return;
    }
    const int64_t begin = slice.begin[0], end = slice.end[0];
    const int64_t filled = std::min((end + block(x) - 1) / block(x) * block(x), whole[1]);
    const bool fits = can_share(x) && block(x) == block(y) && begin % block(x) == 0 &&
                      channels_are_zero(x, end, filled);
    if (!fits) return;
    groups_.member(y).is_computed = false;
    if (!groups_.join(x, y, begin / block(x))) groups_.member(y).is_computed = true;
  }

  /// Whether these channels hold zeros because stacked filters leave them empty.
  bool channels_are_zero(Value v, int64_t begin, int64_t end) const {
    if (begin == end) return true;
    const Node& node = graph_.node(v);
    if (const auto* function = std::get_if<ops::Pointwise>(&node.op)) {
      return node.inputs.size() == 1 && vanishes(function->formula, {false}) &&
             channels_are_zero(node.inputs[0], begin, end);
    }
    if (!std::holds_alternative<ops::Conv>(node.op)) return false;
    const Node& weight = graph_.node(node.inputs[1]);
    const auto* stack = std::get_if<ops::StackFilters>(&weight.op);
    if (stack == nullptr) return false;
    int64_t first = 0;
    for (Value part : weight.inputs) {
      const int64_t filters = graph_.shape(part)[0];
      const int64_t next = first + stack->filled(filters);
      if (begin >= first + filters && end <= next) return true;
      first = next;
    }
    return false;
  }

  const Graph& graph_;
  int64_t width_;
  std::map<Value, std::vector<int32_t>> users_ = users_of(graph_);
  Groups groups_;
  std::set<std::pair<int32_t, std::size_t>> copies_;
};

Graph with_copies(const Graph& graph, const std::set<std::pair<int32_t, std::size_t>>& copies) {
  Rewriter rewriter(graph,
                    [&](int32_t id, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      Rewriter::Values own = inputs;
                      for (std::size_t i = 0; i < inputs.size(); ++i) {
                        if (!copies.contains({id, i})) continue;
                        FixedString name = node.name;
                        name.append(".copy");
                        own[i] = {copy.add(ops::Copy{}, {inputs[i]}, name, node.place), 0};
                      }
                      if (own == inputs) return {};
                      return {{copy.add(node.op, own, node.name, node.place), 0}};
                    });
  return rewriter.take();
}

}  // namespace

bool share_buffers(Program& program, const PassContext& context) {
  program.slots.clear();
  program.buffer_blocks.clear();
  // A copy is never copied again, so each round leaves fewer inputs that might be.
  for (;;) {
    const BufferSharer sharer(program.graph, context.target.vector_width);
    if (sharer.copies().empty()) {
      sharer.assign(program);
      return !program.slots.empty();
    }
    program.graph = with_copies(program.graph, sharer.copies());
  }
}

}  // namespace halcyon::compiler
