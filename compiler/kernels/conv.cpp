/// Convolution: direct, with the outputs of a tile kept in registers.
///
///   for each task (sample, filter block pair, rows)
///     for each tile of `tile_x` outputs and `tile_k` filter blocks:
///       sums = bias
///       for c block, kernel row, kernel column, c:            one weight vector per filter block,
///         sums += weight * broadcast(input)                   multiplied with one input per output
///       relu, pooling and the like on the sums, then one store

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Where output `s` of a window reads, along each axis (outermost first).
template <class Window>
std::vector<Expr> window_position(const Window& window, const std::vector<Expr>& s,
                                  const std::vector<Expr>& taps) {
  std::vector<Expr> position;
  for (std::size_t axis = 0; axis < s.size(); ++axis) {
    const int a = static_cast<int>(axis);
    position.push_back(s[axis] * static_cast<int>(window.stride[a]) +
                       taps[axis] * static_cast<int>(window.dilation[a]) -
                       static_cast<int>(window.pad_begin[a]));
  }
  return position;
}

/// Input channel number `c` of the group that filter `k` belongs to, as a position in x.
Point group_channel(const LowerContext& context, Value x, int64_t groups, int64_t filters,
                    const Expr& ki, const Expr& kb, int64_t filter_block, const Expr& c) {
  const int group_filters = static_cast<int>(filters / groups);
  const int group_channels = static_cast<int>(context.shape(x)[1] / groups);
  const int block = static_cast<int>(context.layout(x).block);
  Expr group;
  if (group_filters % filter_block == 0) {
    group = kb / static_cast<int>(group_filters / filter_block);  // one group for the whole vector
  } else {
    group = min(kb * static_cast<int>(filter_block) + ki, static_cast<int>(filters) - 1) /
            group_filters;
  }
  const Expr channel = group * group_channels + c;
  return {channel % block, channel / block, {}, Expr(), block};
}

/// The input with the zeros that its stored halo lacks. Where the halo is stored this is the buffer
/// itself; otherwise a task copies what it needs of it into scratch memory, so that the zeros never
/// leave the cache.
class PaddedInput {
 public:
  template <class Window>
  PaddedInput(LowerContext& context, Value x, const Window& window) : image_(context.image(x)) {
    const Layout& layout = context.layout(x);
    const int rank = layout.spatial_rank();
    bool stored = true;
    for (int axis = 0; axis < rank; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      stored = stored && layout.before[a] >= window.pad_begin[axis] &&
               layout.after[a] >= window.pad_end[axis];
    }
    if (stored) return;
    PointVars v = LowerContext::vars(rank);
    Point p = v.point(layout.block);
    Expr inside = Internal::const_true();
    for (int axis = 0; axis < rank; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      const int extent = static_cast<int>(layout.shape.spatial(axis));
      inside = inside && p.s[a] >= 0 && p.s[a] < extent;
      p.s[a] = clamp(p.s[a], 0, extent - 1);
    }
    copy_ = Func("padded");
    copy_(v.arguments()) = select(inside, image_(p.arguments()), 0.0f);
    context.set_padded_input(copy_);
  }

  Expr operator()(const Point& p) const {
    return copy_.defined() ? Expr(copy_(p.arguments())) : image_(p.arguments());
  }

 private:
  ImageParam image_;
  Func copy_;
};

/// Makes the copy of a padded input at the begin of each task, which computes `outputs` positions
/// along each axis.
template <class Window>
void schedule_padded_input(LowerContext& context, const LoopLevel& task, const Window& window,
                           const Shape& weight, const std::vector<int64_t>& outputs) {
  Func& copy = context.padded_input();
  if (!copy.defined()) return;
  const Layout& layout = context.layout(context.spec().anchor().inputs[0]);
  const std::vector<Var> args = copy.args();
  copy.compute_at(task);
  vectorise_channels(copy, args[0], layout.block, context.vector_width());
  // Scratch memory has a fixed size: what a task reads, though it may leave out rows of padding.
  copy.bound(args[0], 0, static_cast<int>(layout.block));
  copy.bound(args[args.size() - 2], 0, static_cast<int>(layout.blocks()));
  for (int axis = 0; axis < layout.spatial_rank(); ++axis) {
    const int64_t extent = (outputs[static_cast<std::size_t>(axis)] - 1) * window.stride[axis] +
                           (weight.spatial(axis) - 1) * window.dilation[axis] + 1;
    copy.bound_extent(args[static_cast<std::size_t>(layout.spatial_rank() - axis)],
                      static_cast<int>(extent));
  }
}

