/// Winograd's convolution (compiler/ops/winograd.h), cut into chunks of tiles that stay in the
/// cache.
///
///   for each chunk of tile rows:
///     for each channel block and tile:            input transform, in registers
///     for each tile of filter blocks:
///       for each frequency:                       products in register tiles, as conv.cpp has them
///         sums[tile][filter] += filters[frequency] * transformed input[frequency]
///       for each tile:                            output transform, bias and what follows: a pool
///                                                 too, if the tile holds whole windows
///
/// The transformed filters of all frequencies are read once for each chunk, so a chunk has tiles
/// enough to pay for that. Either chunks are the parallel tasks, or, where a map is one chunk or
/// few, the tiles of filter blocks are, which then share the transformed input.

#include "compiler/ops/winograd.h"

#include <array>

#include "compiler/kernels/conv_window.h"
#include "compiler/kernels/kernels.h"
#include "compiler/passes/fusion_rules.h"
#include "compiler/schedules/register_tile.h"
#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

Expr combination(const std::vector<double>& factors, const std::vector<Expr>& values) {
  Expr sum;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] == 0) continue;
    Expr term = values[i];
    if (factors[i] == -1 && !sum.defined()) term = -term;
    if (factors[i] != 1 && factors[i] != -1) term = term * static_cast<float>(std::abs(factors[i]));
    if (factors[i] < 0 && factors[i] != -1 && !sum.defined()) term = -term;
    sum = !sum.defined() ? term : factors[i] < 0 ? sum - term : sum + term;
  }
  return sum;
}

/// One combination of `values` for each row, picked by `row`.
Expr transformed(const WinogradTransforms::Matrix& rows, const Expr& row,
                 const std::vector<Expr>& values) {
  std::vector<Expr> list;
  for (const std::vector<double>& factors : rows) list.push_back(combination(factors, values));
  return mux(row, list);
}

/// The sizes of one kernel.
struct Tiles {
  int tile, patch;    ///< outputs and inputs of a tile, along each axis
  int rows, columns;  ///< tiles of the map
  int chunk_rows;     ///< tile rows of a chunk
  int chunks;
  bool split_filters;  ///< the parallel tasks are tiles of filter blocks

  Tiles(const ops::WinogradConv& conv, const LowerContext& context) {
    const auto [tile_rows, tile_columns] = winograd_tiles(context.spec());
    tile = static_cast<int>(conv.tile);
    patch = static_cast<int>(conv.patch());
    rows = static_cast<int>(tile_rows);
    columns = static_cast<int>(tile_columns);
    chunk_rows = static_cast<int>(context.choice().rows_per_task);
    chunks = (rows + chunk_rows - 1) / chunk_rows;
    split_filters = context.choice().filter_tasks != 0;
  }
  int chunk_tiles() const { return chunk_rows * columns; }
  /// Tile rows of all chunks: the last chunk's may lie beyond the map.
  int all_rows() const { return chunks * chunk_rows; }
  /// The last row of the input that a tile of the map reads.
  int last_row(const ops::WinogradConv& conv) const {
    return (rows - 1) * tile + patch - 1 - static_cast<int>(conv.pad_begin[0]);
  }
};

ConvWindow window_of_tiles(const ops::WinogradConv& conv, const Shape& x, const Shape& y) {
  ConvWindow window{.stride = 1, .dilation = 1, .pad_begin = conv.pad_begin, .pad_end = 0};
  for (int axis = 0; axis < 2; ++axis) {
    window.pad_end[axis] =
        std::max<int64_t>(0, conv.reach_end(axis, x.spatial(axis), y.spatial(axis)));
  }
  return window;
}

/// The stages of the pipeline, which lower() hands to schedule().
constexpr const char* kInputRows = "input_rows";
constexpr const char* kInput = "transformed";
constexpr const char* kProducts = "products";
constexpr const char* kOutputRows = "output_rows";
constexpr const char* kOutput = "winograd";

