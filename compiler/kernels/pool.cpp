/// Pooling and its gradients: one pass over the output. Small windows are written out; large ones
/// are a loop, whose result stays in registers.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Positions that are written out rather than looped over: 5x5.
constexpr int64_t kMostWritten = 25;

using Position = std::vector<Expr>;  // one number for each axis, outermost first

int64_t product(const std::vector<int>& extents) {
  int64_t count = 1;
  for (int e : extents) count *= e;
  return count;
}

/// [0, extents), row-major, as constants.
std::vector<Position> written_positions(const std::vector<int>& extents) {
  std::vector<Position> list = {{}};
  for (int extent : extents) {
    std::vector<Position> longer;
    for (const Position& head : list) {
      for (int i = 0; i < extent; ++i) {
        longer.push_back(head);
        longer.back().push_back(i);
      }
    }
    list = longer;
  }
  return list;
}

/// The same positions as a loop, its innermost axis first in `domain`.
struct LoopPositions {
  RDom domain;
  Position position;

  explicit LoopPositions(const std::vector<int>& extents) {
    Halide::Region ranges;
    for (auto e = extents.rbegin(); e != extents.rend(); ++e) ranges.push_back({0, *e});
    domain = RDom(ranges, "window");
    for (int axis = static_cast<int>(extents.size()) - 1; axis >= 0; --axis)
      position.push_back(domain[axis]);
  }
};

/// The sum of `term` over all positions, at the place that `v` names.
template <class Term>
Expr sum_over(LowerContext& context, const PointVars& v, const std::vector<int>& extents,
              const Term& term) {
  if (product(extents) > kMostWritten) {
    const LoopPositions loop(extents);
    Func sum("window_sum");
    sum(v.arguments()) = 0.0f;
    sum(v.arguments()) += term(loop.position);
    context.set_accumulator(sum);
    return sum(v.arguments());
  }
  Expr sum;
  for (const Position& position : written_positions(extents)) {
    sum = sum.defined() ? sum + term(position) : term(position);
  }
  return sum;
}

template <class Pool>
std::vector<int> window_extents(const Pool& pool, const Shape& x) {
  std::vector<int> extents;
  for (int axis = 0; axis < x.spatial_rank(); ++axis)
    extents.push_back(static_cast<int>(pool.kernel[axis]));
  return extents;
}

struct WindowRead {
  Point point;  ///< always within the input
  Expr inside;  ///< false for padding; undefined where there is none
};

template <class Pool>
WindowRead read_position(const Pool& pool, const Point& p, const Position& offset, const Shape& x) {
  WindowRead read{p, Expr()};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    Expr at = p.s[a] * static_cast<int>(pool.stride[axis]) + offset[a];
    if (pool.pad_begin[axis] > 0 || pool.pad_end[axis] > 0) {
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

/// How many positions of the window at output `s` a mean divides by.
template <class Pool>
Expr window_count(const Pool& pool, const Position& s, const Shape& x) {
  Expr count = 1.0f;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const int kernel = static_cast<int>(pool.kernel[axis]);
    const Expr begin = s[static_cast<std::size_t>(axis)] * static_cast<int>(pool.stride[axis]) -
                       static_cast<int>(pool.pad_begin[axis]);
    const Expr covered = min(begin + kernel, static_cast<int>(x.spatial(axis))) - max(begin, 0);
    const bool whole = pool.count_padding || (pool.pad_begin[axis] == 0 && pool.pad_end[axis] == 0);
    count *= whole ? Expr(static_cast<float>(kernel)) : cast<float>(covered);
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

template <class Pool>
std::vector<int> scatter_extents(const Pool& pool, const Shape& y) {
  std::vector<int> extents;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    extents.push_back(
        static_cast<int>((pool.kernel[axis] + pool.stride[axis] - 1) / pool.stride[axis]));
  }
  return extents;
}

template <class Pool>
Scatter scatter_source(const Pool& pool, const Position& s, const Position& back, const Shape& y) {
  Scatter from{{}, 0, Internal::const_true()};
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const int kernel = static_cast<int>(pool.kernel[axis]);
    const int stride = static_cast<int>(pool.stride[axis]);
    const int extent = static_cast<int>(y.spatial(axis));
    const Expr padded = s[a] + static_cast<int>(pool.pad_begin[axis]);
    const Expr at = padded / stride - back[a];
    const Expr within = padded - at * stride;
    from.output.push_back(clamp(at, 0, extent - 1));
    from.offset = from.offset * kernel + within;
    from.inside = from.inside && at >= 0 && at < extent && within < kernel;
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

void lower(const ops::MaxPoolGrad& pool, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Shape& shape = context.shape(node.inputs[0]);
  PointVars v = LowerContext::vars(pool.input.spatial_rank());
  const Point p = v.point(context.block());
  Func dx("scattered");
  dx(v.arguments()) = sum_over(context, v, scatter_extents(pool, shape), [&](const Position& back) {
    const Scatter from = scatter_source(pool, p.s, back, shape);
    Point q = p;
    q.s = from.output;
    const Expr chosen = cast<int32_t>(context.load(node.inputs[1], q)) == from.offset;
    return select(from.inside && chosen, context.load(node.inputs[0], q), 0.0f);
  });
  context.define({id, 0}, dx);
}

void lower(const ops::AveragePoolGrad& pool, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(dy);
  PointVars v = LowerContext::vars(pool.input.spatial_rank());
  const Point p = v.point(context.block());
  Func dx("spread");
  dx(v.arguments()) = sum_over(context, v, scatter_extents(pool, shape), [&](const Position& back) {
    const Scatter from = scatter_source(pool, p.s, back, shape);
    Point q = p;
    q.s = from.output;
    const Expr share = context.load(dy, q) / window_count(pool, q.s, pool.input);
    return select(from.inside, share, 0.0f);
  });
  context.define({id, 0}, dx);
}

}  // namespace halcyon::compiler
