#include "compiler/passes/fusion_cost.h"

#include <algorithm>

#include "compiler/integer.h"
#include "compiler/passes/fusion_rules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// Enough for a few threads to end at about the same time, too few to be felt as overhead.
constexpr int64_t kTasks = 8;

/// Half of a core's cache is left to weights, input rows and what other layers left behind.
int64_t cache_share(const Target& target) { return target.l2_bytes / 2; }

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
  int64_t reader_macs = 0;        ///< of the whole result

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

/// About as few tasks as fill the threads, as far as their rows fit into the cache and few of them
/// are computed twice. All tasks are of one size: the last begins with rows of the one before it
/// where the size does not divide the rows.
FusionCost cut_into_tasks(const Handover& h, const Target& target) {
  const int64_t macs = h.macs + h.reader_macs;
  const int64_t wanted = std::clamp<int64_t>(macs / kMacsPerTask, 1, kTasks);
  FusionCost best;
  bool enough = false;  // tasks; from then on others are better only with less work
  for (int64_t parts = 1; parts <= h.rows; ++parts) {
    FusionCost cost;
    cost.rows_per_task = ceil_div(h.rows, parts);
    cost.scratch_bytes = h.rows_read(cost.rows_per_task) * h.row_bytes;
    if (cost.scratch_bytes > cache_share(target)) continue;
    const int64_t row_tasks = ceil_div(h.rows, cost.rows_per_task);
    const int64_t read = row_tasks * h.rows_read(cost.rows_per_task);
    const int64_t again = std::max<int64_t>(0, read - h.rows_read(h.rows));
    cost.recomputed_macs = h.macs * again / h.map_rows +
                           h.reader_macs * (row_tasks * cost.rows_per_task - h.rows) / h.rows;
    const int64_t tasks = row_tasks * h.side_tasks;
    cost.fills_threads = 2 * tasks >= wanted;
    // A sixteenth more multiply-adds is what an idle thread may cost.
    const bool is_first = best.rows_per_task == 0;
    const bool is_cheap = cost.recomputed_macs * 16 <= macs;
    if (is_first || (enough ? cost.recomputed_macs < best.recomputed_macs : is_cheap)) {
      best = cost;
      enough = 8 * tasks >= 7 * wanted;  // seven tasks for eight are near enough
    }
    if ((enough && best.recomputed_macs == 0) || tasks > 2 * wanted) break;
  }
  return best;
}

}  // namespace

bool FusionCost::pays(const Target& target) const {
  if (rows_per_task == 0 || !fills_threads) return false;
  if (recomputed_macs == 0 && saved_bytes >= 0) return true;
  // Half of the bytes travel while the core computes. On a Sapphire Rapids with 2 MB beside each
  // core (one thread, November 2026, ./x bench fusion) GoogLeNet's stem, whose bytes weigh five
  // times its recomputed rows, gains 15 %, and AlexNet's, where they weigh twice as much, loses 1
  // to 4 %.
  return 2 * recomputed_macs * target.bytes_per_cycle < saved_bytes * target.macs_per_cycle();
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
  FusionCost cost = cut_into_tasks(rows, target);
  cost.saved_bytes = traffic(stored_bytes(map, blocks * block), target);
  return cost;
}

FusionCost rows_into_conv_cost(const Shape& map, int64_t map_macs, const ops::Conv& conv,
                               int64_t conv_macs, int64_t weight_elements, const Shape& y,
                               const Target& target) {
  const int64_t block = natural_block(map[1], target.vector_width);
  const int64_t map_bytes = stored_bytes(map, ceil_div(map[1], block) * block);
  Handover rows = handover(map, y);
  if (map.spatial_rank() > 1) {
    const int axis = map.spatial_rank() - 2;
    rows.stride = conv.stride[axis];
    rows.reach = conv.dilation[axis] * (conv.kernel[axis] - 1);
  }
  rows.row_bytes = map_bytes / rows.map_rows;
  for (int axis = 0; axis < map.spatial_rank(); ++axis) {
    const bool padded = conv.pad_begin[axis] > 0 || conv.pad_end[axis] > 0;
    if (padded) rows.row_bytes = 2 * map_bytes / rows.map_rows;  // and a copy with zeros around
  }
  rows.macs = map_macs;
  rows.reader_macs = conv_macs;
  FusionCost cost = cut_into_tasks(rows, target);
  if (cost.rows_per_task == 0) return cost;
  cost.saved_bytes = traffic(map_bytes, target);
  const int64_t weight_bytes = weight_elements * size_bytes(DType::f32);
  if (weight_bytes > cache_share(target)) {
    cost.saved_bytes -= (ceil_div(rows.rows, cost.rows_per_task) - 1) * weight_bytes;
  }
  return cost;
}

FusionCost cost_of_pool(const Graph& graph, const Node& conv, const Node& pool,
                        const Target& target) {
  const int64_t macs = macs_of(conv.op, graph.input_shapes(conv), conv.outputs);
  return pooled_conv_cost(conv.outputs[0], macs, *pool_window(pool.op), pool.outputs[0], target);
}

FusionCost cost_of_rows(const Graph& graph, const Node& first, const Node& conv,
                        const Target& target) {
  const Shape& map = first.outputs[0];
  int64_t map_macs = macs_of(first.op, graph.input_shapes(first), first.outputs);
  if (const ops::PoolWindow* pool = pool_window(first.op)) {
    map_macs = map.elements();  // as many comparisons or additions as a window has positions
    for (int axis = 0; axis < map.spatial_rank(); ++axis) map_macs *= pool->kernel[axis];
  }
  return rows_into_conv_cost(map, map_macs, std::get<ops::Conv>(conv.op),
                             macs_of(conv.op, graph.input_shapes(conv), conv.outputs),
                             graph.shape(conv.inputs[1]).elements(), conv.outputs[0], target);
}

}  // namespace halcyon::compiler
