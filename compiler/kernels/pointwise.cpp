/// Functions of one position, copies among them, and the sums that are gradients of repeated
/// values.

#include "compiler/kernels/formula.h"
#include "compiler/kernels/kernels.h"
#include "compiler/ops/formula.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Values without batch: all of one layout, so element by element.
void lower_on_weights(const dsl::Formula& formula, LowerContext& context, int32_t id) {
  Var ki("ki"), j("j"), kb("kb");
  std::vector<Expr> in;
  for (Value x : context.graph().node(id).inputs) {
    in.push_back(context.is_defined(x) ? context.func(x)(ki, j, kb)
                                       : context.flat_weight(x)(ki, j, kb));
  }
  Expr value = formula_expr(formula, in);
  const WeightLayout& weight = context.weight_layout({id, 0});
  const Layout& sample = weight.sample;
  const bool is_padded =
      weight.filters % weight.filter_block != 0 || sample.channels() % sample.block != 0;
  if (is_padded && !vanishes(formula, std::vector<bool>(in.size()))) {
    const Expr filter = kb * static_cast<int>(weight.filter_block) + ki;
    const Expr channel =
        j / static_cast<int>(sample.block_stride()) * static_cast<int>(sample.block) +
        j % static_cast<int>(sample.block);
    value = select(
        filter < static_cast<int>(weight.filters) && channel < static_cast<int>(sample.channels()),
        value, 0.0f);
  }
  Func y("pointwise");
  y(ki, j, kb) = value;
  context.define({id, 0}, y);
  context.set_output(y);
}

/// Node `id` as `formula` of its inputs.
void lower_formula(const dsl::Formula& formula, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Shape& shape = node.outputs[0];
  if (!shape.has_batch()) return lower_on_weights(formula, context, id);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  std::vector<Expr> in;
  std::vector<bool> one_for_all_channels;
  for (Value x : node.inputs) {
    in.push_back(context.load_repeated(x, p, shape));
    one_for_all_channels.push_back(dsl::rules::aligned(context.shape(x), shape.rank)[1] < shape[1]);
  }
  Expr value = formula_expr(formula, in);
  if (shape[1] % context.block() != 0 && !vanishes(formula, one_for_all_channels)) {
    value = select(p.channel() < static_cast<int>(shape[1]), value, 0.0f);
  }
  Func y("pointwise");
  y(v.arguments()) = value;
  context.define({id, 0}, y);
}

/// A sum of dy over the axes that a value of shape `own` repeats. Channels are summed lane by lane,
/// and the lanes at the end, so that vectors stay whole; zeros stand beyond the last channel.
struct RepeatedSum {
  LowerContext& context;
  Value dy;
  Shape full, own;  // of dy, and aligned with it; the batch in front of both
  int block;        // lanes

  RepeatedSum(LowerContext& in, const ops::SumTo& op, int32_t id)
      : context(in), dy(in.graph().node(id).inputs[0]), full(in.shape(dy)) {
    own = dsl::rules::aligned(op.shape, full.rank);
    block = 1;
    while (block < full[1] && block < context.vector_width()) block *= 2;
  }

  bool sums_channels() const { return own[1] < full[1]; }
  bool sums_positions() const {
    bool any = sums_channels();
    for (int axis = 2; axis < full.rank; ++axis) any = any || own[axis] < full[axis];
    return any;
  }

  /// Lane, positions innermost first and, where channels are kept, block.
  std::vector<Var> lane_args(const PointVars& v) const {
    std::vector<Var> args = {v.ci};
    args.insert(args.end(), v.s.rbegin(), v.s.rend());
    if (!sums_channels()) args.push_back(v.cb);
    return args;
  }

  /// Within one sample, by lane. `at`: the block of its lanes.
  Func of_sample(const PointVars& v, int64_t at) const {
    Func sum("sample_sum");
    std::vector<Var> args = lane_args(v);
    args.push_back(v.n);
    Point p = v.point(at);
    if (!sums_positions()) {
      sum(args) = context.load(dy, p);
      return sum;
    }
    Halide::Region ranges;
    std::vector<int> axes;  // of each range; 1 is the channels' blocks
    for (int axis = full.rank - 1; axis >= 2; --axis) {
      if (own[axis] == full[axis]) continue;
      ranges.push_back({0, static_cast<int>(full[axis])});
      axes.push_back(axis);
    }
    if (sums_channels()) {
      ranges.push_back({0, static_cast<int>((full[1] + at - 1) / at)});
      axes.push_back(1);
    }
    RDom r(ranges, "r");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const Expr position = r[static_cast<int>(i)];
      (axes[i] == 1 ? p.cb : p.s[static_cast<std::size_t>(axes[i] - 2)]) = position;
    }
    sum(args) = 0.0f;
    sum(args) += context.load(dy, p);
    return sum;
  }
};

