/// Pooling and its gradients: one pass over the output. Small windows are written out; large ones
/// are a loop, whose result stays in registers.

#include "compiler/kernels/kernels.h"
#include "compiler/kernels/sum_over.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

std::vector<int> window_extents(const ops::PoolWindow& pool, const Shape& x) {
  std::vector<int> extents;
  for (int axis = 0; axis < x.spatial_rank(); ++axis)
    extents.push_back(static_cast<int>(pool.kernel[axis]));
  return extents;
}

struct WindowRead {
  Point point;  ///< always within the input
  Expr inside;  ///< false for padding; undefined where there is none
};

/// Whether the last window of the axis reads what lies `border` or more behind the input's end.
bool reads_behind(const ops::PoolWindow& pool, int axis, const Shape& x, int64_t border) {
  const int64_t windows = pool.output(x).spatial(axis);
  const int64_t last = (windows - 1) * pool.stride[axis] - pool.pad_begin[axis];
  return last + pool.reach(axis) >= x.spatial(axis) + border;
}

WindowRead read_position(const ops::PoolWindow& pool, const Point& p, const Position& offset,
                         const Shape& x) {
  WindowRead read{p, Expr()};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    Expr at = p.s[a] * static_cast<int>(pool.stride[axis]) +
              offset[a] * static_cast<int>(pool.dilation[axis]);
    if (pool.pad_begin[axis] > 0 || reads_behind(pool, axis, x, 0)) {
      at -= static_cast<int>(pool.pad_begin[axis]);
      const int extent = static_cast<int>(x.spatial(axis));
      const Expr ok = at >= 0 && at < extent;
      read.inside = read.inside.defined() ? read.inside && ok : ok;
      at = clamp(at, 0, extent - 1);
    }
    read.point.s[a] = at;
  }
  return read;
}

/// How many positions of the window at output `s` a mean divides by: those that meet the input or,
/// where padding counts, the padded input.
template <class Mean>
Expr window_count(const Mean& pool, const Position& s, const Shape& x) {
  Expr count = 1.0f;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const int kernel = static_cast<int>(pool.kernel[axis]);
    const int dilation = static_cast<int>(pool.dilation[axis]);
    const int64_t pad_begin = pool.count_padding ? pool.pad_begin[axis] : 0;
    const int64_t pad_end = pool.count_padding ? pool.pad_end[axis] : 0;
    const Expr begin = s[static_cast<std::size_t>(axis)] * static_cast<int>(pool.stride[axis]) -
                       static_cast<int>(pool.pad_begin[axis]);
    // Positions of the window that lie in front of `border`.
    const auto in_front = [&](int64_t border) {
      return clamp((static_cast<int>(border) - begin + dilation - 1) / dilation, 0, kernel);
    };
    const bool whole = pad_begin == pool.pad_begin[axis] && !reads_behind(pool, axis, x, pad_end);
    count *= whole ? Expr(static_cast<float>(kernel))
                   : cast<float>(in_front(x.spatial(axis) + pad_end) - in_front(-pad_begin));
  }
  return count;
}

/// A window that input position `s` may lie in: `back` windows before the last one, along each
/// axis.
struct Scatter {
  Position output;
  Expr offset;  ///< of `s` within the window, row-major
  Expr inside;  ///< whether there is such a window and `s` lies in it
};

std::vector<int> scatter_extents(const ops::PoolWindow& pool, const Shape& y) {
  std::vector<int> extents;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    extents.push_back(static_cast<int>(pool.reach(axis) / pool.stride[axis] + 1));
  }
  return extents;
}

Scatter scatter_source(const ops::PoolWindow& pool, const Position& s, const Position& back,
                       const Shape& y) {
  Scatter from{{}, 0, Internal::const_true()};
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const int kernel = static_cast<int>(pool.kernel[axis]);
    const int stride = static_cast<int>(pool.stride[axis]);
    const int dilation = static_cast<int>(pool.dilation[axis]);
    const int extent = static_cast<int>(y.spatial(axis));
    const Expr padded = s[a] + static_cast<int>(pool.pad_begin[axis]);
    const Expr at = padded / stride - back[a];
    const Expr within = padded - at * stride;
    from.output.push_back(clamp(at, 0, extent - 1));
    from.offset = from.offset * kernel + within / dilation;
    from.inside = from.inside && at >= 0 && at < extent && within / dilation < kernel;
    if (dilation > 1) from.inside = from.inside && within % dilation == 0;
  }
  return from;
}

