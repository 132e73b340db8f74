/// Schedules of convolutions; compiler/kernels/conv.cpp says what the numbers mean.

#include <algorithm>
#include <numeric>

#include "compiler/passes/fusion_cost.h"
#include "compiler/passes/fusion_rules.h"
#include "compiler/schedules/register_tile.h"
#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// What the tiles of a convolution's kernel compute.
struct TiledMap {
  Shape shape;                     ///< of what a tile leaves behind
  Spatial kernel = 1, stride = 1;  ///< outputs of the convolution that each position of it needs

  int last() const { return shape.spatial_rank() - 1; }
  int64_t columns() const { return shape.spatial(last()); }
  /// Sums behind each position.
  int64_t window() const {
    int64_t product = 1;
    for (int axis = 0; axis < shape.spatial_rank(); ++axis) product *= kernel[axis];
    return product;
  }
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

TiledProduct product_of(const WeightLayout& weight, int64_t columns, int64_t window) {
  return {.pixels = columns,
          .blocks = weight.filter_blocks(),
          .window = window,
          .filter_bytes = weight.filter_block_stride() * size_bytes(DType::f32)};
}

/// Outputs that can share vectors which their filters do not fill: as many as fit, where a window
/// wide enough for all has fewer columns than theirs have together. 1 where none can.
int64_t outputs_per_vector(const KernelSpec& spec) {
  const auto& conv = std::get<ops::Conv>(spec.anchor().op);
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  const Shape& y = spec.program->graph.shape({spec.anchor_id(), 0});
  const int last = y.spatial_rank() - 1;
  const int64_t columns = weight.sample.shape.spatial(last);
  const int64_t pixels = spec.target.vector_width / weight.filter_block;
  const bool saves = columns + (pixels - 1) * conv.stride[last] < pixels * columns;
  const bool plain = conv.groups == 1 && conv.dilation[last] == 1 && weight.filter_blocks() == 1;
  return saves && plain && y.spatial(last) % pixels == 0 ? pixels : 1;
}

/// Tiles of outputs that share vectors: where in its vector an output lies must be known for each
/// place in the tile, so they divide the map.
std::vector<int64_t> shared_tiles(const TiledMap& map, int64_t pixels, int64_t most_sums) {
  const int64_t step = pixels / std::gcd(pixels, map.stride[map.last()]);
  std::vector<int64_t> tiles;
  for (int64_t most = step; most <= most_sums * pixels / map.window(); most += step) {
    const int64_t tile = dividing_tile(map.columns(), most, step);
    if (tile != 0 && (tiles.empty() || tiles.back() != tile)) tiles.push_back(tile);
  }
  return tiles;
}

/// Written-out steps of the innermost reduction loop, over the channels of a block.
std::vector<int64_t> unrolls(const WeightLayout& weight) {
  return divisors_among({1, 2, 3, 4, 8}, weight.sample.block);
}

int64_t standard_unroll(const WeightLayout& weight) {
  const int64_t block = weight.sample.block;
  return block % 4 == 0 ? 4 : block <= 4 ? block : 1;
}

/// Rows that the region itself computes for its convolution.
void add_own_rows(const KernelSpec& spec, Space& space) {
  const Graph& graph = spec.program->graph;
  const Node& lead = graph.node(spec.region->nodes.front());
  space.standard.rows_per_task =
      cost_of_rows(graph, lead, spec.anchor(), spec.target).rows_per_task;
  if (!std::holds_alternative<ops::Conv>(lead.op)) return;
  const WeightLayout& weight = spec.program->weights.at(lead.inputs[1]);
  const Shape& map = lead.outputs[0];
  const TiledProduct product = product_of(weight, map.spatial(map.spatial_rank() - 1), 1);
  const RegisterTile tile = best_register_tile(spec.target, product);
  space.standard.lead_tile_k = tile.blocks;
  space.standard.lead_tile_x = tile.pixels;
  space.parameters.push_back(
      {&Choice::lead_tile_k, numbers(1, std::min<int64_t>(product.blocks, 4))});
  space.parameters.push_back(
      {&Choice::lead_tile_x, numbers(1, std::min<int64_t>(product.pixels, 8))});
}

/// About as many multiply-adds as are worth a task.
int64_t standard_rows_per_task(const KernelSpec& spec, const Shape& y) {
  const int64_t rows = y.spatial_rank() > 1 ? y.spatial(y.spatial_rank() - 2) : 1;
  const int64_t macs_per_row = std::max<int64_t>(1, spec.macs() / rows);
  return std::clamp<int64_t>(kMacsPerTask / macs_per_row, 1, rows);
}

/// One filter for each channel: loads of inputs bound it, and the columns of a window, written out,
/// share those of neighbouring outputs.
Space depthwise_space(const KernelSpec& spec) {
  const TiledMap map = tiled_map(spec);
  const int64_t most = std::max<int64_t>(1, spec.target.vector_registers / (4 * map.window()));
  Space space;
  space.standard.pixels = 1;
  space.standard.tile_k = 1;
  space.standard.unroll_c = 1;
  space.standard.tile_x = best_tile(map.columns(), most);
  space.standard.rows_per_task = standard_rows_per_task(spec, map.shape);
  space.parameters = {{&Choice::tile_x, numbers(1, std::min(map.columns(), 2 * most))}};
  return space;
}

}  // namespace

