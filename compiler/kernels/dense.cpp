/// Dense layers as matrix products. A sample is one row of numbers in the order in which they lie
/// in memory: the weight was packed in that order, so flattening a map costs nothing.

#include <algorithm>

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

void lower(const ops::Dense&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const WeightLayout& weight = context.weight_layout(node.inputs[1]);
  const int length = static_cast<int>(weight.sample.sample_elements());
  ImageParam x = context.flat_image(node.inputs[0]);
  ImageParam w = context.flat_weight(node.inputs[1]);

  PointVars v = LowerContext::vars(0);
  Func sum("sum");
  if (node.inputs.size() > 2) {
    sum(v.arguments()) = context.image(node.inputs[2])(v.ci, 0, 0, v.cb);
  } else {
    sum(v.arguments()) = 0.0f;
  }
  RDom r(0, length, "r");
  sum(v.arguments()) += w(v.ci, r, v.cb) * x(r, v.n);
  context.define({id, 0}, sum);
  context.set_accumulator(sum);
}

void schedule(const ops::Dense&, LowerContext& context) {
  const Choice& choice = context.choice();
  Func& out = context.output();
  Func& sum = context.accumulator();
  PointVars v = context.output_vars();
  Var ko("ko"), ki("ki"), no("no"), ni("ni");
  const int tile_n = static_cast<int>(choice.tile_n);
  const int tile_k = static_cast<int>(choice.tile_k);

  // Whole tiles of samples where the batch has them, otherwise one sample at a time.
  const auto order = [&](Stage stage, int samples) {
    Var task("task");
    stage.split(v.cb, ko, ki, tile_k)
        .split(v.n, no, ni, samples, TailStrategy::ShiftInwards)
        .reorder(v.ci, ni, ki, no, ko)
        .vectorize(v.ci)
        .unroll(ki)
        .unroll(ni)
        .fuse(no, ko, task)
        .parallel(task);
  };
  order(out.specialize(context.batch() >= tile_n), tile_n);
  order(Stage(out), 1);

  sum.compute_at(out, Var("task")).vectorize(v.ci).unroll(v.cb).unroll(v.n);
  const RVar r = sum.rvars()[0];
  sum.update().reorder(v.ci, v.n, v.cb, r).vectorize(v.ci).unroll(v.cb).unroll(v.n);
}

void lower(const ops::DenseWeightGrad&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const WeightLayout& weight = context.weight_layout({id, 0});
  ImageParam x = context.flat_image(node.inputs[0]);
  Var ki("ki"), j("j"), kb("kb");
  RDom r({{0, context.batch()}}, "r");
  Func sum("sum");
  sum(ki, j, kb) = 0.0f;
  sum(ki, j, kb) +=
      context.load(node.inputs[1], Point{ki, kb, {}, r.x, weight.filter_block}) * x(j, r.x);
  Func out("out");
  out(ki, j, kb) = sum(ki, j, kb);
  context.set_accumulator(sum);
  context.set_output(out);
}

void schedule(const ops::DenseWeightGrad&, LowerContext& context) {
  const Choice& choice = context.choice();
  Func& out = context.output();
  Func& sum = context.accumulator();
  const std::vector<Var> a = out.args();  // ki, j, kb
  Var jo("jo"), ji("ji"), ko("ko"), kk("kk"), task("task"), jp("jp"), jt("jt");
  const int64_t tiles =
      context.weight_layout({context.spec().region->nodes.front(), 0}).sample.sample_elements() /
      choice.tile_c;
  out.split(a[2], ko, kk, static_cast<int>(choice.tile_k))
      .split(a[1], jo, ji, static_cast<int>(choice.tile_c), TailStrategy::ShiftInwards)
      .split(jo, jp, jt, static_cast<int>(std::clamp<int64_t>(tiles / 4, 1, 16)),
             TailStrategy::GuardWithIf)
      .reorder(a[0], ji, kk, jt, jp, ko)
      .vectorize(a[0])
      .unroll(ji)
      .unroll(kk)
      .fuse(jp, ko, task)
      .parallel(task);
  const std::vector<Var> s = sum.args();
  sum.compute_at(out, jt).vectorize(s[0]).unroll(s[1]).unroll(s[2]);
  sum.update().reorder(s[0], s[1], s[2], sum.rvars()[0]).vectorize(s[0]).unroll(s[1]).unroll(s[2]);
}

