#include "compiler/lower/default_choice.h"

#include <algorithm>
#include <numeric>

#include "compiler/lower/kernel_spec.h"
#include "compiler/passes/fusion_cost.h"
#include "compiler/passes/fusion_rules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// The largest tile of at most `most` that leaves the fewest outputs to be computed twice.
int64_t best_tile(int64_t extent, int64_t most) {
  most = std::clamp<int64_t>(most, 1, extent);
  int64_t best = most;
  for (int64_t tile = most; tile > most / 2; --tile) {
    const auto computed = [&](int64_t t) { return (extent + t - 1) / t * t; };
    if (computed(tile) < computed(best)) best = tile;
  }
  return best;
}

/// What the tiles of a convolution's kernel compute.
struct TiledMap {
  Shape shape;                     ///< of what a tile leaves behind
  Spatial kernel = 1, stride = 1;  ///< outputs of the convolution that each position of it needs
};

/// A pool whose windows lie apart is part of the tiles; others read rows of the map.
TiledMap tiled_map(const KernelSpec& spec) {
  const Graph& graph = spec.program->graph;
  const int32_t id = pool_behind(graph, *spec.region);
  if (id < 0 || pool_of_rows(graph, *spec.region) >= 0)
    return {.shape = graph.shape({spec.anchor_id(), 0})};
  const ops::PoolWindow& pool = *pool_window(graph.node(id).op);
  return {.shape = graph.shape({id, 0}), .kernel = pool.kernel, .stride = pool.stride};
}

/// The largest tile of at most `most` that divides `extent` and is a multiple of `step`; 0 if none.
int64_t dividing_tile(int64_t extent, int64_t most, int64_t step) {
  int64_t best = 0;
  for (int64_t tile = step; tile <= std::min(most, extent); tile += step) {
    if (extent % tile == 0) best = tile;
  }
  return best;
}

/// Two channel blocks let each broadcast input feed two multiply-adds; one block takes its inputs
/// straight from memory.
int64_t blocks_per_tile(const WeightLayout& weight) {
  return weight.filter_blocks() % 2 == 0 ? 2 : 1;
}

/// 14 sums of 32 registers are measured best for two blocks (28 lose the broadcasts), and a single
/// block may fill the registers up to the weight it multiplies with.
int64_t sums_in_registers(const KernelSpec& spec, int64_t blocks) {
  return spec.target.vector_registers * (blocks == 2 ? 14 : 28) / 32;
}

/// Lets the outputs of a convolution share vectors that its filters do not fill: as many as fit,
/// where a window wide enough for all has fewer columns than theirs have together. Where in its
/// vector an output lies must be known for each place in the tile.
void share_vectors(const KernelSpec& spec, int64_t sums, int64_t window, Choice& choice) {
  const auto& conv = std::get<ops::Conv>(spec.anchor().op);
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  const Graph& graph = spec.program->graph;
  const Shape& conv_output = graph.shape({spec.anchor_id(), 0});
  const TiledMap map = tiled_map(spec);
  const int last = map.shape.spatial_rank() - 1;
  const int64_t columns = weight.sample.shape.spatial(last);
  const int64_t pixels = spec.target.vector_width / weight.filter_block;
  const bool saves = columns + (pixels - 1) * conv.stride[last] < pixels * columns;
  const bool plain = conv.groups == 1 && conv.dilation[last] == 1 && weight.filter_blocks() == 1;
  if (!saves || !plain || conv_output.spatial(last) % pixels != 0) return;
  const int64_t step = pixels / std::gcd(pixels, map.stride[last]);
  const int64_t tile = dividing_tile(map.shape.spatial(last), sums * pixels / window, step);
  if (tile == 0) return;
  choice.pixels = pixels;
  choice.tile_x = tile;
}

/// Rows that the region itself computes for its convolution.
void choose_own_rows(const KernelSpec& spec, Choice& choice) {
  const Graph& graph = spec.program->graph;
  const Node& lead = graph.node(spec.region->nodes.front());
  choice.rows_per_task = cost_of_rows(graph, lead, spec.anchor(), spec.target).rows_per_task;
  if (!std::holds_alternative<ops::Conv>(lead.op)) return;
  const WeightLayout& weight = spec.program->weights.at(lead.inputs[1]);
  const Shape& map = lead.outputs[0];
  choice.lead_tile_k = blocks_per_tile(weight);
  choice.lead_tile_x = best_tile(map.spatial(map.spatial_rank() - 1),
                                 sums_in_registers(spec, choice.lead_tile_k) / choice.lead_tile_k);
}

