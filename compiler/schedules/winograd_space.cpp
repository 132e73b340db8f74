/// Schedules of Winograd convolutions; compiler/kernels/winograd.cpp says what the numbers mean.

#include <algorithm>

#include "compiler/integer.h"
#include "compiler/passes/fusion_rules.h"
#include "compiler/schedules/register_tile.h"
#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// Tiles for which the filters of a frequency are read once. Each of them is then multiplied with
/// as many vectors, at two in a cycle: so many tiles let 5 bytes in a cycle be enough, which comes
/// from beyond a core's own cache without waiting.
int64_t tiles_worth_reading_for(const Target& target) {
  return int64_t{2} * target.vector_width * size_bytes(DType::f32) / 5;
}

/// Tile rows of a chunk: as many as are worth reading the filters for, in chunks of like size.
int64_t rows_of_chunk(const Target& target, int64_t rows, int64_t columns) {
  const int64_t wanted = std::min(rows, ceil_div(tiles_worth_reading_for(target), columns));
  return ceil_div(rows, rows / wanted);
}

/// Tiles of the last chunk, which may have fewer rows.
int64_t fewest_tiles(int64_t rows, int64_t columns, int64_t chunk_rows) {
  return (rows - (ceil_div(rows, chunk_rows) - 1) * chunk_rows) * columns;
}

}  // namespace

std::array<int64_t, 2> winograd_tiles(const KernelSpec& spec) {
  const auto& conv = std::get<ops::WinogradConv>(spec.anchor().op);
  const Graph& graph = spec.program->graph;
  const Shape& y = graph.shape({spec.anchor_id(), 0});
  const int32_t pool = pool_behind(graph, *spec.region);
  std::array<int64_t, 2> tiles = {};
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t read = pool < 0 ? y.spatial(axis)
                                  : graph.shape({pool, 0}).spatial(axis) *
                                        pool_window(graph.node(pool).op)->stride[axis];
    tiles.at(static_cast<std::size_t>(axis)) = conv.tiles(read);
  }
  return tiles;
}

Space winograd_space(const KernelSpec& spec) {
  const auto& conv = std::get<ops::WinogradConv>(spec.anchor().op);
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  const auto [tile_rows, tile_columns] = winograd_tiles(spec);
  const int64_t rows = tile_rows, columns = tile_columns;  // which a lambda may keep
  const int64_t group_blocks = conv.filled_filters() / conv.block / conv.groups;
  const Target target = spec.target;

  Space space;
  Choice& choice = space.standard;
  choice.rows_per_task = rows_of_chunk(target, rows, columns);
  // Few chunks: threads share the transformed input and split the filters.
  constexpr int64_t kFewChunks = 4;
  choice.filter_tasks = ceil_div(rows, choice.rows_per_task) < kFewChunks ? 1 : 0;
  TiledProduct product{.pixels = fewest_tiles(rows, columns, choice.rows_per_task),
                       .blocks = group_blocks,
                       .filter_bytes = weight.filter_block_stride() * size_bytes(DType::f32)};
  const RegisterTile tile = best_register_tile(target, product);
  choice.tile_x = tile.pixels;
  choice.tile_k = dividing_tile(group_blocks, tile.blocks, 1);
  choice.unroll_c = weight.sample.block % 4 == 0 ? 4 : 1;

  space.parameters = {
      {&Choice::tile_x, numbers(1, std::min<int64_t>(rows * columns, 14))},
      {&Choice::tile_k, divisors_among(numbers(1, 6), group_blocks)},
      {&Choice::unroll_c, divisors_among({1, 2, 4}, weight.sample.block)},
      {&Choice::rows_per_task, numbers(1, std::min<int64_t>(rows, 8))},
      {&Choice::filter_tasks, {0, 1}},
  };
  space.refuse = [=](const Choice& c) -> std::string {
    const int64_t fewest = fewest_tiles(rows, columns, c.rows_per_task);
    if (c.tile_x > fewest) {
      return "a chunk of " + std::to_string(fewest) + " tiles is smaller than " +
             std::to_string(c.tile_x) + " in registers";
    }
    if (fits_registers(target, product, {c.tile_x, c.tile_k})) return {};
    return std::to_string(c.tile_x) + " tiles of " + std::to_string(c.tile_k) +
           " blocks do not fit into " + std::to_string(target.vector_registers) + " registers";
  };
  return space;
}

}  // namespace halcyon::compiler