/// How many outputs of the convolution a task needs along each axis for its outputs of the region.
std::vector<int64_t> conv_outputs_per_task(const LowerContext& context) {
  const Layout out = context.output_layout();
  std::vector<int64_t> outputs;
  for (int axis = 0; axis < out.spatial_rank(); ++axis) {
    const bool rows = axis == out.spatial_rank() - 2;
    outputs.push_back(rows ? context.choice().rows_per_task : out.shape.spatial(axis));
  }
  for (int32_t id : context.spec().region->nodes) {
    const auto grow = [&](const auto& pool) {
      for (std::size_t a = 0; a < outputs.size(); ++a) {
        const int axis = static_cast<int>(a);
        outputs[a] = (outputs[a] - 1) * pool.stride[axis] + pool.kernel[axis];
      }
    };
    const Op& op = context.graph().node(id).op;
    if (const auto* pool = std::get_if<ops::MaxPool>(&op)) grow(*pool);
    if (const auto* pool = std::get_if<ops::AveragePool>(&op)) grow(*pool);
  }
  return outputs;
}

Halide::Region reduction_ranges(const WeightLayout& weight) {
  Halide::Region ranges = {{0, static_cast<int>(weight.sample.block)}};
  for (int axis = weight.sample.spatial_rank() - 1; axis >= 0; --axis) {
    ranges.push_back({0, static_cast<int>(weight.sample.shape.spatial(axis))});
  }
  ranges.push_back({0, static_cast<int>(weight.sample.blocks())});
  return ranges;
}

/// Rows of zeros add nothing: leaves them out where one row of outputs is computed at a time. The
/// gradient towards the input of a 5x5 convolution would otherwise spend a third of its time on
/// them.
void skip_padding_rows(const ops::Conv& conv, const LowerContext& context, Value x, const Point& q,
                       RDom& r) {
  const int rows_axis = context.shape(x).spatial_rank() - 2;
  if (rows_axis < 0 || (conv.pad_begin[rows_axis] == 0 && conv.pad_end[rows_axis] == 0)) return;
  if (context.shape(context.spec().region->outputs[0]) !=
      context.shape({context.spec().region->nodes[0], 0}))
    return;
  const Expr row = q.s[static_cast<std::size_t>(rows_axis)];
  r.where(row >= 0 && row < static_cast<int>(context.shape(x).spatial(rows_axis)));
}

}  // namespace

void lower(const ops::Conv& conv, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const WeightLayout& weight = context.weight_layout(node.inputs[1]);
  const int rank = context.shape(x).spatial_rank();
  PointVars v = LowerContext::vars(rank);
  const Point p = v.point(weight.filter_block);

  Func sum("sum");
  if (node.inputs.size() > 2) {
    sum(v.arguments()) = context.image(node.inputs[2])(v.ci, 0, 0, v.cb);
  } else {
    sum(v.arguments()) = 0.0f;
  }
  // r: channel in block, kernel column, row, ..., channel block
  RDom r(reduction_ranges(weight), "r");
  std::vector<Expr> taps;
  for (int axis = rank - 1; axis >= 0; --axis) taps.push_back(r[1 + axis]);
  Point q{r[0], r[rank + 1], {}, v.n, weight.sample.block};
  if (conv.groups > 1) {
    q = group_channel(context, x, conv.groups, conv.filters, v.ci, v.cb, weight.filter_block, r[0]);
    q.n = v.n;
  }
  q.s = window_position(conv, p.s, taps);
  skip_padding_rows(conv, context, x, q, r);
  std::vector<Expr> w = {v.ci, r[0]};
  w.insert(w.end(), taps.rbegin(), taps.rend());
  w.push_back(r[rank + 1]);
  w.push_back(v.cb);
  sum(v.arguments()) += context.image(node.inputs[1])(w) * PaddedInput(context, x, conv)(q);

  context.define({id, 0}, sum);
  context.set_accumulator(sum);
}