/// Largest value and where it stands, for windows that are written out.
Tuple largest_written(LowerContext& context, const ops::MaxPool& pool, Value x, const Point& p) {
  const Shape& shape = context.shape(x);
  Expr best;
  Expr place = 0;
  int i = 0;
  for (const Position& offset : written_positions(window_extents(pool, shape))) {
    const WindowRead read = read_position(pool, p, offset, shape);
    Expr value = context.load(x, read.point);
    if (read.inside.defined()) value = select(read.inside, value, Float(32).min());
    if (best.defined()) place = select(value > best, i, place);
    best = best.defined() ? max(best, value) : value;
    ++i;
  }
  return Tuple(best, place);
}

/// The same for windows that are looped over.
Tuple largest_looped(LowerContext& context, const ops::MaxPool& pool, Value x, const PointVars& v) {
  const Shape& shape = context.shape(x);
  const std::vector<int> extents = window_extents(pool, shape);
  const LoopPositions loop(extents);
  const WindowRead read = read_position(pool, v.point(context.block()), loop.position, shape);
  Expr value = context.load(x, read.point);
  if (read.inside.defined()) value = select(read.inside, value, Float(32).min());
  Expr place = 0;
  for (std::size_t axis = 0; axis < extents.size(); ++axis)
    place = place * extents[axis] + loop.position[axis];
  Func largest("window_largest");
  const std::vector<Var> args = v.arguments();
  largest(args) = Tuple(Float(32).min(), 0);
  const Expr better = value > largest(args)[0];
  largest(args) =
      Tuple(select(better, value, largest(args)[0]), select(better, place, largest(args)[1]));
  context.set_accumulator(largest);
  return Tuple(largest(args)[0], largest(args)[1]);
}

}  // namespace

void lower(const ops::MaxPool& pool, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const bool written = product(window_extents(pool, shape)) <= kMostWritten;
  // Channels beyond the last hold zeros, and their maximum is zero.
  const Tuple largest = written ? largest_written(context, pool, x, v.point(context.block()))
                                : largest_looped(context, pool, x, v);
  Func y("pool");
  if (pool.with_argmax) {
    y(v.arguments()) = largest;
    context.define({id, 0}, y, 0);
    context.define({id, 1}, y, 1);
  } else {
    y(v.arguments()) = largest[0];
    context.define({id, 0}, y);
  }
}

void lower(const ops::AveragePool& pool, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const Expr sum = sum_over(context, v, window_extents(pool, shape), [&](const Position& offset) {
    const WindowRead read = read_position(pool, p, offset, shape);
    const Expr value = context.load(x, read.point);
    return read.inside.defined() ? select(read.inside, value, 0.0f) : value;
  });
  Func y("pool");
  y(v.arguments()) = sum / window_count(pool, p.s, shape);
  context.define({id, 0}, y);
}

void lower(const ops::MaxPoolGrad& grad, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Shape& shape = context.shape(node.inputs[0]);
  PointVars v = LowerContext::vars(grad.input.spatial_rank());
  const Point p = v.point(context.block());
  Func dx("scattered");
  dx(v.arguments()) = sum_over(context, v, scatter_extents(grad, shape), [&](const Position& back) {
    const Scatter from = scatter_source(grad, p.s, back, shape);
    Point q = p;
    q.s = from.output;
    const Expr chosen = cast<int32_t>(context.load(node.inputs[1], q)) == from.offset;
    return select(from.inside && chosen, context.load(node.inputs[0], q), 0.0f);
  });
  context.define({id, 0}, dx);
}

void lower(const ops::AveragePoolGrad& grad, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(dy);
  PointVars v = LowerContext::vars(grad.input.spatial_rank());
  const Point p = v.point(context.block());
  Func dx("spread");
  dx(v.arguments()) = sum_over(context, v, scatter_extents(grad, shape), [&](const Position& back) {
    const Scatter from = scatter_source(grad, p.s, back, shape);
    Point q = p;
    q.s = from.output;
    const Expr share = context.load(dy, q) / window_count(grad, q.s, grad.input);
    return select(from.inside, share, 0.0f);
  });
  context.define({id, 0}, dx);
}

}  // namespace halcyon::compiler
