#pragma once
/// Padding as layers take it, and how their numbers become one for each spatial axis.

#include "dsl/ops/op.h"

namespace halcyon::dsl {

/// Zeros around the input: numbers, or "same" so that the output is ceil(input / stride).
struct Padding {
  Spatial begin = 0;
  Spatial end = 0;
  bool is_same = false;

  constexpr Padding() = default;
  constexpr Padding(int64_t all) : begin(all), end(all) {}
  constexpr Padding(std::initializer_list<int64_t> per_axis) : begin(per_axis), end(per_axis) {}
  constexpr Padding(Spatial begin_pad, Spatial end_pad) : begin(begin_pad), end(end_pad) {}
};

inline constexpr Padding valid = {};
inline constexpr Padding same = [] {
  Padding p;
  p.is_same = true;
  return p;
}();

namespace detail {

/// One number for all axes becomes one number per axis; axes that were not given become 1.
constexpr Spatial per_axis(const char* attribute, const Spatial& s, const Shape& x) {
  rules::check_axes(attribute, s, x);
  Spatial full = s;
  full.rank = x.spatial_rank();
  for (int axis = full.rank; axis < 3; ++axis) full.values[static_cast<std::size_t>(axis)] = 0;
  return full;
}

/// Checked before a weight is made of it, which would be blamed otherwise.
constexpr Spatial kernel_per_axis(const Spatial& kernel, const Shape& x) {
  const Spatial full = per_axis("kernel", kernel, x);
  for (int axis = 0; axis < full.rank; ++axis) rules::check_positive("kernel", full[axis]);
  return full;
}

/// Source: ONNX auto_pad SAME_UPPER; the odd zero goes to the end.
constexpr Padding resolve_padding(const Padding& pad, const Shape& x, const Spatial& kernel,
                                  const Spatial& stride, const Spatial& dilation) {
  Padding full;
  full.begin = per_axis("pad", pad.begin, x);
  full.end = per_axis("pad", pad.end, x);
  if (!pad.is_same) return full;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    rules::check_positive("kernel", kernel[axis]);
    rules::check_positive("stride", stride[axis]);
    rules::check_positive("dilation", dilation[axis]);
    const int64_t in = x.spatial(axis);
    const int64_t out = (in + stride[axis] - 1) / stride[axis];
    const int64_t total = (out - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - in;
    full.begin[axis] = total > 0 ? total / 2 : 0;
    full.end[axis] = total > 0 ? total - total / 2 : 0;
  }
  return full;
}

}  // namespace detail
}  // namespace halcyon::dsl