/// What the region leaves of a tile: of its rows, and of its columns.
std::array<int, 2> left_of_tile(int tile, const LowerContext& context) {
  const int32_t id = pool_behind(context.graph(), *context.spec().region);
  if (id < 0) return {tile, tile};
  const dsl::Spatial& stride = pool_window(context.graph().node(id).op)->stride;
  return {tile / static_cast<int>(stride[0]), tile / static_cast<int>(stride[1])};
}

}  // namespace

void lower(const ops::WinogradConv& conv, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value x = node.inputs[0];
  const Shape &x_shape = context.shape(x), &y_shape = context.shape({id, 0});
  const WeightLayout& weight = context.weight_layout(node.inputs[1]);
  const WinogradTransforms transforms = winograd_transforms(conv.tile, conv.kernel);
  const Tiles tiles(conv, context);
  const int m = tiles.tile, patch = tiles.patch, columns = tiles.columns;
  const int block = static_cast<int>(weight.filter_block);
  const int filter_blocks = static_cast<int>(conv.filled_filters()) / block;
  const PaddedInput input(context, x, window_of_tiles(conv, x_shape, y_shape));

  // t: number of a tile, row by row; (i, j): row and column of a frequency.
  Var ci("ci"), ki("ki"), t("t"), j("j"), i("i"), cb("cb"), kb("kb"), n("n");
  Func rows(kInputRows), in(kInput), sum("sum"), products(kProducts), out_rows(kOutputRows);
  std::vector<Expr> values;
  for (int q = 0; q < patch; ++q) {
    Expr row = t / columns * m + q - static_cast<int>(conv.pad_begin[0]);
    if (tiles.split_filters) row = min(row, tiles.last_row(conv));
    const Expr column = t % columns * m + j - static_cast<int>(conv.pad_begin[1]);
    values.push_back(input(Point{ci, cb, {row, column}, n, weight.sample.block}));
  }
  rows(ci, j, i, t, cb, n) = transformed(transforms.input, i, values);
  values.clear();
  for (int q = 0; q < patch; ++q) values.push_back(rows(ci, q, i, t, cb, n));
  in(ci, t, cb, j, i, n) = transformed(transforms.input, j, values);

  RDom r(0, static_cast<int>(weight.sample.block), 0, static_cast<int>(weight.sample.blocks()),
         "r");
  Expr channel_block = r.y;
  if (conv.groups > 1) {
    const Expr group = kb / static_cast<int>(conv.filters / conv.groups / block);
    channel_block += group * static_cast<int>(weight.sample.blocks());
  }
  // Halide does not see that chunks end where the transformed input does.
  const Expr transformed_tile =
      tiles.split_filters ? unsafe_promise_clamped(t, 0, tiles.all_rows() * tiles.columns - 1)
                          : Expr(t);
  sum(ki, t, kb, j, i, n) = 0.0f;
  sum(ki, t, kb, j, i, n) +=
      context.image(node.inputs[1])(ki, r.x, 0, 0, r.y, (j + i * patch) * filter_blocks + kb) *
      in(r.x, transformed_tile, channel_block, j, i, n);
  products(ki, t, kb, j, i, n) = sum(ki, t, kb, j, i, n);

  values.clear();
  for (int q = 0; q < patch; ++q) values.push_back(products(ki, t, kb, j, q, n));
  out_rows(ki, j, i, t, kb, n) = transformed(transforms.output, i, values);
  PointVars v = LowerContext::vars(2);
  const Var &px = v.s[1], &py = v.s[0];
  values.clear();
  for (int q = 0; q < patch; ++q) {
    values.push_back(out_rows(v.ci, q, py % m, py / m * columns + px / m, v.cb, v.n));
  }
  Expr y = transformed(transforms.output, px % m, values);
  if (node.inputs.size() > 2) y += context.image(node.inputs[2])(v.ci, 0, 0, v.cb);
  Func result(kOutput);
  result(v.arguments()) = y;
  context.define({id, 0}, result);
  context.add_stage(kOutput, result);
  context.set_accumulator(sum);
  context.add_stage(kInputRows, rows);
  context.add_stage(kInput, in);
  context.add_stage(kProducts, products);
  context.add_stage(kOutputRows, out_rows);
}

