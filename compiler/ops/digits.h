#pragma once
/// Where the values of rearranged tensors come from.
///
/// Transposing, shuffling channels and exchanging depth and space are one thing: the axes of a
/// sample are cut into digits, outermost first, and y takes the same digits in another order. For
/// depth_to_space with blocks of 2 (dcr):
///
///   x [C,H,W] = [2,2,C/4,H,W]   y = digits 2,3,0,4,1 = [C/4,H,2,W,2] = [C/4,2H,2W]

#include <vector>

#include "dsl/ops/movement.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

/// Invariant: the digits of x in their order, and those of y in theirs, fill whole axes.
struct Digits {
  std::vector<int64_t> extents;    ///< of x, outermost first
  std::vector<std::size_t> order;  ///< digit i of y is digit order[i] of x
};

Digits digits_of(const ops::Transpose&, const Shape& x);
Digits digits_of(const ops::ChannelShuffle&, const Shape& x);
Digits digits_of(const ops::DepthToSpace&, const Shape& x);
Digits digits_of(const ops::SpaceToDepth&, const Shape& x);

/// How many digits fill each axis of `shape` behind the batch; `extents` are those of the digits in
/// the order in which the shape has them.
std::vector<std::size_t> digits_per_axis(const std::vector<int64_t>& extents, const Shape& shape);

/// True if nothing moves but digits of one value.
bool is_identity(const Digits& digits);

}  // namespace halcyon::compiler
