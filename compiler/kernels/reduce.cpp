/// Reductions over channels and spatial axes, and the way back.
///
/// Where the channels stay they are the lanes of a vector. Where they are reduced, a block of them
/// is, until the lanes are reduced among themselves at the end.

#include <optional>

#include "compiler/kernels/folds.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

bool is_extremum(ops::ReduceKind kind) {
  return kind == ops::ReduceKind::max || kind == ops::ReduceKind::min;
}

Expr nothing(ops::ReduceKind kind) {
  if (!is_extremum(kind)) return 0.0f;
  return kind == ops::ReduceKind::max ? Float(32).min() : Float(32).max();
}

Expr join(ops::ReduceKind kind, const Expr& a, const Expr& b) {
  if (!is_extremum(kind)) return a + b;
  return kind == ops::ReduceKind::max ? max(a, b) : min(a, b);
}

/// The axes of x that one reduction runs over and those that stay.
struct Axes {
  bool channels = false;
  std::vector<int> reduced, kept;  ///< spatial ones, numbered from 0

  Axes(const Shape& x, const Shape& axes) : channels(dsl::rules::is_reduced(axes, 1)) {
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      (dsl::rules::is_reduced(axes, axis + 2) ? reduced : kept).push_back(axis);
    }
  }
};

/// The spatial coordinates of x that stay, for result `p`.
std::vector<Expr> kept_coordinates(const Shape& x, const Axes& axes, const Point& p,
                                   bool keep_dims) {
  std::vector<Expr> all = p.s;
  if (!keep_dims && axes.channels && !axes.kept.empty()) {
    // The first axis that stays has taken the channels' place; lanes beyond it read its last.
    const auto extent = static_cast<int>(x.spatial(axes.kept[0]));
    all.insert(all.begin(), min(p.channel(), extent - 1));
  }
  if (!keep_dims) return all;
  std::vector<Expr> kept;
  for (int axis : axes.kept) kept.push_back(all[static_cast<std::size_t>(axis)]);
  return kept;
}

/// The result that position `p` of x is reduced to.
Point result_of(const Axes& axes, const Point& p, bool keep_dims) {
  std::vector<Expr> kept;
  for (int axis : axes.kept) kept.push_back(p.s[static_cast<std::size_t>(axis)]);
  if (keep_dims) {
    Point q = p;
    for (int axis : axes.reduced) q.s[static_cast<std::size_t>(axis)] = 0;
    if (!axes.channels) return q;
    return {0, 0, q.s, p.n, 1};
  }
  if (!axes.channels) return {p.ci, p.cb, kept, p.n, p.block};
  if (kept.empty()) return {0, 0, {}, p.n, 1};
  return {0, kept[0], {kept.begin() + 1, kept.end()}, p.n, 1};
}

/// x at kept and reduced spatial coordinates.
std::vector<Expr> merge(const Axes& axes, const std::vector<Expr>& kept,
                        const std::vector<Expr>& reduced) {
  std::vector<Expr> s(axes.kept.size() + axes.reduced.size());
  for (std::size_t i = 0; i < axes.kept.size(); ++i)
    s[static_cast<std::size_t>(axes.kept[i])] = kept[i];
  for (std::size_t i = 0; i < axes.reduced.size(); ++i)
    s[static_cast<std::size_t>(axes.reduced[i])] = reduced[i];
  return s;
}

/// Extents of the reduced axes, channels (or blocks of them) first.
std::vector<int> reduced_extents(const Shape& x, const Axes& axes, int64_t channels) {
  std::vector<int> extents;
  if (axes.channels) extents.push_back(static_cast<int>(channels));
  for (int axis : axes.reduced) extents.push_back(static_cast<int>(x.spatial(axis)));
  return extents;
}

/// Loops over those extents: the last innermost, positions in their order.
struct Loops {
  RDom domain;
  std::vector<Expr> position;

  explicit Loops(const std::vector<int>& extents) {
    Halide::Region ranges;
    for (auto e = extents.rbegin(); e != extents.rend(); ++e) ranges.push_back({0, *e});
    domain = RDom(ranges, "reduced");
    for (int i = static_cast<int>(extents.size()) - 1; i >= 0; --i) position.push_back(domain[i]);
  }
};

/// The fold of one lane of the reduction: a channel, or every lanes-th of them.
class Lanes {
 public:
  Lanes(ops::ReduceKind kind, const std::vector<Var>& args, const std::vector<int>& extents,
        const std::function<Expr(const std::vector<Expr>&)>& term)
      : args_(args) {
    if (!is_extremum(kind)) {
      sums_.emplace(args, extents, [&](const std::vector<Expr>& position) {
        return std::vector<Expr>{term(position)};
      });
      return;
    }
    const Loops loops(extents);
    best_ = Func("best");
    best_(args) = nothing(kind);
    best_(args) = join(kind, best_(args), term(loops.position));
  }

  Expr value() const { return sums_ ? (*sums_)[0] : Expr(best_(expressions())); }

  void schedule_at(const Func& out, const Var& at, int64_t block, int width) {
    if (sums_) return sums_->schedule_at(out, at, block, width);
    best_.compute_at(out, at);
    schedule_lanes(best_, block, width);
  }

 private:
  std::vector<Expr> expressions() const { return {args_.begin(), args_.end()}; }

  std::vector<Var> args_;
  std::optional<MapSums> sums_;
  Func best_;
};

}  // namespace

