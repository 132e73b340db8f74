/// The weight gradient of a convolution in front of a max pool, from the pooled gradient.
///
///   for each chunk of the batch, for each image:
///     copy it with its zeros, channels innermost: a window's row is then one run of values
///     for each tile of filters:
///       for each pooled position:                       dw[filter][row] += dy * run that argmax
///         for each filter of the tile, each row                           points at
///
/// A run of S columns times C channels fills its vectors where C alone would not, and only what the
/// maximum came from is multiplied.

#include "compiler/kernels/conv_window.h"
#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// One run: the columns of a window times all channels, in whole vectors.
struct Run {
  int channels, columns, vectors;

  Run(const ops::ConvPoolWeightGrad& grad, int width) {
    const int last = grad.weight.spatial_rank() - 1;
    channels = static_cast<int>(grad.weight[1]);
    columns = static_cast<int>((grad.weight.spatial(last) - 1) * grad.dilation[last] + 1);
    vectors = (columns * channels + width - 1) / width;
  }
};

/// Values of a row with its zeros, up to the end of the last run.
int64_t row_values(const ops::ConvPoolWeightGrad& grad, const Shape& x, const Run& run, int width) {
  const int last = x.spatial_rank() - 1;
  const int64_t columns = x.spatial(last) + grad.pad_begin[last] + grad.pad_end[last];
  return (columns - run.columns) * run.channels + run.vectors * width;
}

/// The input with its zeros: (column * channels + channel, rows ..., n). What lies behind a row's
/// last column fills its last vector and is never used.
Func gathered_input(const ops::ConvPoolWeightGrad& grad, const LowerContext& context, Value x) {
  const Shape& shape = context.shape(x);
  const int rank = shape.spatial_rank();
  const int channels = static_cast<int>(shape[1]);
  const int block = static_cast<int>(context.layout(x).block);
  Var u("u"), n("n");
  PointVars v = LowerContext::vars(rank);
  std::vector<Var> args = {u};
  for (int axis = rank - 2; axis >= 0; --axis) args.push_back(v.s[static_cast<std::size_t>(axis)]);
  args.push_back(n);

  Halide::Region inside = {{0, static_cast<int>(shape.spatial(rank - 1)) * channels}};
  bool padded = false;
  for (int axis = rank - 1; axis >= 0; --axis) {
    if (axis < rank - 1) inside.push_back({0, static_cast<int>(shape.spatial(axis))});
    padded = padded || grad.pad_begin[axis] > 0 || grad.pad_end[axis] > 0;
  }
  RDom r(inside, "inside");
  const Expr channel = r[0] % channels;
  Point p{channel % block, channel / block, {}, n, block};
  std::vector<Expr> to;
  for (int axis = 0; axis < rank; ++axis) {
    const int begin = static_cast<int>(grad.pad_begin[axis]);
    const bool columns = axis == rank - 1;
    p.s.push_back(columns ? r[0] / channels : Expr(r[rank - 1 - axis]));
    to.insert(to.begin(), columns ? r[0] + begin * channels : r[rank - 1 - axis] + begin);
  }
  to.emplace_back(n);
  Func rows("rows");
  rows(args) = padded ? Expr(0.0f) : undef<float>();
  rows(to) = context.load(x, p);
  return rows;
}

}  // namespace

