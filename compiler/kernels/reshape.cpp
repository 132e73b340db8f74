/// Operators that keep the values' order, and joining: each output position reads the one input
/// position it comes from.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

int to_int(int64_t value) { return static_cast<int>(value); }

/// Where an input that begins at `begin` of the joined axis is read for position p of the result:
/// always within the input.
Point concat_source(const Point& p, int axis, int begin, int extent) {
  Point q = p;
  const int block = to_int(p.block);
  if (axis > 1) {
    Expr& at = q.s[static_cast<std::size_t>(axis - 2)];
    at = clamp(at - begin, 0, extent - 1);
  } else if (begin % block == 0) {
    q.cb = clamp(p.cb - begin / block, 0, (extent - 1) / block);
  } else {
    // Channel by channel: a block of the result straddles two inputs.
    q.block = 1;
    q.cb = clamp(p.channel() - begin, 0, extent - 1);
    q.ci = 0;
  }
  return q;
}

/// The values of x in row-major order, seen as `shape`.
void lower_reshape(const Shape& shape, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& from = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const int channels = to_int(shape[1]);
  Expr flat = min(p.channel(), channels - 1);
  for (int axis = 0; axis < shape.spatial_rank(); ++axis) {
    flat = flat * to_int(shape.spatial(axis)) + p.s[static_cast<std::size_t>(axis)];
  }
  Point q{0, flat, {}, p.n, 1};
  for (int axis = from.spatial_rank() - 1; axis >= 0; --axis) {
    const int extent = to_int(from.spatial(axis));
    q.s.insert(q.s.begin(), q.cb % extent);
    q.cb = q.cb / extent;
  }
  Func y("reshape");
  y(v.arguments()) = select(p.channel() < channels, context.load(x, q), 0.0f);
  context.define({id, 0}, y);
}

}  // namespace

void lower(const ops::Concat& concat, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const auto axis = static_cast<int>(concat.axis);
  PointVars v = LowerContext::vars(node.outputs[0].spatial_rank());
  const Point p = v.point(context.block());
  const Expr position = axis == 1 ? p.channel() : p.s[static_cast<std::size_t>(axis - 2)];
  Expr value = 0.0f;
  int begin = to_int(node.outputs[0][axis]);
  for (std::size_t i = node.inputs.size(); i-- > 0;) {
    const int extent = to_int(context.shape(node.inputs[i])[axis]);
    begin -= extent;
    const Expr inside = position >= begin && position < begin + extent;
    const Point q = concat_source(p, axis, begin, extent);
    value = select(inside, context.load(node.inputs[i], q), value);
  }
  Func y("concat");
  y(v.arguments()) = value;
  context.define({id, 0}, y);
}

void lower(const ops::Unflatten& op, LowerContext& context, int32_t id) {
  lower_reshape(op.shape, context, id);
}

void lower(const ops::Reshape& op, LowerContext& context, int32_t id) {
  lower_reshape(op.shape, context, id);
}

}  // namespace halcyon::compiler
