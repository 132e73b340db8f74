#pragma once
/// What must hold of the decisions that passes have made about a graph.

#include "compiler/program.h"

namespace halcyon::compiler {

/// Checks what has been decided so far; what is still empty is skipped.
///
/// Regions: every node but inputs, parameters and views belongs to exactly one, in graph order; a
/// region lists all that its nodes read from outside and all that others or the host read of them,
/// and runs behind the regions that it reads. Layouts: every stored value (what regions read and
/// write) has one, scalars apart, and a gradient has its parameter's. Memory: every stored value
/// has a place that is large enough, aligned and inside its block; values that are alive in the
/// same step never overlap, nor do parameters; gradients lie as their parameters do. Whether a
/// kernel accepts a layout is not asked here: that is found where kernels are made.
///
/// Before: the graph is legal (compiler/graph/verify.h). Errors: InternalError, with the node and
/// its place.
void verify_program(const Program& program);

}  // namespace halcyon::compiler