void lower(const ops::TransposeMatrix&, LowerContext& context, int32_t id) {
  const Value from = context.graph().node(id).inputs[0];
  const WeightLayout& source = context.weight_layout(from);
  const WeightLayout& target = context.weight_layout({id, 0});
  ImageParam w = context.flat_weight(from);
  Var ki("ki"), j("j"), kb("kb");
  // Row k of the result is element k of the forward sample; its element j is a forward filter.
  const int rows = static_cast<int>(source.sample.sample_elements());
  const int columns = static_cast<int>(source.filter_blocks() * source.filter_block);
  const int block = static_cast<int>(source.filter_block);
  const Expr k = kb * static_cast<int>(target.filter_block) + ki;
  const Expr kk = min(k, rows - 1);
  const Expr jj = min(j, columns - 1);
  Func out("out");
  out(ki, j, kb) = select(k < rows && j < columns, w(jj % block, kk, jj / block), 0.0f);
  context.set_output(out);
}

void schedule(const ops::TransposeMatrix&, LowerContext& context) {
  Func& out = context.output();
  const std::vector<Var> a = out.args();
  out.vectorize(a[0]);
  if (context.weight_layout({context.spec().region->nodes.front(), 0}).elements() > 16 * 1024) {
    out.parallel(a[2]);
  }
}

void lower(const ops::BiasGrad&, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0];
  const WeightLayout& weight = context.weight_layout({id, 0});
  const Shape& shape = context.shape(dy);
  Var ki("ki"), one("one"), cb("cb"), kb("kb"), x("x");

  // One sum per column keeps several additions in flight; the columns are added in order at the
  // end.
  const int columns =
      shape.spatial_rank() > 0 ? static_cast<int>(shape.spatial(shape.spatial_rank() - 1)) : 1;
  Halide::Region ranges;
  for (int axis = shape.spatial_rank() - 2; axis >= 0; --axis) {
    ranges.push_back({0, static_cast<int>(shape.spatial(axis))});
  }
  ranges.push_back({0, context.batch()});
  RDom r(ranges, "r");
  Point p{ki, kb, {}, r[static_cast<int>(ranges.size()) - 1], weight.filter_block};
  for (int axis = shape.spatial_rank() - 2; axis >= 0; --axis) p.s.push_back(r[axis]);
  if (shape.spatial_rank() > 0) p.s.push_back(x);
  Func column("column");
  column(ki, x, kb) = 0.0f;
  column(ki, x, kb) += context.load(dy, p);
  Func total("total");
  RDom rx(0, columns, "rx");
  total(ki, kb) = 0.0f;
  total(ki, kb) += column(ki, rx, kb);
  Func out("out");
  out(ki, one, cb, kb) = total(ki, kb);
  context.define({id, 0}, total);
  context.set_accumulator(column);
  context.set_output(out);
}

void schedule(const ops::BiasGrad&, LowerContext& context) {
  Func& out = context.output();
  Func total = context.func({context.spec().region->nodes.front(), 0});
  Func& column = context.accumulator();
  const std::vector<Var> a = out.args();
  out.vectorize(a[0]);
  total.compute_at(out, a[3]).vectorize(total.args()[0]);
  total.update().vectorize(total.args()[0]);
  const std::vector<Var> c = column.args();
  column.compute_at(out, a[3]).vectorize(c[0]);
  std::vector<VarOrRVar> order = {c[0], c[1]};
  for (const RVar& rv : column.rvars()) order.push_back(rv);
  column.update().reorder(order).vectorize(c[0]);
}

}  // namespace halcyon::compiler