void schedule(const ops::WinogradConv& conv, LowerContext& context) {
  const Choice& choice = context.choice();
  const Tiles tiles(conv, context);
  const int m = tiles.tile, patch = tiles.patch;
  const int tile_k = static_cast<int>(choice.tile_k);
  Func& out = context.output();
  PointVars v = context.output_vars();
  const Var &x = v.s[1], &y = v.s[0];
  Var yo("yo"), yi("yi"), yt("yt"), ym("ym"), xo("xo"), xm("xm"), ko("ko"), ki("ki");

  const auto [left_y, left_x] = left_of_tile(m, context);
  out.split(y, yo, yi, left_y * tiles.chunk_rows, TailStrategy::GuardWithIf)
      .split(yi, yt, ym, left_y)
      .split(x, xo, xm, left_x, TailStrategy::GuardWithIf)
      .split(v.cb, ko, ki, tile_k, TailStrategy::GuardWithIf);
  Var task;
  LoopLevel shared;  // where the transformed input is made
  if (tiles.split_filters) {
    out.reorder(v.ci, xm, ym, xo, yt, ki, yo, ko, v.n);
    Var tasks("tasks");
    out.fuse(yo, ko, tasks).parallel(tasks);
    task = tasks;
    shared = LoopLevel(out, v.n);
  } else {
    out.reorder(v.ci, xm, ym, xo, yt, ki, ko, yo, v.n);
    task = parallelise(out, {yo, v.n});
    shared = LoopLevel(out, task);
  }
  out.vectorize(v.ci).unroll(xm).unroll(ym);
  const int kept_rows = tiles.split_filters ? tiles.all_rows() : tiles.chunk_rows;

  Func in = context.stage(kInput), rows = context.stage(kInputRows);
  const std::vector<Var> a = in.args();  // ci, t, cb, j, i, n
  const Layout& x_layout = context.layout(context.spec().anchor().inputs[0]);
  const int channel_blocks = static_cast<int>(x_layout.blocks());
  in.compute_at(shared)
      .reorder(a[0], a[3], a[4], a[1], a[2])
      .vectorize(a[0])
      .unroll(a[3])
      .unroll(a[4])
      .bound(a[0], 0, static_cast<int>(x_layout.block))
      .bound(a[2], 0, channel_blocks)
      .bound(a[3], 0, patch)
      .bound(a[4], 0, patch)
      .bound_storage(a[1], kept_rows * tiles.columns)
      .bound_storage(a[5], 1);
  if (tiles.split_filters) in.parallel(a[2]).bound(a[1], 0, tiles.all_rows() * tiles.columns);
  const std::vector<Var> ra = rows.args();  // ci, j, i, t, cb, n
  rows.compute_at(in, a[1]).vectorize(ra[0]).unroll(ra[1]).unroll(ra[2]).bound_extent(ra[1], patch);
  const Shape window = {1, 1, conv.kernel, conv.kernel};
  const Shape& y_shape = context.shape({context.spec().anchor_id(), 0});
  const ConvWindow reach = window_of_tiles(conv, x_layout.shape, y_shape);
  const int padded_rows = tiles.split_filters ? tiles.rows : tiles.chunk_rows;
  schedule_padded_input(context, shared, reach, window, {padded_rows * m, tiles.columns * m});

  Func products = context.stage(kProducts);
  Func& sum = context.accumulator();
  const std::vector<Var> p = products.args();  // ki, t, kb, j, i, n
  Var to("to"), ti("ti");
  products.compute_at(out, tiles.split_filters ? task : ko)
      .split(p[1], to, ti, static_cast<int>(choice.tile_x), TailStrategy::ShiftInwards)
      .reorder(p[0], ti, p[2], to, p[3], p[4])
      .vectorize(p[0])
      .unroll(ti)
      .unroll(p[2])
      .bound_extent(p[2], tile_k)
      .bound(p[3], 0, patch)
      .bound(p[4], 0, patch)
      .bound_storage(p[1], tiles.chunk_tiles())
      .bound_storage(p[5], 1);
  const std::vector<Var> s = sum.args();
  std::vector<VarOrRVar> order = {s[0], s[1], s[2]};
  if (!pixels_innermost(context.spec().target, choice.tile_x, choice.tile_k))
    std::swap(order[1], order[2]);
  const RVar c = sum.rvars()[0], cb = sum.rvars()[1];
  order.push_back(c);
  order.push_back(cb);
  sum.compute_at(products, to).vectorize(s[0]).unroll(s[1]).unroll(s[2]);
  sum.update().reorder(order).vectorize(s[0]).unroll(s[1]).unroll(s[2]);
  if (choice.unroll_c > 1) sum.update().unroll(c, static_cast<int>(choice.unroll_c));

  if (pool_behind(context.graph(), *context.spec().region) >= 0) {
    Func map = context.stage(kOutput);
    const std::vector<Var> w = map.args();  // ci, x, y, cb, n
    map.compute_at(out, xo).vectorize(w[0]).unroll(w[1]).unroll(w[2]);
    map.bound_extent(w[1], m).bound_extent(w[2], m).bound_storage(w[3], 1).bound_storage(w[4], 1);
  }

  Func out_rows = context.stage(kOutputRows);
  const std::vector<Var> o = out_rows.args();  // ki, j, i, t, kb, n
  out_rows.compute_at(out, xo)
      .vectorize(o[0])
      .unroll(o[1])
      .unroll(o[2])
      .bound_extent(o[1], patch)
      .bound_extent(o[2], m)
      .bound_storage(o[3], 1)
      .bound_storage(o[4], 1);
}

