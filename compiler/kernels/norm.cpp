/// Normalisation. Moments and sums are reductions of each channel's map, one task for each map;
/// everything else is one pass over its output, with what depends on the channel alone computed
/// once for each channel.

#include "compiler/kernels/folds.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// The number of a parameter [C] that belongs to a channel; zero beyond the last.
Expr channel_number(const LowerContext& context, Value v, const Point& p) {
  if (context.weight_layout(v).filter_block == p.block) {
    return context.image(v)(p.ci, 0, 0, p.cb);
  }
  return context.weight_at(v, p.channel(), 0, {});
}

/// The number of a statistic, [C] or [N,groups], that belongs to a channel of a sample.
Expr statistic(const LowerContext& context, Value v, const Point& p, int64_t channels) {
  const Shape& shape = context.shape(v);
  if (!shape.has_batch()) return channel_number(context, v, p);
  if (shape[1] == channels) return context.load(v, {p.ci, p.cb, {}, p.n, p.block});
  const int in_group = static_cast<int>(channels / shape[1]);
  const Expr group = min(p.channel() / in_group, static_cast<int>(shape[1] - 1));
  return context.load(v, {0, group, {}, p.n, 1});
}

Expr inverse_deviation(const Expr& variance, float epsilon) {
  return 1.0f / sqrt(variance + epsilon);
}

/// A product with a number that depends on the channel alone. Strict where that is an expression,
/// or LLVM makes it a division at every position.
Expr scaled(const Expr& value, const Expr& number, bool per_sample) {
  const Expr product = value * number;
  return per_sample ? strict_float(product) : product;
}

/// Numbers that depend on the channel alone, computed once before everything else; for those of
/// groups, which differ from sample to sample, the expressions themselves.
std::vector<Expr> once_per_channel(LowerContext& context, const PointVars& v, int channels,
                                   bool per_sample, const std::vector<Expr>& numbers) {
  if (per_sample) return numbers;
  Func once("per_channel");
  once(v.ci, v.cb) = Tuple(numbers);
  // Of a fixed size, however the kernel that this is part of cuts its channels.
  const auto block = static_cast<int>(context.block());
  once.compute_root().bound(v.ci, 0, block).bound(v.cb, 0, (channels + block - 1) / block);
  vectorise_channels(once, v.ci, context.block(), context.vector_width());
  if (numbers.size() == 1) return {once(v.ci, v.cb)};
  std::vector<Expr> list;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    list.emplace_back(once(v.ci, v.cb)[static_cast<int>(i)]);
  return list;
}

void define_normalized(LowerContext& context, int32_t id, float epsilon) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const Shape& shape = context.shape(in[0]);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const auto of = [&](std::size_t i) { return statistic(context, in[i], p, shape[1]); };
  const bool per_sample = context.shape(in[3]).has_batch();
  const std::vector<Expr> once =
      once_per_channel(context, v, static_cast<int>(shape[1]), per_sample,
                       {of(1) * inverse_deviation(of(4), epsilon), of(3), of(2)});
  // Beyond the last channel gamma and beta are zero, and so is the result.
  Func y("normalized");
  y(v.arguments()) = scaled(context.load(in[0], p) - once[1], once[0], per_sample) + once[2];
  context.define({id, 0}, y);
}

/// Two results for each channel of each sample, from sums over its map: one task a map.
void finish_per_map(LowerContext& context, int32_t id, const PointVars& v, const Tuple& results,
                    const std::vector<MapSums*>& sums) {
  Func y("per_map");
  y(v.ci, v.cb, v.n) = results;
  context.define({id, 0}, y, 0);
  context.define({id, 1}, y, 1);
  context.make_output();
  Func& out = context.output();
  vectorise_channels(out, v.ci, context.block(), context.vector_width());
  const Var task = parallelise(out, {v.cb, v.n});
  for (MapSums* sum : sums) sum->schedule_at(out, task, context.block(), context.vector_width());
}

/// The channels of each group, one after the other: c-th of the group at `p`.
Point member(const Point& p, int64_t groups, int64_t in_group, const Expr& c) {
  const Expr group = min(p.channel(), static_cast<int>(groups - 1));
  return {0, group * static_cast<int>(in_group) + c, {}, p.n, 1};
}

}  // namespace

