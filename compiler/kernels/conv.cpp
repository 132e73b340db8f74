/// Convolution: direct, with the outputs of a tile kept in registers.
///
///   for each task (sample, filter block pair, rows)
///     for each tile of `tile_x` outputs and `tile_k` filter blocks:
///       sums = bias
///       for c block, kernel row, kernel column, c:            one weight vector per filter block,
///         sums += weight * broadcast(input)                   multiplied with one input per output
///       relu, pooling and the like on the sums, then one store
///
/// Where vectors hold filters of several groups, these are computed as one, with zeros where a
/// filter does not see a channel.
///
/// Where all filters fill but a part of a vector, it holds `pixels` neighbouring outputs of them.
/// Their windows overlap, so a filter widened to all of them, with zeros where one's own window
/// does not reach, multiplies each input once for all: two outputs of a 5-wide window take six
/// multiply-adds instead of ten.

#include <algorithm>
#include <numeric>

#include "compiler/integer.h"
#include "compiler/kernels/conv_window.h"
#include "compiler/kernels/kernels.h"
#include "compiler/kernels/own_rows.h"
#include "compiler/kernels/pool_of_rows.h"
#include "compiler/passes/fusion_rules.h"
#include "compiler/schedules/register_tile.h"
#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// How many outputs of the convolution a task needs along each axis for its outputs of the region.
std::vector<int64_t> conv_outputs_per_task(LowerContext& context) {
  if (context.rows().defined()) return rows_per_task(context);
  const Layout out = context.output_layout();
  std::vector<int64_t> outputs;
  for (int axis = 0; axis < out.spatial_rank(); ++axis) {
    const bool rows = axis == out.spatial_rank() - 2;
    outputs.push_back(rows ? context.choice().rows_per_task : out.shape.spatial(axis));
  }
  const int32_t id = pool_behind(context.graph(), *context.spec().region);
  if (id < 0) return outputs;
  const ops::PoolWindow& pool = *pool_window(context.graph().node(id).op);
  for (std::size_t a = 0; a < outputs.size(); ++a) {
    const int axis = static_cast<int>(a);
    outputs[a] = (outputs[a] - 1) * pool.stride[axis] + pool.reach(axis) + 1;
  }
  return outputs;
}

/// Channel in block, columns (of a filter widened by `wider`), rows, ..., channel blocks.
Halide::Region reduction_ranges(const WeightLayout& weight, int64_t wider) {
  Halide::Region ranges = {{0, static_cast<int>(weight.sample.block)}};
  const int rank = weight.sample.spatial_rank();
  for (int axis = rank - 1; axis >= 0; --axis) {
    ranges.push_back({0, static_cast<int>(weight.sample.shape.spatial(axis))});
  }
  ranges[1] = {0, static_cast<int>(weight.sample.shape.spatial(rank - 1) + wider)};
  ranges.push_back({0, static_cast<int>(weight.sample.blocks())});
  return ranges;
}

/// The filter of `pixels` neighbouring outputs: lane pixel * filter_block + filter, (channel in
/// block, column, row, ..., channel block).
Func widened_filter(const ops::Conv& conv, const LowerContext& context, Value v) {
  const WeightLayout& weight = context.weight_layout(v);
  const int block = static_cast<int>(weight.filter_block);
  const int rank = weight.sample.spatial_rank();
  const int columns = static_cast<int>(weight.sample.shape.spatial(rank - 1));
  Var lane("lane"), c("c"), cb("cb");
  PointVars taps = LowerContext::vars(rank);
  const Expr column = taps.x() - lane / block * static_cast<int>(conv.stride[rank - 1]);
  std::vector<Expr> at = {lane % block, c, clamp(column, 0, columns - 1)};
  std::vector<Var> args = {lane, c, taps.x()};
  for (int axis = rank - 2; axis >= 0; --axis) {
    at.push_back(taps.s[static_cast<std::size_t>(axis)]);
    args.push_back(taps.s[static_cast<std::size_t>(axis)]);
  }
  at.push_back(cb);
  at.push_back(0);
  args.push_back(cb);
  Func wide("wide");
  wide(args) = select(column >= 0 && column < columns, context.image(v)(at), 0.0f);
  wide.compute_root().vectorize(lane);
  return wide;
}

