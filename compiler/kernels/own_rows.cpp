#include "compiler/kernels/own_rows.h"

#include <algorithm>

namespace halcyon::compiler {

using namespace Halide;

namespace ops = dsl::ops;

namespace {

constexpr int kUnrolledChannels = 4;

/// In tiles of sums that stay in registers, as conv.cpp has them.
void schedule_sums(LowerContext& context, const PointVars& v) {
  Func& rows = context.own_rows();
  Func& sum = context.own_sum();
  const Node& lead = context.graph().node(context.spec().region->nodes.front());
  const int rank = static_cast<int>(v.s.size());
  Var xo("xo"), xi("xi"), ko("ko"), ki("ki");
  rows.split(v.x(), xo, xi, static_cast<int>(context.choice().lead_tile_x),
             TailStrategy::ShiftInwards)
      .split(v.cb, ko, ki, static_cast<int>(context.choice().lead_tile_k));
  std::vector<VarOrRVar> order = {v.ci, xi, ki, xo};
  for (int axis = rank - 2; axis >= 0; --axis) order.push_back(v.s[static_cast<std::size_t>(axis)]);
  order.push_back(ko);
  rows.reorder(order).vectorize(v.ci).unroll(xi).unroll(ki);

  Stage update = sum.update();
  std::vector<VarOrRVar> sum_order = {v.ci};
  for (int axis = rank - 1; axis >= 0; --axis)
    sum_order.push_back(v.s[static_cast<std::size_t>(axis)]);
  sum_order.push_back(v.cb);
  const RVar c = sum.rvars()[0], cb = sum.rvars()[1];
  sum_order.push_back(c);
  sum_order.push_back(cb);
  sum.compute_at(rows, xo).vectorize(v.ci).unroll(v.cb);
  update.reorder(sum_order).vectorize(v.ci).unroll(v.cb);
  for (const Var& s : v.s) {
    sum.unroll(s);
    update.unroll(s);
  }
  const int64_t channels = context.weight_layout(lead.inputs[1]).sample.block;
  if (channels % kUnrolledChannels == 0) update.unroll(c, kUnrolledChannels);
}

}  // namespace

void lower_own_conv(LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const WeightLayout& weight = context.weight_layout(node.inputs[1]);
  const int rank = context.shape(x).spatial_rank();
  PointVars v = LowerContext::vars(rank);
  Func sum("own_sum");
  sum(v.arguments()) =
      node.inputs.size() > 2 ? context.image(node.inputs[2])(v.ci, 0, 0, v.cb) : Expr(0.0f);
  RDom r(0, static_cast<int>(weight.sample.block), 0, static_cast<int>(weight.sample.blocks()),
         "c");
  Point p = v.point(weight.sample.block);
  p.ci = r.x;
  p.cb = r.y;
  std::vector<Expr> w = {v.ci, r.x};
  w.insert(w.end(), static_cast<std::size_t>(rank), 0);
  w.emplace_back(r.y);
  w.emplace_back(v.cb);
  sum(v.arguments()) += context.image(node.inputs[1])(w) * context.image(x)(p.arguments());
  context.set_own_sum(sum);
  context.define({id, 0}, sum);
}

void keep_own_rows(LowerContext& context, Value v) {
  PointVars vars = LowerContext::vars(context.shape(v).spatial_rank());
  Func rows("own_rows");
  rows(vars.arguments()) = context.load(v, vars.point(context.block()));
  context.define(v, rows);
  context.set_own_rows(rows);
}

void schedule_own_rows(LowerContext& context, const LoopLevel& task) {
  Func& rows = context.own_rows();
  if (!rows.defined()) return;
  const Node& node = context.spec().anchor();
  const auto& conv = std::get<ops::Conv>(node.op);
  const Layout& map = context.layout(node.inputs[0]);
  const int rank = map.spatial_rank();
  PointVars v = LowerContext::vars(rank);
  rows.compute_at(task);
  for (int axis = 0; axis < rank; ++axis) {
    const Var& s = v.s[static_cast<std::size_t>(axis)];
    const int64_t extent = map.shape.spatial(axis);
    if (axis == rank - 2) {
      const int64_t read = (context.choice().rows_per_task - 1) * conv.stride[axis] +
                           conv.dilation[axis] * (conv.kernel[axis] - 1) + 1;
      rows.bound_storage(s, static_cast<int>(std::min(extent, read)));
    } else {
      rows.bound(s, 0, static_cast<int>(extent));
    }
  }
  rows.bound(v.cb, 0, static_cast<int>(map.blocks())).bound_storage(v.n, 1);
  if (context.own_sum().defined()) return schedule_sums(context, v);
  rows.vectorize(v.ci).unroll(v.x(), 2, TailStrategy::GuardWithIf);
}

}  // namespace halcyon::compiler
