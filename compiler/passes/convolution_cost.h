#pragma once
/// Which algorithm a convolution is computed with: the cycles of each, from what bounds it.

#include "compiler/program.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// Cycles of one core for one sample.
double direct_cycles(const dsl::ops::Conv& conv, const Shape& x, const Shape& y,
                     const Target& target);

/// The same in Winograd tiles of `tile` x `tile` outputs.
double winograd_cycles(const dsl::ops::Conv& conv, const Shape& x, const Shape& y, int64_t tile,
                       const Target& target);

/// The tile whose convolution takes the fewest cycles, 0 where that is the direct one or where none
/// can be used: windows of 3 x 3 and 5 x 5 with stride 1, of whole vectors of channels and filters.
int64_t best_winograd_tile(const dsl::ops::Conv& conv, const Shape& x, const Shape& y,
                           const Target& target);

}  // namespace halcyon::compiler