/// The filters of `merged` groups as those of one: (filter, channel in a block of x, column, row,
/// ..., channel block from the first of these groups, filter block).
Func merged_filter(const LowerContext& context, Value v, int64_t groups, int64_t merged,
                   int64_t channels, int64_t x_block) {
  const WeightLayout& weight = context.weight_layout(v);
  const int rank = weight.sample.spatial_rank();
  const int own_block = static_cast<int>(weight.sample.block);
  const int group_channels = static_cast<int>(channels / groups);
  Var ki("ki"), c("c"), cb("cb"), kb("kb");
  PointVars taps = LowerContext::vars(rank);
  const Expr filter = kb * static_cast<int>(weight.filter_block) + ki;
  const Expr group = filter / static_cast<int>(weight.filters / groups) % static_cast<int>(merged);
  const Expr channel = cb * static_cast<int>(x_block) + c - group * group_channels;
  const Expr seen = clamp(channel, 0, group_channels - 1);
  std::vector<Expr> at = {ki, seen % own_block};
  std::vector<Var> args = {ki, c};
  for (int axis = rank - 1; axis >= 0; --axis) {
    at.push_back(taps.s[static_cast<std::size_t>(axis)]);
    args.push_back(taps.s[static_cast<std::size_t>(axis)]);
  }
  at.insert(at.end(), {seen / own_block, Expr(kb)});
  args.insert(args.end(), {cb, kb});
  Func wide("merged");
  wide(args) = select(channel >= 0 && channel < group_channels, context.image(v)(at), 0.0f);
  wide.compute_root().vectorize(ki);
  return wide;
}

/// One filter for each channel: its lanes are the channels' own, and no number is copied to all.
bool is_depthwise(const ops::Conv& conv, const LowerContext& context) {
  const Node& node = context.spec().anchor();
  return conv.groups == conv.filters && conv.groups == context.shape(node.inputs[0])[1];
}

/// The sums of a tile, one after the other; the order of its two loops is that which keeps the
/// operands of a step in registers.
void order_tile(std::vector<VarOrRVar>& order, const PointVars& v, const LowerContext& context) {
  const Choice& choice = context.choice();
  const bool pixels_first = pixels_innermost(context.spec().target, choice.tile_x, choice.tile_k);
  if (!pixels_first) order.push_back(v.cb);
  for (auto s = v.s.rbegin(); s != v.s.rend(); ++s) order.push_back(*s);
  if (pixels_first) order.push_back(v.cb);
}

/// Rows of zeros add nothing: leaves them out where one row of outputs is computed at a time. The
/// gradient towards the input of a 5x5 convolution would otherwise spend a third of its time on
/// them. Not where some window reads zeros alone: Halide takes the bounds of a loop that never runs
/// for bounds of what it reads.
void skip_padding_rows(const ops::Conv& conv, const LowerContext& context, Value x, const Point& q,
                       RDom& r) {
  const int rows_axis = context.shape(x).spatial_rank() - 2;
  if (rows_axis < 0 || (conv.pad_begin[rows_axis] == 0 && conv.pad_end[rows_axis] == 0)) return;
  const int64_t reach = conv.dilation[rows_axis] * (conv.kernel[rows_axis] - 1);
  if (std::max(conv.pad_begin[rows_axis], conv.pad_end[rows_axis]) > reach) return;
  if (conv.dilation[rows_axis] > context.shape(x).spatial(rows_axis)) return;
  const Region& region = *context.spec().region;
  const bool by_row =
      context.shape(region.outputs[0]) == context.shape({context.spec().anchor_id(), 0}) ||
      pool_of_rows(context.graph(), region) >= 0;
  if (!by_row) return;
  const Expr row = q.s[static_cast<std::size_t>(rows_axis)];
  r.where(row >= 0 && row < static_cast<int>(context.shape(x).spatial(rows_axis)));
}

}  // namespace