void schedule(const ops::Conv& conv, LowerContext& context) {
  const Choice& choice = context.choice();
  Func& out = context.output();
  PointVars v = context.output_vars();
  const int rank = static_cast<int>(v.s.size());
  Var xo("xo"), xi("xi"), ko("ko"), ki("ki"), yo("yo"), yi("yi");

  out.split(v.x(), xo, xi, static_cast<int>(choice.tile_x), TailStrategy::ShiftInwards)
      .split(v.cb, ko, ki, static_cast<int>(choice.tile_k));
  std::vector<VarOrRVar> order = {v.ci, xi, ki, xo};
  std::vector<Var> tasks = {ko, v.n};
  if (rank > 1) {
    const Var y = v.s[static_cast<std::size_t>(rank - 2)];
    const int64_t rows = context.output_layout().shape.spatial(rank - 2);
    if (choice.rows_per_task < rows) {
      out.split(y, yo, yi, static_cast<int>(choice.rows_per_task), TailStrategy::ShiftInwards);
      order.push_back(yi);
      tasks = {yo, ko, v.n};
    } else {
      order.push_back(y);
    }
    if (rank > 2) order.push_back(v.s[0]);
  }
  order.insert(order.end(), tasks.begin(), tasks.end());
  out.reorder(order).vectorize(v.ci).unroll(xi).unroll(ki);
  const Var task = parallelise(out, tasks);
  schedule_padded_input(context, LoopLevel(out, task), conv,
                        context.shape(context.spec().anchor().inputs[1]),
                        conv_outputs_per_task(context));

  Func& sum = context.accumulator();
  PointVars sv = LowerContext::vars(rank);
  std::vector<VarOrRVar> sum_order = {sv.ci};
  for (int axis = rank - 1; axis >= 0; --axis)
    sum_order.push_back(sv.s[static_cast<std::size_t>(axis)]);
  sum_order.push_back(sv.cb);
  sum.compute_at(out, xo).vectorize(sv.ci).unroll(sv.cb);
  const RVar c = sum.rvars()[0];
  Stage update = sum.update();
  std::vector<VarOrRVar> update_order = sum_order;
  for (const RVar& rv : sum.rvars()) update_order.push_back(rv);
  update.reorder(update_order).vectorize(sv.ci).unroll(sv.cb);
  for (const Var& s : sv.s) {
    sum.unroll(s);
    update.unroll(s);
  }
  if (choice.unroll_c > 1) update.unroll(c, static_cast<int>(choice.unroll_c));
}

void lower(const ops::ConvWeightGrad& grad, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const Value dy = node.inputs[1];
  const WeightLayout& weight = context.weight_layout({id, 0});
  const Shape& dy_shape = context.shape(dy);
  const int rank = dy_shape.spatial_rank();
  const int chunks = static_cast<int>(context.choice().chunks);

  Var ki("ki"), c("c"), cb("cb"), kb("kb"), n("n"), chunk("chunk");
  std::vector<Var> taps;  // outermost first
  static const char* const kTaps[] = {"tx", "ty", "tz"};
  for (int axis = rank - 1; axis >= 0; --axis) taps.emplace_back(kTaps[axis]);
  std::vector<Var> args = {ki, c};
  args.insert(args.end(), taps.rbegin(), taps.rend());
  args.push_back(cb);
  args.push_back(kb);
  const auto with = [&](const Expr& last) {
    std::vector<Expr> list(args.begin(), args.end());
    list.push_back(last);
    return list;
  };
  std::vector<Var> image_args = args;
  image_args.push_back(n);
  std::vector<Var> chunk_args = args;
  chunk_args.push_back(chunk);

  // One image's share, summed in registers.
  Halide::Region ranges;
  for (int axis = rank - 1; axis >= 0; --axis)
    ranges.push_back({0, static_cast<int>(dy_shape.spatial(axis))});
  RDom r(ranges, "r");
  std::vector<Expr> position;
  for (int axis = rank - 1; axis >= 0; --axis) position.push_back(r[axis]);
  Point p{ki, kb, position, n, weight.filter_block};
  Point q{c, cb, {}, n, weight.sample.block};
  if (grad.groups > 1) {
    q = group_channel(context, x, grad.groups, weight.filters, ki, kb, weight.filter_block, c);
    q.n = n;
  }
  q.s = window_position(grad, position, std::vector<Expr>(taps.begin(), taps.end()));
  Func share("share");
  share(image_args) = 0.0f;
  share(image_args) += context.load(dy, p) * PaddedInput(context, x, grad)(q);

  // A chunk's images in order, then the chunks in order: the same bits however many threads there
  // are.
  const Expr per_chunk = (context.batch() + chunks - 1) / chunks;
  RDom images({{0, per_chunk}}, "images");
  const Expr image = chunk * per_chunk + images.x;
  images.where(image < context.batch());
  Func part("part");
  part(chunk_args) = 0.0f;
  part(chunk_args) += share(with(image));

  Func out("out");
  Expr total = part(with(0));
  for (int i = 1; i < chunks; ++i) total += part(with(i));
  out(args) = total;
  context.set_accumulator(share);
  context.define({id, 0}, part);
  context.set_output(out);
}

