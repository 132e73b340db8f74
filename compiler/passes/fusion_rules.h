#pragma once
/// Which operators may share a loop nest, and how. Whether it pays is fusion_cost's question.
///
/// A convolution and the pool behind it meet in one of two ways. Windows that lie apart are pooled
/// while their values are in registers. Windows that overlap, or hang over the border, read rows
/// that the task has computed into scratch memory. In the same way a convolution reads rows of the
/// pool or 1x1 convolution in front of it.

#include "compiler/program.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// Positions of a window that a kernel writes out one by one, 5x5; larger windows are loops.
inline constexpr int64_t kMostWritten = 25;

/// Has the convolution one input position for each output position, and reads all of them?
bool is_pointwise(const dsl::ops::Conv& conv, const Shape& y);

/// Of a max_pool or average_pool; null for other operators.
const dsl::ops::PoolWindow* pool_window(const Op& op);

/// May the values under one window stay in registers until they are pooled?
bool windows_are_apart(const dsl::ops::PoolWindow& pool, const Shape& y);

/// Does each tile of the convolution hold whole windows of this pool, which lie apart, and nothing
/// of others?
bool windows_divide_tile(const Op& pool, const dsl::ops::WinogradConv& conv);

/// May a convolution keep rows in scratch memory for this pool?
bool windows_are_written(const dsl::ops::PoolWindow& pool, const Shape& y);

/// May this node compute rows for the convolution behind it? Pools of small windows, whose
/// positions nobody needs, and 1x1 convolutions; the value goes nowhere else.
bool can_lead_rows(const Node& node);

/// May this convolution read rows that the region has just computed as `rows`? All of a region's
/// values are cut into blocks of one size.
bool can_read_rows(const Graph& graph, const Node& node, Value rows, const Target& target);

/// The node whose loop order is the region's: its last convolution, otherwise what it begins with.
int32_t anchor_of(const Graph& graph, const Region& region);

/// Whether the region's anchor reads rows that the region itself computes.
bool reads_own_rows(const Graph& graph, const Region& region);

/// The pool behind the region's anchor, or -1.
int32_t pool_behind(const Graph& graph, const Region& region);

/// The pool of the region that reads rows of the convolution in front of it from scratch memory, or
/// -1.
int32_t pool_of_rows(const Graph& graph, const Region& region);

}  // namespace halcyon::compiler
