#pragma once
/// Which operators may share a loop nest, and how. Whether it pays is fusion_cost's question.
///
/// A convolution and the pool behind it meet in one of two ways. Windows that lie apart are pooled
/// while their values are in registers. Windows that overlap, or hang over the border, read rows
/// that the task has computed into scratch memory.

#include "compiler/program.h"

namespace halcyon::compiler {

/// Positions of a window that a kernel writes out one by one, 5x5; larger windows are loops.
inline constexpr int64_t kMostWritten = 25;

/// Of a max_pool or average_pool; null for other operators.
const dsl::ops::PoolWindow* pool_window(const Op& op);

/// May the values under one window stay in registers until they are pooled?
bool windows_are_apart(const dsl::ops::PoolWindow& pool, const Shape& y);

/// May a convolution keep rows in scratch memory for this pool?
bool windows_are_written(const dsl::ops::PoolWindow& pool, const Shape& y);

/// The pool of the region that reads rows of the convolution in front of it from scratch memory, or
/// -1.
int32_t pool_of_rows(const Graph& graph, const Region& region);

}  // namespace halcyon::compiler
