#pragma once
/// A pool or 1x1 convolution and the convolution that reads it, in one loop nest:
///
///   for each task (sample, output rows)
///     own rows = the first layer, all channels, at the rows that the task's windows reach
///     copy with zeros around, where the windows are padded
///     for each filter block: the convolution as ever
///
/// Scratch memory has a constant size: all columns, and the most rows which a task reads.

#include "compiler/lower/lower_context.h"

namespace halcyon::compiler {

/// The sums of a 1x1 convolution that is not the region's anchor.
void lower_own_conv(LowerContext& context, int32_t id);

/// Puts scratch memory between `v`, a value of the region, and its convolution.
void keep_own_rows(LowerContext& context, Value v);

/// Computes the rows, if there are any, at the begin of each task.
void schedule_own_rows(LowerContext& context, const Halide::LoopLevel& task);

}  // namespace halcyon::compiler
