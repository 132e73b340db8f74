/// Softmax, losses and their gradients. They are small: one thread, but whole vectors.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Position of channel `c` at the place of `p`, whatever the blocks.
Point at_channel(const Point& p, const Expr& c) { return {0, c, p.s, p.n, 1}; }

/// max and sum of exp(x - max) over the channels of each position.
struct SoftmaxParts {
  Func largest{"largest"};
  Func sum{"sum"};
};

/// Arguments: spatial axes innermost first, then the sample.
std::vector<Var> position_args(const PointVars& v) {
  std::vector<Var> args(v.s.rbegin(), v.s.rend());
  args.push_back(v.n);
  return args;
}

SoftmaxParts softmax_parts(LowerContext& context, Value x, const PointVars& v) {
  SoftmaxParts parts;
  const Point p = v.point(1);
  RDom c(0, static_cast<int>(context.shape(x)[1]), "c");
  const std::vector<Var> args = position_args(v);
  parts.largest(args) = Float(32).min();
  parts.largest(args) = max(parts.largest(args), context.load(x, at_channel(p, c)));
  parts.sum(args) = 0.0f;
  parts.sum(args) += exp(context.load(x, at_channel(p, c)) - parts.largest(args));
  return parts;
}

std::vector<Expr> position(const PointVars& v) {
  const std::vector<Var> args = position_args(v);
  return {args.begin(), args.end()};
}

/// Helpers of a softmax-like kernel are computed once per position, everything else channel by
/// channel.
void schedule_rows(LowerContext& context) {
  Func& out = context.output();
  PointVars v = context.output_vars();
  vectorise_channels(out, v.ci, context.output_layout().block, context.vector_width());
  std::vector<VarOrRVar> order = {v.ci, v.cb};
  const std::vector<Var> args = position_args(v);
  order.insert(order.end(), args.begin(), args.end());
  out.reorder(order);
}

}  // namespace

void lower(const ops::Softmax&, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const int channels = static_cast<int>(context.shape(x)[1]);
  PointVars v = LowerContext::vars(context.shape(x).spatial_rank());
  const Point p = v.point(context.block());
  const SoftmaxParts parts = softmax_parts(context, x, v);
  Func y("softmax");
  const Expr value = exp(context.load(x, p) - parts.largest(position(v))) / parts.sum(position(v));
  y(v.arguments()) = select(p.channel() < channels, value, 0.0f);
  context.define({id, 0}, y);
  context.make_output();
  Func largest = parts.largest;
  Func sum = parts.sum;
  const Var at = context.output_vars().s.empty() ? v.n : context.output_vars().x();
  largest.compute_at(context.output(), at);
  sum.compute_at(context.output(), at);
}

void schedule(const ops::Softmax&, LowerContext& context) { schedule_rows(context); }

void lower(const ops::SoftmaxGrad&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value dy = node.inputs[0];
  const Value y = node.inputs[1];
  PointVars v = LowerContext::vars(context.shape(y).spatial_rank());
  const Point p = v.point(context.block());
  RDom c(0, static_cast<int>(context.shape(y)[1]), "c");
  Func dot("dot");
  dot(position_args(v)) = 0.0f;
  dot(position_args(v)) += context.load(dy, at_channel(p, c)) * context.load(y, at_channel(p, c));
  Func dx("softmax_grad");
  dx(v.arguments()) = context.load(y, p) * (context.load(dy, p) - dot(position(v)));
  context.define({id, 0}, dx);
  context.make_output();
  dot.compute_at(context.output(),
                 context.output_vars().s.empty() ? v.n : context.output_vars().x());
}

void schedule(const ops::SoftmaxGrad&, LowerContext& context) { schedule_rows(context); }

void lower(const ops::SoftmaxCrossEntropy&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  PointVars v = LowerContext::vars(0);
  SoftmaxParts parts = softmax_parts(context, x, v);
  const Expr label =
      clamp(context.image(node.inputs[1])(0, 0, v.n), 0, static_cast<int>(context.shape(x)[1]) - 1);
  Func loss("loss");
  loss(v.n) = log(parts.sum(v.n)) + parts.largest(v.n) - context.load(x, {0, label, {}, v.n, 1});
  RDom r({{0, context.batch()}}, "r");
  Func total("total");
  total() = 0.0f;
  total() += loss(r.x);
  Func out("out");
  out() = total() / cast<float>(context.batch());
  total.compute_root();
  loss.compute_at(total, r.x);
  parts.largest.compute_at(total, r.x);
  parts.sum.compute_at(total, r.x);
  context.set_output(out);
}

void schedule(const ops::SoftmaxCrossEntropy&, LowerContext&) {}

void lower(const ops::SoftmaxCrossEntropyGrad& op, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const int channels = static_cast<int>(context.shape(x)[1]);
  PointVars v = LowerContext::vars(0);
  const Point p = v.point(context.block());
  SoftmaxParts parts = softmax_parts(context, x, v);
  const Expr probability = exp(context.load(x, p) - parts.largest(v.n)) / parts.sum(v.n);
  const Expr hit = select(p.channel() == context.image(node.inputs[1])(0, 0, v.n), 1.0f, 0.0f);
  Func dx("cross_entropy_grad");
  dx(v.arguments()) =
      select(p.channel() < channels,
             (probability - hit) * (op.weight / cast<float>(context.batch())), 0.0f);
  context.define({id, 0}, dx);
  context.make_output();
  parts.largest.compute_at(context.output(), v.n);
  parts.sum.compute_at(context.output(), v.n);
}

void schedule(const ops::SoftmaxCrossEntropyGrad&, LowerContext& context) {
  schedule_rows(context);
}

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
