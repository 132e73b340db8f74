#include "compiler/passes/fusion_rules.h"

#include <algorithm>

namespace halcyon::compiler {

using namespace dsl;

namespace {

int64_t positions(const ops::PoolWindow& pool, const Shape& y) {
  int64_t count = 1;
  for (int axis = 0; axis < y.spatial_rank(); ++axis) count *= pool.kernel[axis];
  return count;
}

}  // namespace

bool is_pointwise(const ops::Conv& conv, const Shape& y) {
  for (int axis = 0; axis < y.spatial_rank(); ++axis) {
    if (conv.kernel[axis] != 1 || conv.stride[axis] != 1 || conv.pad_begin[axis] != 0 ||
        conv.pad_end[axis] != 0) {
      return false;
    }
  }
  return true;
}

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

bool windows_divide_tile(const Op& pool, const ops::WinogradConv& conv) {
  const auto* largest = std::get_if<ops::MaxPool>(&pool);
  if (largest != nullptr && largest->with_argmax) return false;
  const Spatial& stride = pool_window(pool)->stride;
  return conv.tile % stride[0] == 0 && conv.tile % stride[1] == 0;
}

bool windows_are_written(const ops::PoolWindow& pool, const Shape& y) {
  return positions(pool, y) <= kMostWritten;
}

bool can_lead_rows(const Node& node) {
  if (const auto* conv = std::get_if<ops::Conv>(&node.op)) {
    return conv->groups == 1 && is_pointwise(*conv, node.outputs[0]);
  }
  const auto* largest = std::get_if<ops::MaxPool>(&node.op);
  if (largest != nullptr && largest->with_argmax) return false;
  const ops::PoolWindow* pool = pool_window(node.op);
  return pool != nullptr && windows_are_written(*pool, node.outputs[0]);
}

bool can_read_rows(const Graph& graph, const Node& node, Value rows, const Target& target) {
  const auto* conv = std::get_if<ops::Conv>(&node.op);
  if (conv == nullptr || conv->groups != 1 || node.inputs[0] != rows) return false;
  if (std::count(node.inputs.begin(), node.inputs.end(), rows) != 1) return false;
  return natural_block(graph.shape(rows)[1], target.vector_width) ==
         natural_block(conv->filters, target.vector_width);
}

int32_t anchor_of(const Graph& graph, const Region& region) {
  for (auto id = region.nodes.rbegin(); id != region.nodes.rend(); ++id) {
    if (std::holds_alternative<ops::Conv>(graph.node(*id).op)) return *id;
  }
  return region.nodes.front();
}

bool reads_own_rows(const Graph& graph, const Region& region) {
  return anchor_of(graph, region) != region.nodes.front();
}

int32_t pool_behind(const Graph& graph, const Region& region) {
  const int32_t anchor = anchor_of(graph, region);
  for (int32_t id : region.nodes) {
    if (id > anchor && pool_window(graph.node(id).op) != nullptr) return id;
  }
  return -1;
}

int32_t pool_of_rows(const Graph& graph, const Region& region) {
  const int32_t id = pool_behind(graph, region);
  if (id < 0 || !std::holds_alternative<ops::Conv>(graph.node(anchor_of(graph, region)).op))
    return -1;
  const Node& node = graph.node(id);
  return windows_are_apart(*pool_window(node.op), node.outputs[0]) ? -1 : id;
}

}  // namespace halcyon::compiler
