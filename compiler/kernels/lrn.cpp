/// Local response normalisation.
///
/// Across channels, a task takes the positions of a row one by one: it lays out what is summed for
/// all channels of a position in a row of its own, with zeros on both sides, so that every window
/// is a few whole vectors. Within a channel, a task is one block of channels.

#include <algorithm>

#include "compiler/kernels/folds.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// s^-power without a logarithm for the usual powers.
Expr inverse_power(const Expr& s, float power) {
  if (power == 0.5f) return 1.0f / sqrt(s);
  if (power == 0.75f) return 1.0f / (sqrt(s) * sqrt(sqrt(s)));
  if (power == 1.0f) return 1.0f / s;
  return exp(-power * log(s));
}

/// What both directions need to know of the operator.
struct Response {
  int64_t size;
  float alpha, beta, bias;
  bool positions;

  template <class Op>
  Response(const Op& op)
      : size(op.size),
        alpha(op.alpha),
        beta(op.beta),
        bias(op.bias),
        positions(op.across == ops::Neighbours::positions) {}

  int below() const { return static_cast<int>((size - 1) / 2); }
  int above() const { return static_cast<int>(size) - 1 - below(); }
  /// Across channels: no further than there are any.
  int below(int64_t channels) const { return std::min(below(), static_cast<int>(channels) - 1); }
  int above(int64_t channels) const { return std::min(above(), static_cast<int>(channels) - 1); }
  float share(const Shape& x) const {
    float count = 1;
    for (int axis = 0; axis < (positions ? x.spatial_rank() : 1); ++axis)
      count *= static_cast<float>(size);
    return alpha / count;
  }
};

/// Values of all channels of each position, in a row with zeros before and behind it.
class ChannelRow {
 public:
  /// `value`: at a point of blocks of `block` channels.
  ChannelRow(const PointVars& v, int64_t channels, int64_t block, int reach,
             const std::function<Expr(const Point&)>& value)
      : block_(block), margin_((reach + block - 1) / block * block) {
    const int blocks = static_cast<int>((channels + block - 1) / block);
    const int b = static_cast<int>(block), margin_blocks = static_cast<int>(margin_ / block);
    const Var j("j");
    const Expr cb = j / b - margin_blocks;
    const Point p{j % b, clamp(cb, 0, blocks - 1), {v.s.begin(), v.s.end()}, v.n, block};
    Expr inside = cb >= 0 && cb < blocks;
    if (channels % block != 0) inside = inside && cb * b + j % b < static_cast<int>(channels);
    std::vector<Var> args = {j};
    args.insert(args.end(), v.s.rbegin(), v.s.rend());
    args.push_back(v.n);
    row_ = Func("channel_row");
    row_(args) = select(inside, value(p), 0.0f);
  }

  /// Sum over channels from `before` below that of `p` to `behind` above it.
  Expr window(const Point& p, int before, int behind) const {
    Expr sum;
    for (int offset = -before; offset <= behind; ++offset) {
      std::vector<Expr> args = {p.channel() + (offset + static_cast<int>(margin_))};
      args.insert(args.end(), p.s.rbegin(), p.s.rend());
      args.push_back(p.n);
      const Expr value = row_(args);
      sum = sum.defined() ? sum + value : value;
    }
    return sum;
  }

  void schedule_at(const Func& out, const Var& at) {
    const Var j = row_.args()[0];
    row_.compute_at(out, at).align_bounds(j, static_cast<int>(block_));
    row_.vectorize(j, static_cast<int>(block_));
  }

 private:
  int64_t block_, margin_;
  Func row_;
};

/// Sum of a term over the window of positions around `p`, zeros beyond the border.
Expr window_of_positions(const Response& op, const Shape& x, const Point& p,
                         const std::function<Expr(const Point&)>& term) {
  const auto size = static_cast<int>(op.size);
  RDom r(Halide::Region(static_cast<std::size_t>(x.spatial_rank()), Range(-op.below(), size)),
         "window");
  Point q = p;
  Expr inside = Internal::const_true();
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const auto extent = static_cast<int>(x.spatial(axis));
    Expr& s = q.s[static_cast<std::size_t>(axis)];
    const Expr at = s + r[x.spatial_rank() - 1 - axis];
    inside = inside && at >= 0 && at < extent;
    s = clamp(at, 0, extent - 1);
  }
  return select(inside, term(q), 0.0f);
}

/// f(v) = sum of `term` over the window of positions.
Func sum_of_positions(const Response& op, const Shape& x, const PointVars& v, int64_t block,
                      const std::function<Expr(const Point&)>& term) {
  Func sum("window_sum");
  sum(v.arguments()) += window_of_positions(op, x, v.point(block), term);
  return sum;
}

