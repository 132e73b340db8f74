#include "compiler/kernels/pool_of_rows.h"

#include <algorithm>

#include "compiler/kernels/conv_window.h"
#include "compiler/passes/fusion_rules.h"

namespace halcyon::compiler {

using namespace Halide;

void keep_rows(LowerContext& context, Value v) {
  PointVars vars = LowerContext::vars(context.shape(v).spatial_rank());
  Func rows("rows");
  rows(vars.arguments()) = context.load(v, vars.point(context.block()));
  context.define(v, rows);
  context.set_rows(rows);
}

std::vector<int64_t> rows_per_task(const LowerContext& context) {
  const Graph& graph = context.graph();
  const Node& node = graph.node(pool_of_rows(graph, *context.spec().region));
  const dsl::ops::PoolWindow& pool = *pool_window(node.op);
  const Shape& map = graph.shape(node.inputs[0]);
  std::vector<int64_t> extents;
  for (int axis = 0; axis < map.spatial_rank(); ++axis) extents.push_back(map.spatial(axis));
  const int axis = map.spatial_rank() - 2;
  if (axis < 0) return extents;
  const int64_t read =
      (context.choice().rows_per_task - 1) * pool.stride[axis] + pool.reach(axis) + 1;
  int64_t& rows = extents[static_cast<std::size_t>(axis)];
  rows = std::min(rows, read);
  return extents;
}

Var schedule_pool_of_rows(LowerContext& context) {
  Func& out = context.output();
  const PointVars& v = context.output_vars();
  Var ko("ko"), ki("ki");
  out.split(v.cb, ko, ki, static_cast<int>(context.choice().tile_k));
  std::vector<VarOrRVar> order = {v.ci, v.x()};
  const std::vector<Var> tasks = split_tasks(context, ko, order);
  order.push_back(ki);
  order.insert(order.end(), tasks.begin(), tasks.end());
  out.reorder(order).vectorize(v.ci).unroll(v.x(), 2, TailStrategy::GuardWithIf);
  Var task = parallelise(out, tasks);

  Func& rows = context.rows();
  rows.compute_at(out, task);
  const std::vector<int64_t> extents = rows_per_task(context);
  const int rank = static_cast<int>(extents.size());
  for (int axis = 0; axis < rank; ++axis) {
    const Var& s = v.s[static_cast<std::size_t>(axis)];
    const int extent = static_cast<int>(extents[static_cast<std::size_t>(axis)]);
    if (axis == rank - 2) {
      rows.bound_storage(s, extent);
    } else {
      rows.bound(s, 0, extent);
    }
  }
  rows.bound_storage(v.cb, static_cast<int>(context.choice().tile_k)).bound_storage(v.n, 1);
  return task;
}

}  // namespace halcyon::compiler
