#pragma once
/// A convolution and a pool whose windows overlap or are padded, in one loop nest:
///
///   for each task (sample, filter block pair, output rows)
///     rows = the convolution at all positions that the task's windows reach, in scratch memory
///     for each output row of each filter block: pool the rows
///
/// Scratch memory has a constant size, that of the most rows which a task reads; a task at the
/// border of the map, where windows hang over, computes fewer. All columns are computed, so that
/// tiles fit as they would without the pool.

#include <vector>

#include "compiler/lower/lower_context.h"

namespace halcyon::compiler {

/// Puts scratch memory between `v`, a value of the region, and what reads it.
void keep_rows(LowerContext& context, Value v);

/// Positions of the convolution that a task computes along each axis, at most.
std::vector<int64_t> rows_per_task(const LowerContext& context);

/// Orders the loops of the output and puts the rows into its tasks. Returns the loop over tasks.
Halide::Var schedule_pool_of_rows(LowerContext& context);

}  // namespace halcyon::compiler