/// The lanes of `by_lane`, whose first argument they are, added in order.
Func sum_of_lanes(const Func& by_lane, int lanes) {
  std::vector<Var> args = by_lane.args();
  args.erase(args.begin());
  RDom lane(0, lanes, "lane");
  std::vector<Expr> source = {lane};
  source.insert(source.end(), args.begin(), args.end());
  Func sum("lane_sum");
  sum(args) = 0.0f;
  sum(args) += by_lane(source);
  return sum;
}

/// A result with a batch: computed position by position.
void lower_to_activation(const RepeatedSum& sum, LowerContext& context, int32_t id) {
  PointVars v = LowerContext::vars(sum.full.spatial_rank());
  Func y("sum_to");
  if (!sum.sums_channels()) {
    const Func by_lane = sum.of_sample(v, context.block());
    std::vector<Var> args = v.arguments();
    y(args) = by_lane(std::vector<Expr>(args.begin(), args.end()));
    context.set_accumulator(by_lane);
    context.define({id, 0}, y);
    return;
  }
  Func by_lane = sum.of_sample(v, sum.block);
  Func total = sum_of_lanes(by_lane, sum.block);
  std::vector<Expr> position(v.s.rbegin(), v.s.rend());
  position.push_back(v.n);
  y(v.arguments()) = total(position);
  context.define({id, 0}, y);
  context.make_output();
  const Var at = v.s.empty() ? v.n : v.x();
  total.compute_at(context.output(), at);
  by_lane.compute_at(context.output(), at).vectorize(v.ci);
  by_lane.update().vectorize(v.ci);
}

/// A result without batch, in the layout of its parameter. Samples are added in order.
void lower_to_parameter(const RepeatedSum& sum, LowerContext& context, int32_t id) {
  PointVars v = LowerContext::vars(sum.full.spatial_rank());
  Func of_sample = sum.of_sample(v, sum.block);
  const std::vector<Var> args = sum.lane_args(v);
  RDom samples({{0, context.batch()}}, "samples");
  std::vector<Expr> source(args.begin(), args.end());
  source.emplace_back(samples.x);
  Func total("total");
  total(args) = 0.0f;
  total(args) += of_sample(source);

  total.compute_root().vectorize(v.ci);
  std::vector<VarOrRVar> order(args.begin(), args.end());
  order.insert(sum.sums_channels() ? order.end() : order.end() - 1, samples.x);
  total.update().reorder(order).vectorize(v.ci);
  if (!sum.sums_channels()) {
    total.parallel(v.cb);
    total.update().parallel(v.cb);
  }
  if (sum.sums_positions()) {
    of_sample.compute_at(total, samples.x).vectorize(v.ci);
    of_sample.update().vectorize(v.ci);
  }

  Func result = sum.sums_channels() ? sum_of_lanes(total, sum.block) : total;
  if (sum.sums_channels()) result.compute_root();
  const bool per_channel = context.shape({id, 0}).rank == 1;
  Var ki("ki"), kb("kb");
  std::vector<Var> out_args = {ki};
  std::vector<Expr> from;
  if (per_channel) {
    out_args.insert(out_args.end(), {v.ci, v.cb});
    from.assign(v.s.size(), Expr(0));
    if (!sum.sums_channels()) {
      from.insert(from.begin(), ki);
      from.emplace_back(kb);
    }
  } else {
    const std::vector<Var> sample = v.arguments();  // ci, positions, cb, n
    out_args.insert(out_args.end(), sample.begin(), sample.end() - 1);
    from.assign(v.s.rbegin(), v.s.rend());
    if (!sum.sums_channels()) {
      from.insert(from.begin(), v.ci);
      from.emplace_back(v.cb);
    }
  }
  out_args.push_back(kb);
  Func out("out");
  out(out_args) = result(from);
  if (!sum.sums_channels()) out.vectorize(per_channel ? ki : v.ci);
  context.set_output(out);
}

}  // namespace

void lower(const ops::Pointwise& op, LowerContext& context, int32_t id) {
  lower_formula(op.formula, context, id);
}

void lower(const ops::Copy&, LowerContext& context, int32_t id) {
  lower_formula(dsl::Scalar::input(0).formula, context, id);
}

void lower(const ops::SumTo& op, LowerContext& context, int32_t id) {
  const RepeatedSum sum(context, op, id);
  if (op.shape.has_batch()) {
    lower_to_activation(sum, context, id);
  } else {
    lower_to_parameter(sum, context, id);
  }
}

void schedule(const ops::SumTo& op, LowerContext& context) {
  if (op.shape.has_batch() && context.accumulator().defined()) return schedule_elementwise(context);
  if (op.shape.has_batch()) context.output().parallel(context.output_vars().n);
}

}  // namespace halcyon::compiler
