#pragma once
/// Enlarging and shrinking maps.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

enum class Interpolation { nearest, linear };

/// Where position i of y lies in x, for r = extent of y / extent of x or the given scale:
///   half_pixel          (i + 0.5) / r - 0.5
///   pytorch_half_pixel  the same, but 0 where y has one position
///   asymmetric          i / r
///   align_corners       i * (extent of x - 1) / (extent of y - 1), and 0 where y has one position
enum class Coordinates { half_pixel, asymmetric, align_corners, pytorch_half_pixel };

/// Which position is nearest to a coordinate; the first two differ where it lies halfway.
enum class Rounding { prefer_floor, prefer_ceil, floor, ceil };

/// Every value of y is taken from x where `coordinates` says: the nearest value, or the mean of the
/// two neighbours along each axis, weighted by their distance. Beyond the border lies its last
/// value.
/// Shapes: x [N,C,H,W] -> y [N,C,P,Q], P = `size`, or floor(H * scale) for an axis whose size is 0
/// Errors: an axis without size and scale, a scale that is not positive, an empty output.
/// Source: ONNX Resize-13 (nearest and linear, all channels kept) and -19.
struct Resize {
  static constexpr std::string_view name = "resize";
  static constexpr auto fields() {
    return attributes(field("size", &Resize::size), field("scale", &Resize::scale),
                      field("interpolation", &Resize::interpolation),
                      field("coordinates", &Resize::coordinates),
                      field("rounding", &Resize::rounding));
  }

  Spatial size = 0;
  SpatialScale scale = 0;
  Interpolation interpolation = Interpolation::nearest;
  Coordinates coordinates = Coordinates::half_pixel;
  Rounding rounding = Rounding::prefer_floor;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 3, 5);
    rules::check_axes("size", size, in[0]);
    rules::check_axes("scale", scale, in[0]);
    Shape y = in[0];
    for (int axis = 0; axis < y.spatial_rank(); ++axis) {
      y[axis + 2] = extent(in[0].spatial(axis), size[axis], scale[axis]);
    }
    return {y};
  }
  constexpr bool operator==(const Resize&) const = default;

 private:
  static constexpr int64_t extent(int64_t input, int64_t size, float scale) {
    if (size != 0) {
      rules::check_positive("size", size);
      return size;
    }
    // Written so that what is not a number fails. The product is rounded as ONNX Runtime does.
    const float scaled = scale * static_cast<float>(input);
    if (!(scale > 0) || !(scaled <= static_cast<float>(kMaxElements / 2))) {
      mistakes::scale_is_not_usable();
    }
    if (scaled < 1) mistakes::resize_leaves_nothing(input);
    return static_cast<int64_t>(scaled);
  }
};

/// Sums the gradients of all values that were taken from a position.
/// Shapes: dy [N,C,P,Q] -> dx = `input` [N,C,H,W]
struct ResizeGrad {
  static constexpr std::string_view name = "resize_grad";
  static constexpr auto fields() {
    return attributes(field("input", &ResizeGrad::input), field("resize", &ResizeGrad::resize));
  }

  Shape input;
  Resize resize;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_size(input);
    const Shape y = resize.infer({input})[0];
    if (!(in[0] == y)) mistakes::gradient_has_wrong_shape(in[0], y);
    return {input};
  }
  constexpr bool operator==(const ResizeGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
