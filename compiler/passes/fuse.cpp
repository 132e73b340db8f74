/// Groups nodes into regions: what becomes one kernel.
///
/// A region starts at a node that needs a loop nest of its own (its anchor: a convolution, a dense
/// layer, a reduction) or at an elementwise node, and grows along the value that it has just
/// computed:
///
///     conv1 -> relu1 -> pool1 -> flatten        conv1, relu1, pool1 in one loop nest
///                 \-> add2                      conv1, relu1 only: pool1 is not the only one that
///                 reads relu1
///
/// It grows over a follower when nobody else reads the value and the follower can be computed while
/// the value is still in registers: elementwise nodes, and pooling whose windows are small and do
/// not overlap. Behind a convolution other pooling may follow too, where fusion_cost finds that
/// rows kept in a task's scratch memory pay. Everything else that a follower reads is an ancestor
/// of its own result through other regions, so growing never makes two regions wait for each other.

#include <algorithm>
#include <set>

#include "compiler/passes/fusion_cost.h"
#include "compiler/passes/fusion_rules.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

bool is_source(const Op& op) {
  return std::holds_alternative<ops::Input>(op) || std::holds_alternative<ops::Parameter>(op) ||
         std::holds_alternative<ops::Constant>(op);
}

bool is_elementwise(const Op& op) {
  return std::holds_alternative<ops::Pointwise>(op) || std::holds_alternative<ops::Copy>(op) ||
         std::holds_alternative<ops::BatchNorm>(op) || std::holds_alternative<ops::Normalize>(op) ||
         std::holds_alternative<ops::NormalizeGrad>(op) ||
         std::holds_alternative<ops::RandomMask>(op);
}

/// May `node` join the region that `lead` began and that has just computed its input, with no more
/// than registers between them?
bool can_follow(const Node& node, const Op& lead) {
  // A copy writes the host's order, which the register tiles of a product do not have.
  const auto* winograd = std::get_if<ops::WinogradConv>(&lead);
  const bool tiled = winograd != nullptr || std::holds_alternative<ops::Conv>(lead) ||
                     std::holds_alternative<ops::Dense>(lead);
  if (std::holds_alternative<ops::Copy>(node.op) && tiled) return false;
  if (is_elementwise(node.op)) return true;
  const ops::PoolWindow* pool = pool_window(node.op);
  if (pool == nullptr || !windows_are_apart(*pool, node.outputs[0])) return false;
  return winograd == nullptr || windows_divide_tile(node.op, *winograd);
}

/// May a region that starts with this node grow at all?
bool can_lead(const Op& op) {
  return is_elementwise(op) || std::holds_alternative<ops::Conv>(op) ||
         std::holds_alternative<ops::WinogradConv>(op) || std::holds_alternative<ops::Dense>(op) ||
         pool_window(op) != nullptr || std::holds_alternative<ops::Stencil>(op) ||
         std::holds_alternative<ops::StencilGrad>(op);
}

bool is_pool(const Op& op) { return pool_window(op) != nullptr; }

class Fuser {
 public:
  Fuser(const Program& program, const PassContext& context)
      : program_(program), graph_(program.graph), context_(context), users_(users_of(graph_)) {}