void lower(const ops::Reduce& op, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape shape = context.shape(x);
  const Axes axes(shape, op.axes);
  const int64_t lanes = lane_count(context, shape[1]);
  const auto channels = static_cast<int>(shape[1]);
  const std::vector<int> extents = reduced_extents(shape, axes, (channels + lanes - 1) / lanes);
  PointVars v = LowerContext::vars(context.graph().node(id).outputs[0].spatial_rank());
  const Point p = v.point(context.block());
  const std::vector<Expr> kept = kept_coordinates(shape, axes, p, op.keep_dims);
  const std::vector<Var> out_args = v.arguments();
  const Var lane("lane");
  std::vector<Var> args = out_args;
  if (axes.channels) args.insert(args.begin(), lane);
  Lanes folded(op.kind, args, extents, [&](const std::vector<Expr>& position) -> Expr {
    if (!axes.channels) {
      return context.load(x, {p.ci, p.cb, merge(axes, kept, position), p.n, p.block});
    }
    const std::vector<Expr> reduced(position.begin() + 1, position.end());
    const Point q{lane, position[0], merge(axes, kept, reduced), p.n, lanes};
    const Expr value = context.load(x, q);
    return channels % lanes == 0 ? value : select(q.channel() < channels, value, nothing(op.kind));
  });

  Expr value = folded.value();
  Func each_lane("each_lane"), all("all");
  if (axes.channels) {
    each_lane(args) = value;
    const RDom each(0, static_cast<int>(lanes), "each");
    std::vector<Expr> at = {each.x};
    at.insert(at.end(), out_args.begin(), out_args.end());
    all(out_args) = nothing(op.kind);
    all(out_args) = join(op.kind, all(out_args), each_lane(at));
    value = all(out_args);
  }
  if (op.kind == ops::ReduceKind::mean) {
    const int64_t results = context.graph().node(id).outputs[0].elements();
    value = value / static_cast<float>(shape.elements() / results);
  }
  const auto last = static_cast<int>(
      context.graph().node(id).outputs[0].rank > 1 ? context.graph().node(id).outputs[0][1] : 1);
  Func y("reduce");
  y(out_args) = last % context.block() == 0 ? value : select(p.channel() < last, value, 0.0f);
  context.define({id, 0}, y);

  context.make_output();
  Func& out = context.output();
  const Var task = parallelise(out, {v.cb, v.n});
  if (axes.channels) {
    all.compute_at(out, v.ci);
    folded.schedule_at(out, v.ci, lanes, context.vector_width());
    return;
  }
  vectorise_channels(out, v.ci, context.block(), context.vector_width());
  folded.schedule_at(out, v.s.empty() ? task : v.x(), context.block(), context.vector_width());
}

void lower(const ops::ReduceGrad& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const Axes axes(op.input, op.axes);
  const auto channels = static_cast<int>(op.input[1]);
  PointVars v = LowerContext::vars(op.input.spatial_rank());
  const Point p = v.point(context.block());
  Expr dx = context.load(in[0], result_of(axes, p, op.keep_dims));
  if (op.kind == ops::ReduceKind::mean) {
    dx = dx / static_cast<float>(op.input.elements() / context.shape(in[0]).elements());
  }
  Func first("first_best");
  if (is_extremum(op.kind)) {
    // The place of the first of the best values, of each result; rows are those of x that stay.
    const std::vector<int> extents = reduced_extents(op.input, axes, channels);
    const Loops loops(extents);
    std::vector<Var> args;
    std::vector<Expr> rows, here;
    if (!axes.channels) args = {v.ci};
    for (int axis : axes.kept) {
      args.push_back(v.s[static_cast<std::size_t>(axis)]);
      rows.emplace_back(args.back());
    }
    if (!axes.channels) args.push_back(v.cb);
    args.push_back(v.n);
    if (axes.channels) here = {p.channel()};
    for (int axis : axes.reduced) here.push_back(p.s[static_cast<std::size_t>(axis)]);
    const auto place_of = [&](const std::vector<Expr>& position) {
      Expr place = 0;
      for (std::size_t i = 0; i < position.size(); ++i) place = place * extents[i] + position[i];
      return place;
    };
    Expr value;
    if (axes.channels) {
      const std::vector<Expr> reduced(loops.position.begin() + 1, loops.position.end());
      value = context.load(in[1], {0, loops.position[0], merge(axes, rows, reduced), v.n, 1});
    } else {
      value = context.load(in[1],
                           {v.ci, v.cb, merge(axes, rows, loops.position), v.n, context.block()});
    }
    first(args) = Tuple(nothing(op.kind), 0);
    const Expr best = first(args)[0], place = first(args)[1];
    const Expr better = op.kind == ops::ReduceKind::max ? value > best : value < best;
    first(args) =
        Tuple(select(better, value, best), select(better, place_of(loops.position), place));
    dx = select(Expr(first(args)[1]) == place_of(here), dx, 0.0f);
  }
  Func y("reduce_grad");
  y(v.arguments()) =
      channels % context.block() == 0 ? dx : select(p.channel() < channels, dx, 0.0f);
  context.define({id, 0}, y);

  context.make_output();
  Func& out = context.output();
  vectorise_channels(out, v.ci, context.block(), context.vector_width());
  if (!is_extremum(op.kind)) {
    parallelise(out, {v.cb, v.n});
  } else if (axes.channels) {
    out.parallel(v.n);
    first.compute_at(out, v.n);
  } else {
    first.compute_at(out, parallelise(out, {v.cb, v.n}));
    schedule_lanes(first, context.block(), context.vector_width());
  }
}

// Scheduled above, where the folds are at hand.

void schedule(const ops::Reduce&, LowerContext&) {}
void schedule(const ops::ReduceGrad&, LowerContext&) {}

}  // namespace halcyon::compiler