void lower(const ops::WinogradFilters& op, LowerContext& context, int32_t id) {
  const Value w = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(w);
  const int kernel = static_cast<int>(shape[2]);
  const int patch = static_cast<int>(op.tile) + kernel - 1;
  const WinogradTransforms::Matrix g = winograd_transforms(op.tile, kernel).filter;
  Buffer<float> factors(kernel, patch);
  for (int row = 0; row < patch; ++row) {
    for (int tap = 0; tap < kernel; ++tap) {
      factors(tap, row) =
          static_cast<float>(g[static_cast<std::size_t>(row)][static_cast<std::size_t>(tap)]);
    }
  }
  const WeightLayout& weight = context.weight_layout(w);
  Var ki("ki"), ci("ci"), one("one"), also("also"), cb("cb"), kb("kb");
  const int blocks = static_cast<int>(weight.filter_blocks());
  const Expr frequency = kb / blocks;
  RDom r(0, kernel, 0, kernel, "r");
  Func sum("sum"), out("out");
  sum(ki, ci, cb, kb) = 0.0f;
  sum(ki, ci, cb, kb) += factors(r.x, frequency % patch) * factors(r.y, frequency / patch) *
                         context.image(w)(ki, ci, r.x, r.y, cb, kb % blocks);
  out(ki, ci, one, also, cb, kb) = sum(ki, ci, cb, kb);
  context.set_accumulator(sum);
  context.set_output(out);
}

void schedule(const ops::WinogradFilters&, LowerContext& context) {
  Func& out = context.output();
  Func& sum = context.accumulator();
  const std::vector<Var> a = out.args(), s = sum.args();
  out.vectorize(a[0]).parallel(a[5]);
  sum.compute_at(out, a[1]).vectorize(s[0]).update().vectorize(s[0]);
}

}  // namespace halcyon::compiler
