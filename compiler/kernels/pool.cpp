/// Pooling and its gradients: one pass over the output, each window written out.

#include "compiler/kernels/kernels.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Positions of a window, row-major, as offsets per axis (outermost first).
std::vector<std::vector<int>> window_offsets(const dsl::Spatial& kernel, int rank) {
  std::vector<std::vector<int>> list = {{}};
  for (int axis = 0; axis < rank; ++axis) {
    std::vector<std::vector<int>> longer;
    for (const std::vector<int>& head : list) {
      for (int i = 0; i < kernel[axis]; ++i) {
        longer.push_back(head);
        longer.back().push_back(i);
      }
    }
    list = longer;
  }
  return list;
}

struct WindowRead {
  Point point;  ///< always within the input
  Expr inside;  ///< false for padding; undefined where there is none
};

template <class Pool>
WindowRead read_position(const Pool& pool, const Point& p, const std::vector<int>& offset,
                         const Shape& x) {
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

/// The windows that input position `s` may lie in: for each, the output position, the offset within
/// the window and whether both exist.
struct Scatter {
  std::vector<Expr> output;
  Expr offset;  ///< row-major within the window
  Expr inside;
};

template <class Pool>
std::vector<Scatter> scatter_sources(const Pool& pool, const std::vector<Expr>& s, const Shape& y) {
  std::vector<Scatter> list = {{{}, 0, Internal::const_true()}};
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    const int kernel = static_cast<int>(pool.kernel[axis]);
    const int stride = static_cast<int>(pool.stride[axis]);
    const int extent = static_cast<int>(y.spatial(axis));
    std::vector<Scatter> longer;
    for (const Scatter& head : list) {
      for (int back = 0; back < (kernel + stride - 1) / stride; ++back) {
        const Expr padded =
            s[static_cast<std::size_t>(axis)] + static_cast<int>(pool.pad_begin[axis]);
        const Expr at = padded / stride - back;
        const Expr within = padded - at * stride;
        Scatter next = head;
        next.output.push_back(clamp(at, 0, extent - 1));
        next.offset = next.offset * kernel + within;
        next.inside = next.inside && at >= 0 && at < extent && within < kernel;
        longer.push_back(next);
      }
    }
    list = longer;
  }
  return list;
}

}  // namespace

void lower(const ops::MaxPool& pool, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  Expr best;
  Expr position = 0;
  int i = 0;
  for (const std::vector<int>& offset : window_offsets(pool.kernel, shape.spatial_rank())) {
    const WindowRead read = read_position(pool, p, offset, shape);
    Expr value = context.load(x, read.point);
    if (read.inside.defined()) value = select(read.inside, value, Float(32).min());
    if (!best.defined()) {
      best = value;
    } else {
      position = select(value > best, i, position);
      best = max(best, value);
    }
    ++i;
  }
  // Channels beyond the last hold zeros, and their maximum is zero.
  Func y("pool");
  if (pool.with_argmax) {
    y(v.arguments()) = Tuple(best, cast<uint8_t>(position));
    context.define({id, 0}, y, 0);
    context.define({id, 1}, y, 1);
  } else {
    y(v.arguments()) = best;
    context.define({id, 0}, y);
  }
}

void lower(const ops::AveragePool& pool, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const std::vector<std::vector<int>> offsets = window_offsets(pool.kernel, shape.spatial_rank());
  Expr sum;
  Expr count = 0.0f;
  for (const std::vector<int>& offset : offsets) {
    const WindowRead read = read_position(pool, p, offset, shape);
    Expr value = context.load(x, read.point);
    if (read.inside.defined()) {
      value = select(read.inside, value, 0.0f);
      count += select(read.inside, 1.0f, 0.0f);
    } else {
      count += 1.0f;
    }
    sum = sum.defined() ? sum + value : value;
  }
  if (pool.count_padding) count = static_cast<float>(offsets.size());
  Func y("pool");
  y(v.arguments()) = sum / count;
  context.define({id, 0}, y);
}

void lower(const ops::MaxPoolGrad& pool, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  PointVars v = LowerContext::vars(pool.input.spatial_rank());
  Point p = v.point(context.block());
  Expr sum;
  for (const Scatter& from : scatter_sources(pool, p.s, context.shape(node.inputs[0]))) {
    Point q = p;
    q.s = from.output;
    const Expr chosen = cast<int32_t>(context.load(node.inputs[1], q)) == from.offset;
    const Expr term = select(from.inside && chosen, context.load(node.inputs[0], q), 0.0f);
    sum = sum.defined() ? sum + term : term;
  }
  Func dx("scattered");
  dx(v.arguments()) = sum;
  context.define({id, 0}, dx);
}

void lower(const ops::AveragePoolGrad& pool, LowerContext& context, int32_t id) {
  const Value dy = context.graph().node(id).inputs[0];
  const Shape& y = context.shape(dy);
  PointVars v = LowerContext::vars(pool.input.spatial_rank());
  Point p = v.point(context.block());
  Expr sum;
  for (const Scatter& from : scatter_sources(pool, p.s, y)) {
    Point q = p;
    q.s = from.output;
    Expr count = 1.0f;
    for (int axis = 0; axis < y.spatial_rank(); ++axis) {
      const int kernel = static_cast<int>(pool.kernel[axis]);
      const Expr begin = q.s[static_cast<std::size_t>(axis)] * static_cast<int>(pool.stride[axis]) -
                         static_cast<int>(pool.pad_begin[axis]);
      const Expr covered =
          min(begin + kernel, static_cast<int>(pool.input.spatial(axis))) - max(begin, 0);
      count *= pool.count_padding ? Expr(static_cast<float>(kernel)) : cast<float>(covered);
    }
    const Expr term = select(from.inside, context.load(dy, q) / count, 0.0f);
    sum = sum.defined() ? sum + term : term;
  }
  Func dx("spread");
  dx(v.arguments()) = sum;
  context.define({id, 0}, dx);
}

}  // namespace halcyon::compiler