  std::vector<Region> regions() {
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      const Op& op = graph_.node(id).op;
      if (is_source(op) || program_.is_free(id) || taken_.contains(id)) continue;
      grow(id);
    }
    return in_execution_order();
  }

 private:
  void grow(int32_t first) {
    Region region;
    region.nodes = {first};
    taken_.insert(first);
    bool pooled = is_pool(graph_.node(first).op);
    int32_t lead = first;
    int32_t last = first;
    while (can_lead(graph_.node(lead).op)) {
      const int32_t next = only_user({last, 0});
      if (next < 0 || taken_.contains(next)) break;
      const bool reads_rows = lead == first && can_reduce_into(next, first, {last, 0});
      if (!can_follow(graph_.node(next), graph_.node(lead).op) && !can_pool_rows(next, lead) &&
          !reads_rows)
        break;
      if (graph_.node(next).outputs[0] != graph_.node(last).outputs[0]) {
        if (!reads_rows && (pooled || !is_pool(graph_.node(next).op))) break;
      }
      // One pooling per region: two in a row would recompute. None behind rows of the region's own.
      if (is_pool(graph_.node(next).op)) {
        if (pooled) break;
        pooled = true;
      }
      if (reads_rows) {
        pooled = true;
        lead = next;
      }
      region.nodes.push_back(next);
      taken_.insert(next);
      last = next;
    }
    collect_edges(region);
    regions_.push_back(std::move(region));
  }

  /// May this pool read rows that the convolution `first` leaves in scratch memory?
  bool can_pool_rows(int32_t id, int32_t first) const {
    const Node& node = graph_.node(id);
    const Node& conv = graph_.node(first);
    const ops::PoolWindow* pool = pool_window(node.op);
    if (pool == nullptr || !std::holds_alternative<ops::Conv>(conv.op)) return false;
    if (context_.fusing.pool == Fusing::never || !windows_are_written(*pool, node.outputs[0]))
      return false;
    return is_wanted(context_.fusing.pool, cost_of_pool(graph_, conv, node, context_.target));
  }

  /// May this convolution read `rows`, which a pool or 1x1 convolution `first` leaves in scratch
  /// memory?
  bool can_reduce_into(int32_t id, int32_t first, Value rows) const {
    const Node& node = graph_.node(id);
    const Node& lead = graph_.node(first);
    if (context_.fusing.reduce == Fusing::never || !can_lead_rows(lead) ||
        graph_.shape(rows) != lead.outputs[0] ||
        !can_read_rows(graph_, node, rows, context_.target))
      return false;
    return is_wanted(context_.fusing.reduce, cost_of_rows(graph_, lead, node, context_.target));
  }

  bool is_wanted(Fusing fusing, const FusionCost& cost) const {
    return fusing == Fusing::wherever_possible ? cost.rows_per_task > 0
                                               : cost.pays(context_.target);
  }

  /// The one node that reads `v`, as often as it likes, or -1.
  int32_t only_user(Value v) const {
    const auto it = users_.find(v);
    if (it == users_.end() || is_result(graph_, v)) return -1;
    const std::vector<int32_t>& readers = it->second;
    const bool one = std::count(readers.begin(), readers.end(), readers[0]) ==
                     static_cast<std::ptrdiff_t>(readers.size());
    return one ? readers[0] : -1;
  }

  void collect_edges(Region& region) const {
    const auto inside = [&](int32_t id) {
      return std::find(region.nodes.begin(), region.nodes.end(), id) != region.nodes.end();
    };
    for (int32_t id : region.nodes) {
      const Node& node = graph_.node(id);
      for (Value v : node.inputs) {
        const bool known =
            std::find(region.inputs.begin(), region.inputs.end(), v) != region.inputs.end();
        if (!inside(v.node) && !known) region.inputs.push_back(v);
      }
      for (int32_t o = 0; o < static_cast<int32_t>(node.outputs.size()); ++o) {
        const auto it = users_.find({id, o});
        const bool read_outside =
            it != users_.end() && std::any_of(it->second.begin(), it->second.end(),
                                              [&](int32_t u) { return !inside(u); });
        if (read_outside || is_result(graph_, {id, o})) region.outputs.push_back({id, o});
      }
    }
  }

  /// Regions sorted so that each runs behind those it reads, otherwise by their first node.
  std::vector<Region> in_execution_order() {
    std::map<int32_t, std::size_t> owner;
    for (std::size_t r = 0; r < regions_.size(); ++r) {
      for (int32_t id : regions_[r].nodes) owner[id] = r;
    }
    std::vector<Region> ordered;
    std::vector<int> state(regions_.size(), 0);
    const auto visit = [&](auto&& self, std::size_t r) -> void {
      if (state[r] == 2) return;
      if (state[r] == 1) throw InternalError("fuse: two regions wait for each other");
      state[r] = 1;
      std::vector<Value> read = regions_[r].inputs;
      while (!read.empty()) {
        const Value v = read.back();
        read.pop_back();
        if (program_.is_free(v.node)) {
          read.insert(read.end(), graph_.node(v).inputs.begin(), graph_.node(v).inputs.end());
        }
        if (const auto it = owner.find(v.node); it != owner.end()) self(self, it->second);
      }
      state[r] = 2;
      ordered.push_back(std::move(regions_[r]));
    };
    // What follows from parameters alone comes as late as it can: right before its first reader.
    const std::vector<bool> of_parameters = parameter_nodes(graph_);
    for (const bool wanted : {false, true}) {
      for (std::size_t r = 0; r < regions_.size(); ++r) {
        if (state[r] != 0) continue;
        const int32_t last = regions_[r].nodes.back();
        if (of_parameters[static_cast<std::size_t>(last)] == wanted) visit(visit, r);
      }
    }
    return ordered;
  }

  const Program& program_;
  const Graph& graph_;
  const PassContext& context_;
  std::map<Value, std::vector<int32_t>> users_;
  std::set<int32_t> taken_;
  std::vector<Region> regions_;
};

bool is_training(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const Node& node) { return std::holds_alternative<ops::Update>(node.op); });
}

/// Puts what follows from parameters alone in front; returns how many regions do.
std::size_t put_prepare_first(Program& program) {
  const std::vector<bool> of_parameters = parameter_nodes(program.graph);
  const auto behind = std::stable_partition(
      program.regions.begin(), program.regions.end(), [&](const Region& region) {
        return of_parameters[static_cast<std::size_t>(region.nodes.back())];
      });
  return static_cast<std::size_t>(behind - program.regions.begin());
}

}  // namespace

bool fuse(Program& program, const PassContext& context) {
  program.views.clear();
  for (int32_t id = 0; id < program.graph.node_count(); ++id) {
    const Node& node = program.graph.node(id);
    if (is_view(program.graph, node)) program.views[{id, 0}] = node.inputs[0];
  }
  program.regions = Fuser(program, context).regions();
  program.prepare_regions = is_training(program.graph) ? 0 : put_prepare_first(program);
  return true;
}

}  // namespace halcyon::compiler