/// Defines the result and the loops over it; for windows of positions a task is a block of
/// channels.
Var finish(LowerContext& context, int32_t id, const PointVars& v, const Expr& value,
           bool positions) {
  const auto channels = static_cast<int>(context.graph().node(id).outputs[0][1]);
  Func y("response");
  y(v.arguments()) = channels % context.block() == 0
                         ? value
                         : select(v.point(context.block()).channel() < channels, value, 0.0f);
  context.define({id, 0}, y);
  context.make_output();
  if (!positions) return schedule_positions(context);
  Func& out = context.output();
  vectorise_channels(out, v.ci, context.block(), context.vector_width());
  return parallelise(out, {v.cb, v.n});
}

}  // namespace

void lower(const ops::LocalResponseNorm& op, LowerContext& context, int32_t id) {
  const Response response(op);
  const Value x = context.graph().node(id).inputs[0];
  const Shape shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const auto square = [&](const Point& q) {
    const Expr value = context.load(x, q);
    return value * value;
  };
  const float share = response.share(shape);
  if (response.positions) {
    Func sum = sum_of_positions(response, shape, v, context.block(), square);
    const Expr s = op.bias + share * sum(v.arguments());
    finish(context, id, v, context.load(x, p) * inverse_power(s, op.beta), true);
    sum.compute_at(context.output(), v.x());
    schedule_lanes(sum, context.block(), context.vector_width());
    return;
  }
  ChannelRow squares(v, shape[1], lane_count(context, shape[1]),
                     std::max(response.below(shape[1]), response.above(shape[1])), square);
  const Expr s =
      op.bias + share * squares.window(p, response.below(shape[1]), response.above(shape[1]));
  const Var at = finish(context, id, v, context.load(x, p) * inverse_power(s, op.beta), false);
  squares.schedule_at(context.output(), at);
}

void lower(const ops::LocalResponseNormGrad& op, LowerContext& context, int32_t id) {
  const Response response(op);
  const Value dy = context.graph().node(id).inputs[0], x = context.graph().node(id).inputs[1];
  const Shape shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const int64_t block = context.block();
  const auto square = [&](const Point& q) {
    const Expr value = context.load(x, q);
    return value * value;
  };
  const float share = response.share(shape);
  const Expr factor = 2.0f * op.beta * share * context.load(x, p);
  if (response.positions) {
    // Both sums, one after the other, for the whole map of a task.
    Func sum = sum_of_positions(response, shape, v, block, square);
    Func slope("slope");
    const Expr s = op.bias + share * sum(v.arguments());
    slope(v.arguments()) =
        Tuple(context.load(dy, p) * inverse_power(s, op.beta),
              context.load(dy, p) * context.load(x, p) * inverse_power(s, op.beta) / s);
    Func back = sum_of_positions(response, shape, v, block,
                                 [&](const Point& q) -> Expr { return slope(q.arguments())[1]; });
    const Expr dx = slope(v.arguments())[0] - factor * back(v.arguments());
    const Var task = finish(context, id, v, dx, true);
    const int width = context.vector_width();
    slope.compute_at(context.output(), task);
    schedule_lanes(slope, block, width);
    sum.compute_at(slope, v.x());
    schedule_lanes(sum, block, width);
    back.compute_at(context.output(), v.x());
    schedule_lanes(back, block, width);
    return;
  }
  const int64_t lanes = lane_count(context, shape[1]);
  const int reach = std::max(response.below(shape[1]), response.above(shape[1]));
  ChannelRow squares(v, shape[1], lanes, reach, square);
  const auto s_at = [&](const Point& q) {
    return op.bias + share * squares.window(q, response.below(shape[1]), response.above(shape[1]));
  };
  ChannelRow back(v, shape[1], lanes, reach, [&](const Point& q) {
    const Expr s = s_at(q);
    return context.load(dy, q) * context.load(x, q) * inverse_power(s, op.beta) / s;
  });
  // Whose window holds this channel: the window turned around.
  const Expr dx = context.load(dy, p) * inverse_power(s_at(p), op.beta) -
                  factor * back.window(p, response.above(shape[1]), response.below(shape[1]));
  const Var at = finish(context, id, v, dx, false);
  squares.schedule_at(context.output(), at);
  back.schedule_at(context.output(), at);
}

// Scheduled above, where the sums are at hand.

void schedule(const ops::LocalResponseNorm&, LowerContext&) {}
void schedule(const ops::LocalResponseNormGrad&, LowerContext&) {}

}  // namespace halcyon::compiler
