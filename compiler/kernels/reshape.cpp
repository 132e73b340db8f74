/// Operators that move values: each output position reads the one input position it comes from.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

void lower(const ops::Concat&, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  PointVars v = LowerContext::vars(node.outputs[0].spatial_rank());
  const Point p = v.point(context.block());
  const int total = static_cast<int>(node.outputs[0][1]);
  Expr value = 0.0f;
  int begin = total;
  for (std::size_t i = node.inputs.size(); i-- > 0;) {
    const Value x = node.inputs[i];
    const int channels = static_cast<int>(context.shape(x)[1]);
    begin -= channels;
    // Channel by channel: a block of the result may straddle two inputs.
    Point q = p;
    q.block = 1;
    q.cb = clamp(p.channel() - begin, 0, channels - 1);
    q.ci = 0;
    value =
        select(p.channel() >= begin && p.channel() < begin + channels, context.load(x, q), value);
  }
  Func y("concat");
  y(v.arguments()) = value;
  context.define({id, 0}, y);
}

void lower(const ops::SliceChannels& slice, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  PointVars v = LowerContext::vars(node.outputs[0].spatial_rank());
  const Point p = v.point(context.block());
  const int channels = static_cast<int>(slice.end - slice.begin);
  Point q = p;
  q.block = 1;
  q.cb = static_cast<int>(slice.begin) + min(p.channel(), channels - 1);
  q.ci = 0;
  Func y("slice");
  y(v.arguments()) = select(p.channel() < channels, context.load(node.inputs[0], q), 0.0f);
  context.define({id, 0}, y);
}

void lower(const ops::Unflatten& op, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  PointVars v = LowerContext::vars(op.shape.spatial_rank());
  const Point p = v.point(context.block());
  const int channels = static_cast<int>(op.shape[1]);
  Expr flat = min(p.channel(), channels - 1);
  for (int axis = 0; axis < op.shape.spatial_rank(); ++axis) {
    flat = flat * static_cast<int>(op.shape.spatial(axis)) + p.s[static_cast<std::size_t>(axis)];
  }
  Func y("unflatten");
  y(v.arguments()) = select(p.channel() < channels, context.load(x, {0, flat, {}, p.n, 1}), 0.0f);
  context.define({id, 0}, y);
}

}  // namespace halcyon::compiler
