#pragma once
/// Where the values of padded, sliced and resized tensors come from.
///
/// These operators treat the axes apart: each position along an axis of y reads some positions
/// along the same axis of x, mostly one. That is a small table per axis, which the reference and
/// the kernel both follow. Their gradients are the same tables read the other way round, so a
/// kernel gathers there too, and adds in a fixed order.

#include <vector>

#include "dsl/ops/movement.h"
#include "dsl/ops/resize.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

struct AxisTap {
  int64_t from;
  double weight;
  bool operator==(const AxisTap&) const = default;
};

struct AxisMap {
  int64_t input_extent = 0;
  std::vector<std::vector<AxisTap>> taps;  ///< by position along the axis of y

  int64_t output_extent() const { return static_cast<int64_t>(taps.size()); }
  bool operator==(const AxisMap&) const = default;
};

/// One map for each axis behind the batch. `x` is the input's shape.
using AxisMaps = std::vector<AxisMap>;
AxisMaps axis_maps(const ops::Pad&, const Shape& x);
AxisMaps axis_maps(const ops::Slice&, const Shape& x);
AxisMaps axis_maps(const ops::Resize&, const Shape& x);
AxisMaps axis_maps(const ops::PadGrad&, const Shape& dy);
AxisMaps axis_maps(const ops::ResizeGrad&, const Shape& dy);

/// Every position of x -> the positions of y that read it, in ascending order.
AxisMap transposed(const AxisMap& map);

/// True if every position reads itself.
bool is_identity(const AxisMaps& maps);

}  // namespace halcyon::compiler