void lower(const ops::BatchNorm& op, LowerContext& context, int32_t id) {
  define_normalized(context, id, op.epsilon);
}

void lower(const ops::Normalize& op, LowerContext& context, int32_t id) {
  define_normalized(context, id, op.epsilon);
}

void lower(const ops::Moments&, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(x);
  const std::vector<int> extents = spatial_extents(shape);
  const float share = 1.0f / static_cast<float>(shape.elements() / shape[1]);
  PointVars v = LowerContext::vars(0);
  const auto at = [&](const std::vector<Expr>& position) {
    return context.load(x, {v.ci, v.cb, position, v.n, context.block()});
  };
  // The distances from the mean, and not the squares of x: those may be much larger.
  MapSums sum({v.ci, v.cb, v.n}, extents,
              [&](const auto& position) { return std::vector<Expr>{at(position)}; });
  const Expr mean = sum[0] * share;
  MapSums squares({v.ci, v.cb, v.n}, extents, [&](const auto& position) {
    const Expr distance = at(position) - mean;
    return std::vector<Expr>{distance * distance};
  });
  finish_per_map(context, id, v, Tuple(mean, squares[0] * share), {&sum, &squares});
}

void lower(const ops::NormalizeSums& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const Shape& shape = context.shape(in[0]);
  PointVars v = LowerContext::vars(0);
  const Point p = v.point(context.block());
  const Expr mean = statistic(context, in[2], p, shape[1]);
  const Expr variance = statistic(context, in[3], p, shape[1]);
  MapSums sums({v.ci, v.cb, v.n}, spatial_extents(shape), [&](const auto& position) {
    const Point q{v.ci, v.cb, position, v.n, context.block()};
    const Expr dy = context.load(in[0], q);
    return std::vector<Expr>{dy, dy * (context.load(in[1], q) - mean)};
  });
  finish_per_map(context, id, v, Tuple(sums[0], sums[1] / sqrt(variance + op.epsilon)), {&sums});
}

void lower(const ops::GroupMoments& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const int64_t in_group = context.shape(in[0])[1] / op.groups;
  const float share = 1.0f / static_cast<float>(in_group);
  PointVars v = LowerContext::vars(0);
  const Point p = v.point(context.block());
  RDom c(0, static_cast<int>(in_group), "c");
  const Point q = member(p, op.groups, in_group, c);
  Func mean("mean"), variance("variance"), y("group_moments");
  mean(v.ci, v.cb, v.n) += context.load(in[0], q) * share;
  const Expr distance = context.load(in[0], q) - mean(v.ci, v.cb, v.n);
  variance(v.ci, v.cb, v.n) += (context.load(in[1], q) + distance * distance) * share;
  const Expr inside = p.channel() < static_cast<int>(op.groups);
  y(v.ci, v.cb, v.n) = Tuple(select(inside, mean(v.ci, v.cb, v.n), 0.0f),
                             select(inside, variance(v.ci, v.cb, v.n), 0.0f));
  context.define({id, 0}, y, 0);
  context.define({id, 1}, y, 1);
  context.make_output();
  mean.compute_at(context.output(), v.cb);
  variance.compute_at(context.output(), v.cb);
}

void lower(const ops::GroupSums& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const int64_t in_group = context.shape(in[0])[1] / op.groups;
  PointVars v = LowerContext::vars(0);
  const Point p = v.point(context.block());
  RDom c(0, static_cast<int>(in_group), "c");
  const Point q = member(p, op.groups, in_group, c);
  const Expr gamma = channel_number(context, in[2], q);
  Func sums("sums"), y("group_sums");
  sums(v.ci, v.cb, v.n) = Tuple(0.0f, 0.0f);
  const Expr plain = sums(v.ci, v.cb, v.n)[0], times_z = sums(v.ci, v.cb, v.n)[1];
  sums(v.ci, v.cb, v.n) =
      Tuple(plain + context.load(in[0], q) * gamma, times_z + context.load(in[1], q) * gamma);
  const Expr inside = p.channel() < static_cast<int>(op.groups);
  y(v.ci, v.cb, v.n) = Tuple(select(inside, plain, 0.0f), select(inside, times_z, 0.0f));
  context.define({id, 0}, y, 0);
  context.define({id, 1}, y, 1);
  context.make_output();
  sums.compute_at(context.output(), v.cb);
}