void lower(const ops::ConvPoolWeightGrad& grad, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value dy = node.inputs[1], argmax = node.inputs[2];
  const WeightLayout& weight = context.weight_layout({id, 0});
  const int rank = weight.sample.spatial_rank();
  const int filter_block = static_cast<int>(weight.filter_block);
  const int block = static_cast<int>(context.layout(dy).block);
  const int chunks = static_cast<int>(context.choice().chunks);
  const Run run(grad, context.vector_width());
  const Func rows = gathered_input(grad, context, node.inputs[0]);

  Var u("u"), k("k"), n("n"), chunk("chunk");
  PointVars taps = LowerContext::vars(rank);  // of the weight; columns are in u
  std::vector<Var> args = {u};
  for (int axis = rank - 2; axis >= 0; --axis)
    args.push_back(taps.s[static_cast<std::size_t>(axis)]);
  args.push_back(k);
  const auto with = [&](const auto& last) {
    std::vector<std::decay_t<decltype(last)>> list(args.begin(), args.end());
    list.push_back(last);
    return list;
  };

  // One image's share, summed in registers.
  const Shape& pooled = context.shape(dy);
  Halide::Region ranges;
  for (int axis = rank - 1; axis >= 0; --axis)
    ranges.push_back({0, static_cast<int>(pooled.spatial(axis))});
  RDom r(ranges, "r");
  Point p{k % block, k / block, {}, n, block};
  for (int axis = rank - 1; axis >= 0; --axis) p.s.push_back(r[axis]);
  Expr within = cast<int32_t>(context.load(argmax, p));
  std::vector<Expr> from = {Expr(n)};
  for (int axis = rank - 1; axis >= 0; --axis) {
    const auto a = static_cast<std::size_t>(axis);
    const int kernel = static_cast<int>(grad.pool_kernel[axis]);
    const Expr output = p.s[a] * static_cast<int>(grad.pool_stride[axis]) + within % kernel;
    within = within / kernel;
    const Expr input = output * static_cast<int>(grad.stride[axis]);
    const Expr tap = axis == rank - 1 ? Expr(u) : taps.s[a] * static_cast<int>(grad.dilation[axis]);
    from.insert(from.end() - 1, (axis == rank - 1 ? input * run.channels : input) + tap);
  }
  Func share("share");
  share(with(n)) = 0.0f;
  share(with(n)) += context.load(dy, p) * rows(from);

  // Chunks in a fixed order: the same bits however many threads there are.
  const Expr per_chunk = (context.batch() + chunks - 1) / chunks;
  RDom images({{0, per_chunk}}, "images");
  const Expr image = chunk * per_chunk + images.x;
  images.where(image < context.batch());
  Func part("part");
  part(with(chunk)) = 0.0f;
  std::vector<Expr> of_image(args.begin(), args.end());
  of_image.push_back(image);
  part(with(chunk)) += share(of_image);

  Var ki("ki"), c("c"), cb("cb"), kb("kb");
  const Expr channel = cb * static_cast<int>(weight.sample.block) + c;
  const Expr filter = kb * filter_block + ki;
  std::vector<Expr> at = {(taps.x() * static_cast<int>(grad.dilation[rank - 1])) * run.channels +
                          min(channel, run.channels - 1)};
  std::vector<Var> out_args = {ki, c, taps.x()};
  for (int axis = rank - 2; axis >= 0; --axis) {
    at.push_back(taps.s[static_cast<std::size_t>(axis)]);
    out_args.push_back(taps.s[static_cast<std::size_t>(axis)]);
  }
  at.push_back(min(filter, static_cast<int>(weight.filters) - 1));
  out_args.push_back(cb);
  out_args.push_back(kb);
  Expr total;
  for (int i = 0; i < chunks; ++i) {
    std::vector<Expr> of_chunk = at;
    of_chunk.push_back(i);
    total = total.defined() ? total + part(of_chunk) : part(of_chunk);
  }
  Func out("out");
  out(out_args) =
      select(channel < run.channels && filter < static_cast<int>(weight.filters), total, 0.0f);
  context.set_accumulator(share);
  context.set_padded_input(rows);
  context.define({id, 0}, part);
  context.set_output(out);
}

void schedule(const ops::ConvPoolWeightGrad& grad, LowerContext& context) {
  const Node& node = context.spec().anchor();
  const int width = context.vector_width();
  const Shape& x = context.shape(node.inputs[0]);
  const Run run(grad, width);
  const int values = run.vectors * width;
  Func part = context.func({context.spec().region->nodes.front(), 0});
  Func& share = context.accumulator();
  Func& rows = context.padded_input();
  Func& out = context.output();

  out.vectorize(out.args()[0]);

  const std::vector<Var> a = part.args();  // u, rows ..., k, chunk
  const Var &u = a.front(), &k = a[a.size() - 2], &chunk = a.back();
  Var ko("ko"), ki("ki"), uo("uo"), ui("ui");
  part.compute_root().bound(u, 0, values).vectorize(u, width).parallel(chunk);
  Stage add = part.update();
  add.split(u, uo, ui, width).split(k, ko, ki, static_cast<int>(context.choice().tile_k));
  std::vector<VarOrRVar> order = {ui, uo};
  order.insert(order.end(), a.begin() + 1, a.end() - 2);
  order.insert(order.end(),
               {VarOrRVar(ki), VarOrRVar(ko), VarOrRVar(part.rvars()[0]), VarOrRVar(chunk)});
  add.reorder(order).vectorize(ui).unroll(uo).unroll(ki).parallel(chunk);
  for (std::size_t i = 1; i + 2 < a.size(); ++i) add.unroll(a[i]);

  const std::vector<Var> in = rows.args();
  rows.compute_at(part, part.rvars()[0])
      .bound(in[0], 0, static_cast<int>(row_values(grad, x, run, width)));
  rows.vectorize(in[0], width);
  rows.update().vectorize(rows.rvars()[0], width);
  for (int axis = 0; axis + 1 < x.spatial_rank(); ++axis) {
    const int64_t extent = x.spatial(axis) + grad.pad_begin[axis] + grad.pad_end[axis];
    rows.bound(in[in.size() - 2 - static_cast<std::size_t>(axis)], 0, static_cast<int>(extent));
  }

  share.compute_at(part, ko).bound_extent(u, values);
  std::vector<VarOrRVar> sum_order = {ui, uo};
  sum_order.insert(sum_order.end(), a.begin() + 1, a.end() - 1);
  share.split(u, uo, ui, width).vectorize(ui).unroll(uo);
  Stage sum = share.update();
  for (const RVar& rv : share.rvars()) sum_order.push_back(rv);
  sum.split(u, uo, ui, width).reorder(sum_order).vectorize(ui).unroll(uo);
  for (std::size_t i = 1; i + 1 < a.size(); ++i) {
    share.unroll(a[i]);
    sum.unroll(a[i]);
  }
}

}  // namespace halcyon::compiler