int64_t merged_groups(const KernelSpec& spec) {
  // A vector that takes each lane's input from another place was measured at a twentieth of the
  // peak (ShuffleNet's groups of 20 filters, one thread of a Zen 3, November 2026).
  constexpr int64_t kMostMerged = 16;
  const auto& conv = std::get<ops::Conv>(spec.anchor().op);
  const Value x = spec.anchor().inputs[0];
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  const int64_t filters = weight.filters / conv.groups;
  const int64_t channels = spec.program->graph.shape(x)[1] / conv.groups;
  const int64_t block = natural_block(spec.program->graph.shape(x)[1], spec.target.vector_width);
  const auto layout = spec.program->layouts.find(x);
  const int64_t cut = layout != spec.program->layouts.end() ? layout->second.block : block;
  const bool depthwise = filters == 1 && channels == 1 && weight.filter_block == cut;
  if (filters % weight.filter_block == 0 || depthwise) return 1;
  for (int64_t merged = 2; merged <= std::min(conv.groups, kMostMerged); ++merged) {
    if (merged == conv.groups) return merged;
    if (conv.groups % merged == 0 && merged * filters % weight.filter_block == 0 &&
        merged * channels % cut == 0) {
      return merged;
    }
  }
  return 1;
}

Space conv_space(const KernelSpec& spec) {
  const auto& conv = std::get<ops::Conv>(spec.anchor().op);
  const Graph& graph = spec.program->graph;
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  const TiledMap map = tiled_map(spec);
  TiledProduct product = product_of(weight, map.columns(), map.window());
  if (conv.groups > 1) product.filter_bytes *= merged_groups(spec);
  const Target& target = spec.target;
  if (conv.groups > 1 && conv.groups == conv.filters && weight.sample.channels() == 1 &&
      pool_of_rows(graph, *spec.region) < 0) {
    return depthwise_space(spec);
  }

  Space space;
  const RegisterTile tile = best_register_tile(target, product);
  space.standard.pixels = 1;
  space.standard.tile_x = tile.pixels;
  space.standard.tile_k = tile.blocks;
  space.standard.unroll_c = standard_unroll(weight);
  space.standard.rows_per_task = standard_rows_per_task(spec, map.shape);
  space.parameters.push_back({&Choice::unroll_c, unrolls(weight)});

  const int64_t pixels = outputs_per_vector(spec);
  const std::vector<int64_t> shared =
      pixels > 1 ? shared_tiles(map, pixels, target.vector_registers - 4) : std::vector<int64_t>();
  if (!shared.empty()) {
    space.standard.pixels = pixels;
    space.standard.tile_x = shared.back();
    space.parameters.push_back({&Choice::tile_x, shared});
  } else {
    space.parameters.push_back({&Choice::tile_x, numbers(1, product.pixels)});
    space.parameters.push_back({&Choice::tile_k, numbers(1, product.blocks)});
  }

  const int32_t pool = pool_of_rows(graph, *spec.region);
  if (pool >= 0) {
    space.standard.rows_per_task =
        cost_of_pool(graph, spec.anchor(), graph.node(pool), target).rows_per_task;
  }
  if (reads_own_rows(graph, *spec.region)) add_own_rows(spec, space);
  const int64_t rows = map.shape.spatial_rank() > 1 ? map.shape.spatial(map.last() - 1) : 1;
  space.parameters.push_back({&Choice::rows_per_task, powers_of_two(rows)});

  // Other tiles are right, too, but keep no sums in registers; far larger ones compile for minutes.
  space.refuse = [target, product](const Choice& choice) -> std::string {
    if (choice.pixels > 1) return {};
    if (fits_registers(target, product, {choice.tile_x, choice.tile_k})) return {};
    return "a tile of " + std::to_string(choice.tile_x) + " outputs and " +
           std::to_string(choice.tile_k) + " blocks does not fit into " +
           std::to_string(target.vector_registers) + " registers";
  };
  return space;
}

}  // namespace halcyon::compiler