Choice conv_choice(const KernelSpec& spec) {
  const Graph& graph = spec.program->graph;
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  const TiledMap map = tiled_map(spec);
  const Shape& y = map.shape;
  const int last = y.spatial_rank() - 1;
  int64_t window = 1;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) window *= map.kernel[axis];

  Choice choice;
  choice.tile_k = blocks_per_tile(weight);
  const int64_t sums = sums_in_registers(spec, choice.tile_k);
  choice.pixels = 1;
  choice.tile_x = best_tile(y.spatial(last), std::max<int64_t>(1, sums / (choice.tile_k * window)));
  share_vectors(spec, sums, window, choice);
  choice.unroll_c = weight.sample.block % 4 == 0 ? 4
                    : weight.sample.block <= 4   ? weight.sample.block
                                                 : 1;
  const int64_t rows = y.spatial_rank() > 1 ? y.spatial(last - 1) : 1;
  const int64_t macs_per_row = std::max<int64_t>(1, spec.macs() / rows);
  choice.rows_per_task = std::clamp<int64_t>(kMacsPerTask / macs_per_row, 1, rows);
  const int32_t pool = pool_of_rows(graph, *spec.region);
  if (pool >= 0) {
    choice.rows_per_task =
        cost_of_pool(graph, spec.anchor(), graph.node(pool), spec.target).rows_per_task;
  }
  if (reads_own_rows(graph, *spec.region)) choose_own_rows(spec, choice);
  return choice;
}

Choice dense_choice(const KernelSpec& spec) {
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  Choice choice;
  choice.tile_k = weight.filter_blocks() % 2 == 0 ? 2 : 1;
  choice.tile_n = choice.tile_k == 2 ? 8 : 12;
  return choice;
}

Choice conv_weight_grad_choice(const KernelSpec& spec) {
  const WeightLayout& weight = spec.program->weights.at(spec.region->outputs[0]);
  const int columns_axis = weight.sample.spatial_rank() - 1;
  const int64_t columns = weight.sample.shape.spatial(columns_axis);
  Choice choice;
  // One output gradient is loaded and multiplied with tile_c * tile_s inputs that come from memory.
  constexpr int64_t kSums = 24;
  choice.tile_s = std::min<int64_t>(columns, kSums);
  choice.tile_c = best_tile(weight.sample.block, std::max<int64_t>(1, kSums / choice.tile_s));
  while (weight.sample.block % choice.tile_c != 0) --choice.tile_c;
  // Small weights: let tasks split the batch; large ones have tasks enough by themselves.
  choice.chunks = weight.elements() <= 64 * 1024 ? 8 : 1;
  return choice;
}

Choice conv_pool_weight_grad_choice(const KernelSpec& spec) {
  const auto& grad = std::get<ops::ConvPoolWeightGrad>(spec.anchor().op);
  const int last = grad.weight.spatial_rank() - 1;
  const int64_t width = spec.target.vector_width;
  const int64_t columns = (grad.weight.spatial(last) - 1) * grad.dilation[last] + 1;
  int64_t sums = (columns * grad.weight[1] + width - 1) / width;  // of one filter
  for (int axis = 0; axis < last; ++axis) sums *= grad.weight.spatial(axis);
  Choice choice;
  // Eight sums hide the latency of a multiply-add; a divisor, so that no filter is done twice.
  choice.tile_k = dividing_tile(grad.weight[0], std::max<int64_t>(1, 20 / sums), 1);
  choice.chunks = 8;
  return choice;
}

Choice dense_weight_grad_choice(const KernelSpec& spec) {
  const WeightLayout& weight = spec.program->weights.at(spec.region->outputs[0]);
  Choice choice;
  choice.tile_k = weight.filter_blocks() % 2 == 0 ? 2 : 1;
  choice.tile_c = std::min<int64_t>(choice.tile_k == 2 ? 8 : 16, weight.sample.sample_elements());
  return choice;
}

}  // namespace

Choice default_choice(const KernelSpec& spec) {
  const Op& op = spec.anchor().op;
  if (std::holds_alternative<ops::Conv>(op)) return conv_choice(spec);
  if (std::holds_alternative<ops::Dense>(op)) return dense_choice(spec);
  if (std::holds_alternative<ops::ConvWeightGrad>(op)) return conv_weight_grad_choice(spec);
  if (std::holds_alternative<ops::ConvPoolWeightGrad>(op))
    return conv_pool_weight_grad_choice(spec);
  if (std::holds_alternative<ops::DenseWeightGrad>(op)) return dense_weight_grad_choice(spec);
  return {};
}

}  // namespace halcyon::compiler
