#include "compiler/passes/fusion_rules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

int64_t positions(const ops::PoolWindow& pool, const Shape& y) {
  int64_t count = 1;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) count *= pool.kernel[axis];
  return count;
}

}  // namespace

const ops::PoolWindow* pool_window(const Op& op) {
  if (const auto* largest = std::get_if<ops::MaxPool>(&op)) return largest;
  return std::get_if<ops::AveragePool>(&op);
}

bool windows_are_apart(const ops::PoolWindow& pool, const Shape& y) {
  constexpr int64_t kMostInRegisters = 16;
  if (positions(pool, y) > kMostInRegisters) return false;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    if (pool.reach(axis) >= pool.stride[axis] || pool.pad_begin[axis] != 0 ||
        pool.pad_end[axis] != 0 || pool.ceil) {
      return false;
    }
  }
  return true;
}

bool windows_are_written(const ops::PoolWindow& pool, const Shape& y) {
  return positions(pool, y) <= kMostWritten;
}

int32_t pool_of_rows(const Graph& graph, const Region& region) {
  if (!std::holds_alternative<ops::Conv>(graph.node(region.nodes.front()).op)) return -1;
  for (int32_t id : region.nodes) {
    const Node& node = graph.node(id);
    const ops::PoolWindow* pool = pool_window(node.op);
    if (pool != nullptr && !windows_are_apart(*pool, node.outputs[0])) return id;
  }
  return -1;
}

}  // namespace halcyon::compiler