void lower(const ops::Conv& conv, LowerContext& context, int32_t id) {
  if (id != context.spec().anchor_id()) return lower_own_conv(context, id);
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const WeightLayout& weight = context.weight_layout(node.inputs[1]);
  const int rank = context.shape(x).spatial_rank();
  const int block = static_cast<int>(weight.filter_block);
  const int pixels = static_cast<int>(context.choice().pixels);
  const int stride = static_cast<int>(conv.stride[rank - 1]);
  PointVars v = LowerContext::vars(rank);  // of a vector of `pixels` outputs
  const Point p = v.point(block);

  Func sum("sum");
  if (node.inputs.size() > 2) {
    sum(v.arguments()) = context.image(node.inputs[2])(v.ci % block, 0, 0, v.cb);
  } else {
    sum(v.arguments()) = 0.0f;
  }
  // r: channel in block, kernel column, row, ..., channel block
  const int64_t merged = conv.groups > 1 ? merged_groups(context.spec()) : 1;
  const int64_t channels = context.shape(x)[1], x_block = context.layout(x).block;
  Halide::Region ranges = reduction_ranges(weight, (pixels - 1) * stride);
  if (merged > 1) {
    ranges.front() = {0, static_cast<int>(x_block)};
    ranges.back() = {0, static_cast<int>(ceil_div(channels / conv.groups * merged, x_block))};
  }
  RDom r(ranges, "r");
  std::vector<Expr> taps;
  for (int axis = rank - 1; axis >= 0; --axis) taps.push_back(r[1 + axis]);
  Point q{r[0], r[rank + 1], {}, v.n, weight.sample.block};
  if (merged > 1) {
    q.block = x_block;
    const int64_t together = conv.groups / merged;
    if (together > 1) {
      const Expr first = v.cb / static_cast<int>(weight.filters / together / block);
      q.cb = first * static_cast<int>(channels / together / x_block) + r[rank + 1];
    }
  } else if (conv.groups > 1) {
    q = group_channel(context, x, conv.groups, weight, v.ci, v.cb, r[0], r[rank + 1]);
    q.n = v.n;
  }
  std::vector<Expr> first = p.s;
  first.back() *= pixels;
  q.s = window_position(window_of(conv), first, taps);
  skip_padding_rows(conv, context, x, q, r);
  std::vector<Expr> w = {v.ci, r[0]};
  w.insert(w.end(), taps.rbegin(), taps.rend());
  w.push_back(r[rank + 1]);
  if (pixels == 1) w.push_back(v.cb);
  const Value filters = node.inputs[1];
  const Expr filter =
      pixels > 1   ? widened_filter(conv, context, filters)(w)
      : merged > 1 ? merged_filter(context, filters, conv.groups, merged, channels, x_block)(w)
                   : context.image(filters)(w);
  sum(v.arguments()) += filter * PaddedInput(context, x, window_of(conv))(q);
  context.set_accumulator(sum);

  if (pixels == 1) {
    context.define({id, 0}, sum);
    return;
  }
  Point vector = p;
  vector.ci = v.ci + v.x() % pixels * block;
  vector.s.back() = v.x() / pixels;
  Func y("conv");
  y(v.arguments()) = sum(vector.arguments());
  context.define({id, 0}, y);
}

void schedule(const ops::Conv& conv, LowerContext& context) {
  const Choice& choice = context.choice();
  const bool keeps_rows = context.rows().defined();
  Func& out = context.output();
  Func& tiled = keeps_rows ? context.rows() : out;
  PointVars v = context.output_vars();
  const int rank = static_cast<int>(v.s.size());
  const Value input = context.spec().anchor().inputs[0];
  Var xo("xo"), xi("xi"), ko("ko"), ki("ki");

  tiled.split(v.x(), xo, xi, static_cast<int>(choice.tile_x), TailStrategy::ShiftInwards)
      .split(v.cb, ko, ki, static_cast<int>(choice.tile_k));
  std::vector<VarOrRVar> order = {v.ci, xi, ki, xo};
  Var task;
  if (keeps_rows) {
    for (int axis = rank - 2; axis >= 0; --axis)
      order.push_back(v.s[static_cast<std::size_t>(axis)]);
    task = schedule_pool_of_rows(context);
    tiled.reorder(order);
  } else {
    const std::vector<Var> tasks = split_tasks(context, ko, order);
    order.insert(order.end(), tasks.begin(), tasks.end());
    out.reorder(order);
    task = parallelise(out, tasks);
  }
  tiled.vectorize(v.ci).unroll(xi).unroll(ki);
  const bool reads_own_blocks =
      is_depthwise(conv, context) &&
      context.layout(input).block ==
          context.weight_layout(context.spec().anchor().inputs[1]).filter_block;
  schedule_padded_input(context, LoopLevel(out, task), window_of(conv),
                        context.shape(context.spec().anchor().inputs[1]),
                        conv_outputs_per_task(context), reads_own_blocks ? choice.tile_k : 0);
  schedule_own_rows(context, LoopLevel(out, task));

  Func& sum = context.accumulator();
  PointVars sv = LowerContext::vars(rank);
  std::vector<VarOrRVar> sum_order = {sv.ci};
  order_tile(sum_order, sv, context);
  sum.compute_at(tiled, xo).vectorize(sv.ci).unroll(sv.cb);
  const RVar c = sum.rvars()[0];
  Stage update = sum.update();
  std::vector<VarOrRVar> update_order = sum_order;
  for (const RVar& rv : sum.rvars()) update_order.push_back(rv);
  update.reorder(update_order).vectorize(sv.ci).unroll(sv.cb);
  for (const Var& s : sv.s) {
    sum.unroll(s);
    update.unroll(s);
  }
  // The channels of merged groups come in the blocks of x, those of others in the filter's.
  const int64_t unroll = std::gcd(choice.unroll_c, context.layout(input).block);
  const bool is_merged = conv.groups > 1 && merged_groups(context.spec()) > 1;
  const auto steps = static_cast<int>(is_merged ? unroll : choice.unroll_c);
  if (steps > 1) update.unroll(c, steps);
  // Neighbouring columns of a window read the same vectors for neighbouring outputs.
  if (is_depthwise(conv, context)) update.unroll(sum.rvars()[1]);
}

}  // namespace halcyon::compiler