void schedule(const ops::ConvWeightGrad& grad, LowerContext& context) {
  const Choice& choice = context.choice();
  const int32_t id = context.spec().region->nodes.front();
  const WeightLayout& weight = context.weight_layout({id, 0});
  const int rank = weight.sample.spatial_rank();
  Func& out = context.output();
  Func part = context.func({id, 0});
  Func& share = context.accumulator();
  const std::vector<Var> a = out.args();  // ki, c, taps..., cb, kb
  const Var ki = a[0], c = a[1], tx = a[2];
  const Var cb = a[static_cast<std::size_t>(rank) + 2], kb = a[static_cast<std::size_t>(rank) + 3];
  const Var chunk = part.args().back();
  Var co("co"), ci("ci"), to("to"), ti("ti");

  out.vectorize(ki);
  if (weight.filter_blocks() > 1) out.parallel(kb);

  part.compute_root().vectorize(ki);
  parallelise(part, {kb, chunk});
  Stage add = part.update();
  add.split(c, co, ci, static_cast<int>(choice.tile_c))
      .split(tx, to, ti, static_cast<int>(choice.tile_s), TailStrategy::GuardWithIf);
  std::vector<VarOrRVar> order = {ki, ci, ti, co, to};
  for (int axis = 1; axis < rank; ++axis) order.push_back(a[static_cast<std::size_t>(axis) + 2]);
  order.push_back(cb);
  order.push_back(part.rvars()[0]);
  order.push_back(kb);
  order.push_back(chunk);
  Var task("task");
  add.reorder(order).vectorize(ki).unroll(ci).unroll(ti).fuse(kb, chunk, task).parallel(task);

  const Shape& dy = context.shape(context.spec().anchor().inputs[1]);
  schedule_padded_input(context, LoopLevel(part, part.rvars()[0]), grad, grad.weight,
                        std::vector<int64_t>(dy.extents.begin() + 2, dy.extents.begin() + dy.rank));

  share.compute_at(part, co).vectorize(ki).unroll(c).unroll(tx);
  Stage sum = share.update();
  std::vector<VarOrRVar> sum_order = {ki, c, tx};
  for (const RVar& rv : share.rvars()) sum_order.push_back(rv);
  sum.reorder(sum_order).vectorize(ki).unroll(c).unroll(tx);
}

void lower(const ops::FlipFilter& flip, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const WeightLayout& from = context.weight_layout(node.inputs[0]);
  const WeightLayout& to = context.weight_layout({id, 0});
  const int rank = to.sample.spatial_rank();
  Var ki("ki"), ci("ci"), cb("cb"), kb("kb");
  PointVars v = LowerContext::vars(rank);

  // Filter `k` of the result is channel k of the forward input; its channel `c` is a forward filter
  // of the group.
  const Expr k = kb * static_cast<int>(to.filter_block) + ki;
  const Expr c = cb * static_cast<int>(to.sample.block) + ci;
  const int group_channels = static_cast<int>(from.sample.channels());
  const int group_filters = static_cast<int>(from.filters / flip.groups);
  std::vector<Expr> taps;
  for (int axis = 0; axis < rank; ++axis) {
    taps.push_back(static_cast<int>(to.sample.shape.spatial(axis)) - 1 -
                   v.s[static_cast<std::size_t>(axis)]);
  }
  const Expr value = context.weight_at(node.inputs[0], (k / group_channels) * group_filters + c,
                                       k % group_channels, taps);
  const Expr inside = k < static_cast<int>(to.filters) && c < group_filters;
  std::vector<Var> args = {ki, ci};
  for (int axis = rank - 1; axis >= 0; --axis) args.push_back(v.s[static_cast<std::size_t>(axis)]);
  args.push_back(cb);
  args.push_back(kb);
  Func out("out");
  out(args) = select(inside, value, 0.0f);
  context.set_output(out);
}

void schedule(const ops::FlipFilter&, LowerContext& context) {
  Func& out = context.output();
  const int32_t id = context.spec().region->nodes.front();
  out.vectorize(out.args()[0]);
  if (context.weight_layout({id, 0}).elements() > 32 * 1024) out.parallel(out.args().back());
}

void lower(const ops::Dilate& dilate, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& from = context.shape(x);
  PointVars v = LowerContext::vars(from.spatial_rank());
  Point p = v.point(context.block());
  Expr inside = Internal::const_true();
  for (int axis = 0; axis < from.spatial_rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const int stride = static_cast<int>(dilate.stride[axis]);
    const int extent = static_cast<int>(from.spatial(axis));
    inside = inside && p.s[a] % stride == 0 && p.s[a] / stride < extent;
    p.s[a] = clamp(p.s[a] / stride, 0, extent - 1);
  }
  Func y("dilated");
  y(v.arguments()) = select(inside, context.load(x, p), 0.0f);
  context.define({id, 0}, y);
}

}  // namespace halcyon::compiler
