/// Filters from filters. These kernels run once, when weights are loaded: bound by memory, and not
/// worth more than whole vectors and all threads.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// The variables of a filter: filter in block, channel in block, taps, channel block, filter block.
struct FilterVars {
  Var ki{"ki"}, ci{"ci"}, cb{"cb"}, kb{"kb"};
  std::vector<Var> taps;  ///< outermost first

  explicit FilterVars(const WeightLayout& weight)
      : taps(LowerContext::vars(weight.sample.spatial_rank()).s) {}

  std::vector<Var> arguments() const {
    std::vector<Var> list = {ki, ci};
    list.insert(list.end(), taps.rbegin(), taps.rend());
    list.push_back(cb);
    list.push_back(kb);
    return list;
  }
};

void write(LowerContext& context, const FilterVars& v, const Expr& value) {
  Func out("out");
  out(v.arguments()) = value;
  context.set_output(out);
}

void schedule_filters(LowerContext& context) {
  constexpr int64_t kWorthThreads = 32 * 1024;
  Func& out = context.output();
  const int32_t id = context.spec().region->nodes.front();
  out.vectorize(out.args()[0]);
  if (context.weight_layout({id, 0}).elements() > kWorthThreads) out.parallel(out.args().back());
}

}  // namespace

void lower(const ops::ScaleFilters&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const FilterVars v(context.weight_layout({id, 0}));
  const std::vector<Var> at = v.arguments();
  const Expr weight = context.image(node.inputs[0])(std::vector<Expr>(at.begin(), at.end()));
  write(context, v, weight * context.image(node.inputs[1])(v.ki, 0, 0, v.kb));
}

void lower(const ops::StackFilters& op, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const WeightLayout& stacked = context.weight_layout({id, 0});
  const FilterVars v(stacked);
  const Expr k = v.kb * static_cast<int>(stacked.filter_block) + v.ki;
  const Expr c = v.cb * static_cast<int>(stacked.sample.block) + v.ci;
  Expr value = 0.0f;
  int64_t end = stacked.filters;
  for (auto part = node.inputs.rbegin(); part != node.inputs.rend(); ++part) {
    const int64_t first = end - op.filled(context.shape(*part)[0]);
    const std::vector<Expr> taps(v.taps.begin(), v.taps.end());
    const Expr own = context.weight_at(*part, k - static_cast<int>(first), c, taps);
    value = select(k >= static_cast<int>(first) && k < static_cast<int>(end), own, value);
    end = first;
  }
  write(context, v, value);
}

void schedule(const ops::ScaleFilters&, LowerContext& context) { schedule_filters(context); }
void schedule(const ops::StackFilters&, LowerContext& context) { schedule_filters(context); }

}  // namespace halcyon::compiler
