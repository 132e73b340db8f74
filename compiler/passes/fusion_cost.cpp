#include "compiler/passes/fusion_cost.h"

#include <algorithm>

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// Enough for a few threads to end at about the same time, too few to be felt as overhead.
constexpr int64_t kTasks = 8;

/// Half of a core's cache is left to weights, input rows and what other layers left behind.
int64_t cache_share(const Target& target) { return target.l2_bytes / 2; }

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Bytes of a value as it is stored, with the channels that fill up its last block.
int64_t stored_bytes(const Shape& map, int64_t channels) {
  return map.elements() / map[1] * channels * size_bytes(DType::f32);
}

int64_t traffic(int64_t bytes, const Target& target) {
  return bytes <= cache_share(target) ? 0 : 2 * bytes;
}

/// A map that one layer hands over to the next by rows.
struct Handover {
  int64_t rows = 1;               ///< of the result
  int64_t map_rows = 1;           ///< of the map
  int64_t stride = 1, reach = 0;  ///< result row r reads map rows from r * stride to that + reach
  int64_t row_bytes = 0;          ///< of a map row in a task's scratch memory
  int64_t side_tasks = 1;         ///< that compute the same result rows, of other channels
  int64_t macs = 0;               ///< of the whole map

  int64_t rows_read(int64_t count) const {
    return std::min(map_rows, (count - 1) * stride + reach + 1);
  }
};

/// A line is one row.
Handover handover(const Shape& map, const Shape& y) {
  Handover h;
  if (map.spatial_rank() < 2) return h;
  h.rows = y.spatial(y.spatial_rank() - 2);
  h.map_rows = map.spatial(map.spatial_rank() - 2);
  return h;
}

/// The fewest tasks that fill the threads with `macs` multiply-adds of both layers, as far as their
/// rows fit into the cache and few of them are computed twice.
FusionCost cut_into_tasks(const Handover& h, int64_t macs, const Target& target) {
  const int64_t wanted = std::clamp<int64_t>(macs / kMacsPerTask, 1, kTasks);
  FusionCost cost;
  for (int64_t parts = 1; parts <= h.rows; ++parts) {
    const int64_t task_rows = ceil_div(h.rows, parts);
    const int64_t scratch = h.rows_read(task_rows) * h.row_bytes;
    if (scratch > cache_share(target)) continue;
    // A sixteenth more multiply-adds is what an idle thread may cost.
    const int64_t row_tasks = ceil_div(h.rows, task_rows);
    const int64_t read = row_tasks * h.rows_read(task_rows);
    const int64_t again = std::max<int64_t>(0, read - h.rows_read(h.rows));
    if (cost.rows_per_task > 0 && again * 16 > h.map_rows) break;
    cost.rows_per_task = task_rows;
    cost.scratch_bytes = scratch;
    cost.recomputed_macs = h.macs * again / h.map_rows;
    const int64_t tasks = row_tasks * h.side_tasks;
    cost.fills_threads = 2 * tasks >= wanted;
    if (8 * tasks >= 7 * wanted) break;  // seven tasks for eight are near enough
  }
  return cost;
}

}  // namespace

bool FusionCost::pays(const Target& target) const {
  if (rows_per_task == 0 || !fills_threads) return false;
  if (recomputed_macs == 0) return true;
  return recomputed_macs * target.bytes_per_cycle < saved_bytes * target.macs_per_cycle();
}

FusionCost pooled_conv_cost(const Shape& map, int64_t macs, const ops::PoolWindow& pool,
                            const Shape& y, const Target& target) {
  const int64_t block = natural_block(map[1], target.vector_width);
  const int64_t blocks = ceil_div(map[1], block);
  const int64_t blocks_per_task = blocks % 2 == 0 ? 2 : 1;
  Handover rows = handover(map, y);
  if (map.spatial_rank() > 1) {
    const int axis = map.spatial_rank() - 2;
    rows.stride = pool.stride[axis];
    rows.reach = pool.reach(axis);
  }
  rows.row_bytes = stored_bytes(map, blocks_per_task * block) / rows.map_rows;
  rows.side_tasks = blocks / blocks_per_task;
  rows.macs = macs;
  FusionCost cost = cut_into_tasks(rows, macs, target);
  cost.saved_bytes = traffic(stored_bytes(map, blocks * block), target);
  return cost;
}

}  // namespace halcyon::compiler
