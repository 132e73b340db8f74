/// Softmax and its kin: each position's channels are folded to a number or two, then written.

#include "compiler/kernels/folds.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Sum of a term over the channels of each position.
ChannelFold channel_sum(LowerContext& context, Value x, const PointVars& v,
                        const ChannelFold::Term& term) {
  return {context, v, context.shape(x)[1], Fold::sum, term};
}

/// Makes `value` the kernel's result, zero beyond the last channel. These kernels are never fused.
void finish(LowerContext& context, int32_t id, const PointVars& v, const Expr& value) {
  const int channels = static_cast<int>(context.graph().node(id).outputs[0][1]);
  Func y("folded");
  y(v.arguments()) = select(v.point(context.block()).channel() < channels, value, 0.0f);
  context.define({id, 0}, y);
  context.make_output();
}

}  // namespace

void lower(const ops::Softmax&, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  PointVars v = LowerContext::vars(context.shape(x).spatial_rank());
  SoftmaxFolds folds(context, x, v);
  const Expr shifted = context.load(x, v.point(context.block())) - folds.largest.value();
  finish(context, id, v, exp(shifted) / folds.sum.value());
  folds.schedule_at(context.output(), schedule_positions(context));
}

void lower(const ops::LogSoftmax&, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  PointVars v = LowerContext::vars(context.shape(x).spatial_rank());
  SoftmaxFolds folds(context, x, v);
  const Expr shifted = context.load(x, v.point(context.block())) - folds.largest.value();
  finish(context, id, v, shifted - log(folds.sum.value()));
  folds.schedule_at(context.output(), schedule_positions(context));
}

void lower(const ops::SoftmaxGrad&, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0], y = context.graph().node(id).inputs[1];
  PointVars v = LowerContext::vars(context.shape(y).spatial_rank());
  const Point p = v.point(context.block());
  ChannelFold dot = channel_sum(
      context, y, v, [&](const Point& q) { return context.load(dy, q) * context.load(y, q); });
  finish(context, id, v, context.load(y, p) * (context.load(dy, p) - dot.value()));
  dot.schedule_at(context.output(), schedule_positions(context));
}

void lower(const ops::LogSoftmaxGrad&, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0], y = context.graph().node(id).inputs[1];
  PointVars v = LowerContext::vars(context.shape(y).spatial_rank());
  const Point p = v.point(context.block());
  ChannelFold sum = channel_sum(context, y, v, [&](const Point& q) { return context.load(dy, q); });
  finish(context, id, v, context.load(dy, p) - exp(context.load(y, p)) * sum.value());
  sum.schedule_at(context.output(), schedule_positions(context));
}

void lower(const ops::L2Normalize& op, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  PointVars v = LowerContext::vars(context.shape(x).spatial_rank());
  ChannelFold squares = channel_sum(context, x, v, [&](const Point& q) {
    const Expr value = context.load(x, q);
    return value * value;
  });
  const Expr length = max(sqrt(squares.value()), op.epsilon);
  finish(context, id, v, context.load(x, v.point(context.block())) / length);
  squares.schedule_at(context.output(), schedule_positions(context));
}

void lower(const ops::L2NormalizeGrad& op, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0], x = context.graph().node(id).inputs[1];
  PointVars v = LowerContext::vars(context.shape(x).spatial_rank());
  const Point p = v.point(context.block());
  ChannelFold squares = channel_sum(context, x, v, [&](const Point& q) {
    const Expr value = context.load(x, q);
    return value * value;
  });
  ChannelFold dot = channel_sum(
      context, x, v, [&](const Point& q) { return context.load(dy, q) * context.load(x, q); });
  const Expr length = sqrt(squares.value());
  const Expr along = select(length > op.epsilon, dot.value() / squares.value(), 0.0f);
  finish(context, id, v,
         (context.load(dy, p) - context.load(x, p) * along) / max(length, op.epsilon));
  const Var at = schedule_positions(context);
  squares.schedule_at(context.output(), at);
  dot.schedule_at(context.output(), at);
}

// Scheduled above, where the folds are at hand.

void schedule(const ops::Softmax&, LowerContext&) {}
void schedule(const ops::LogSoftmax&, LowerContext&) {}
void schedule(const ops::SoftmaxGrad&, LowerContext&) {}
void schedule(const ops::LogSoftmaxGrad&, LowerContext&) {}
void schedule(const ops::L2Normalize&, LowerContext&) {}
void schedule(const ops::L2NormalizeGrad&, LowerContext&) {}

}  // namespace halcyon::compiler