void lower(const ops::BatchMoments&, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const WeightLayout& layout = context.weight_layout(context.spec().region->outputs[0]);
  Var ki("ki"), one("one"), cb("cb"), kb("kb");
  RDom n(0, context.batch(), "n");
  const Expr share = 1.0f / cast<float>(context.batch());
  const Point p{ki, kb, {}, n.x, layout.filter_block};
  Func mean("mean"), variance("variance");
  mean(ki, kb) += context.load(in[0], p) * share;
  const Expr distance = context.load(in[0], p) - mean(ki, kb);
  variance(ki, kb) += (context.load(in[1], p) + distance * distance) * share;
  std::vector<Expr> results;
  for (Value v : context.spec().region->outputs)
    results.push_back(v.output == 0 ? mean(ki, kb) : variance(ki, kb));
  Func out("out");
  out(ki, one, cb, kb) = Tuple(results);
  context.define({id, 0}, out);
  context.set_output(out);
  for (Func f : {mean, variance}) {
    f.compute_at(out, kb).vectorize(ki);
    f.update().reorder(ki, n.x).vectorize(ki);
  }
  out.vectorize(ki);
}

void lower(const ops::MoveStatistics& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  Var ki("ki"), one("one"), cb("cb"), kb("kb");
  const auto of = [&](std::size_t i) { return context.image(in[i])(ki, 0, 0, kb); };
  const Expr count = cast<float>(context.batch()) * static_cast<float>(op.positions);
  const Expr unbiased = of(3) * (count / max(count - 1.0f, 1.0f));
  Func out("out");
  out(ki, one, cb, kb) =
      Tuple(of(0) + op.momentum * (of(2) - of(0)), of(1) + op.momentum * (unbiased - of(1)));
  out.vectorize(ki);
  context.set_output(out);
}

void lower(const ops::NormalizeGrad& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const Shape& shape = context.shape(in[0]);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  const auto of = [&](std::size_t i) { return statistic(context, in[i], p, shape[1]); };
  const bool per_sample = context.shape(in[2]).has_batch();
  const Expr inverse = inverse_deviation(of(3), op.epsilon);
  const Expr slope = of(1) * inverse;
  std::vector<Expr> numbers = {slope};
  if (in.size() > 4) {
    // dx = slope * dy - mean of its part that moves the mean - z * of that which moves the variance
    Expr count = static_cast<float>(shape.elements() / context.shape(in[2]).elements());
    if (!per_sample) count = count * cast<float>(context.batch());
    const Expr weight = per_sample ? inverse : slope;  // sums of groups are weighted already
    numbers = {slope, weight * of(5) / count, weight * inverse * of(6) / count, of(2)};
  }
  const std::vector<Expr> once =
      once_per_channel(context, v, static_cast<int>(shape[1]), per_sample, numbers);
  Expr dx = scaled(context.load(in[0], p), once[0], per_sample);
  if (in.size() > 4) {
    dx = dx - once[1] - scaled(context.load(in[4], p) - once[3], once[2], per_sample);
    const int channels = static_cast<int>(shape[1]);
    if (shape[1] % context.block() != 0) dx = select(p.channel() < channels, dx, 0.0f);
  }
  Func y("normalize_grad");
  y(v.arguments()) = dx;
  context.define({id, 0}, y);
}

// Scheduled where the sums are at hand.

void schedule(const ops::Moments&, LowerContext&) {}
void schedule(const ops::NormalizeSums&, LowerContext&) {}
void schedule(const ops::GroupMoments&, LowerContext&) {}
void schedule(const ops::GroupSums&, LowerContext&) {}
void schedule(const ops::BatchMoments&, LowerContext&) {}
void schedule(const ops::MoveStatistics&, LowerContext&) {}

}  // namespace halcyon::compiler
