/// What the gradient of a convolution is made of: the sum over all windows that gives its weight's
/// gradient, and the filter and map with which an ordinary convolution gives its input's.

#include "compiler/kernels/conv_window.h"
#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

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
    q = group_channel(context, x, grad.groups, weight, ki, kb, c, cb);
    q.n = n;
  }
  q.s = window_position(window_of(grad), position, std::vector<Expr>(taps.begin(), taps.end()));
  Func share("share");
  share(image_args) = 0.0f;
  share(image_args) += context.load(dy, p) * PaddedInput(context, x, window_of(grad))(q);

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
  const Var &ki = a[0], &c = a[1], &tx = a[2];
  const Var &cb = a[static_cast<std::size_t>(rank) + 2],
            &kb = a[static_cast<std::size_t>(rank) + 3];
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
  schedule_padded_input(context, LoopLevel(part, part.rvars()[0]), window_of(grad), grad.weight,
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

}  // namespace halcyon::compiler
