/// Losses and their gradients. They are small: one thread, but whole vectors.

#include "compiler/kernels/folds.h"

namespace halcyon::compiler {

using namespace Halide;

void lower(const ops::SoftmaxCrossEntropy&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  PointVars v = LowerContext::vars(0);
  SoftmaxFolds folds(context, x, v);
  const Expr label =
      clamp(context.image(node.inputs[1])(0, 0, v.n), 0, static_cast<int>(context.shape(x)[1]) - 1);
  Func loss("loss");
  loss(v.n) =
      log(folds.sum.value()) + folds.largest.value() - context.load(x, {0, label, {}, v.n, 1});
  RDom r({{0, context.batch()}}, "r");
  Func total("total");
  total() = 0.0f;
  total() += loss(r.x);
  Func out("out");
  out() = total() / cast<float>(context.batch());
  total.compute_root();
  loss.compute_at(total, r.x);
  folds.schedule_at(total, r.x);
  context.set_output(out);
}

void schedule(const ops::SoftmaxCrossEntropy&, LowerContext&) {}

void lower(const ops::SoftmaxCrossEntropyGrad& op, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const int channels = static_cast<int>(context.shape(x)[1]);
  PointVars v = LowerContext::vars(0);
  const Point p = v.point(context.block());
  SoftmaxFolds folds(context, x, v);
  const Expr probability = exp(context.load(x, p) - folds.largest.value()) / folds.sum.value();
  const Expr hit = select(p.channel() == context.image(node.inputs[1])(0, 0, v.n), 1.0f, 0.0f);
  Func dx("cross_entropy_grad");
  dx(v.arguments()) =
      select(p.channel() < channels,
             (probability - hit) * (op.weight / cast<float>(context.batch())), 0.0f);
  context.define({id, 0}, dx);
  context.make_output();
  folds.schedule_at(context.output(), schedule_positions(context));
}

void schedule(const ops::SoftmaxCrossEntropyGrad&, LowerContext&) {}  // where the folds are at hand

void lower(const ops::MeanSquare&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Shape& shape = context.shape(node.inputs[0]);
  // Summed value by value: a difference in layout between x and the target costs nothing that
  // matters here.
  Halide::Region ranges = {{0, static_cast<int>(shape[1])}};
  for (int axis = shape.spatial_rank() - 1; axis >= 0; --axis)
    ranges.push_back({0, static_cast<int>(shape.spatial(axis))});
  RDom inner(ranges, "inner");
  Var n("n");
  Point p{0, inner[0], {}, n, 1};
  for (int axis = shape.spatial_rank(); axis >= 1; --axis) p.s.push_back(inner[axis]);
  const Expr difference = context.load(node.inputs[0], p) - context.load(node.inputs[1], p);
  Func sample("sample");
  sample(n) = 0.0f;
  sample(n) += difference * difference;
  RDom r({{0, context.batch()}}, "r");
  Func total("total");
  total() = 0.0f;
  total() += sample(r.x);
  Func out("out");
  out() = total() / (cast<float>(context.batch()) * static_cast<float>(shape.elements()));
  total.compute_root();
  sample.compute_at(total, r.x);
  context.set_output(out);
}

void schedule(const ops::MeanSquare&, LowerContext&) {}

void lower(const ops::MeanSquareGrad& op, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Shape& shape = context.shape(node.inputs[0]);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  Func dx("mean_square_grad");
  const Expr scale =
      (2.0f * op.weight / static_cast<float>(shape.elements())) / cast<float>(context.batch());
  dx(v.arguments()) = (context.load(node.inputs[0], p) - context.load(node.inputs[1], p)) * scale;
  context.define({id, 0}, dx);
}

}  // namespace halcyon::compiler
