#include "compiler/ops/axis_map.h"

#include <algorithm>
#include <cmath>

namespace halcyon::compiler {
namespace {

AxisMap map_of(int64_t input_extent, int64_t output_extent) {
  AxisMap map;
  map.input_extent = input_extent;
  map.taps.resize(static_cast<std::size_t>(output_extent));
  return map;
}

AxisMap identity(int64_t extent) {
  AxisMap map = map_of(extent, extent);
  for (int64_t i = 0; i < extent; ++i) map.taps[static_cast<std::size_t>(i)] = {{i, 1}};
  return map;
}

AxisMap padded_axis(const ops::Pad& pad, int64_t extent, int axis) {
  const int64_t step = pad.between[axis] + 1;
  const int64_t inside = (extent - 1) * step + 1;
  AxisMap map = map_of(extent, pad.begin[axis] + inside + pad.end[axis]);
  for (std::size_t i = 0; i < map.taps.size(); ++i) {
    int64_t at = static_cast<int64_t>(i) - pad.begin[axis];
    if (pad.mode == ops::PadMode::edge) at = std::clamp<int64_t>(at, 0, extent - 1);
    if (pad.mode == ops::PadMode::reflect) {
      if (at < 0) at = -at;
      if (at >= extent) at = 2 * (extent - 1) - at;
    }
    if (at >= 0 && at < inside && at % step == 0) map.taps[i] = {{at / step, 1}};
  }
  return map;
}

int64_t rounded(double at, ops::Rounding rounding) {
  switch (rounding) {
    case ops::Rounding::prefer_floor: return static_cast<int64_t>(std::ceil(at - 0.5));
    case ops::Rounding::prefer_ceil: return static_cast<int64_t>(std::floor(at + 0.5));
    case ops::Rounding::floor: return static_cast<int64_t>(std::floor(at));
    case ops::Rounding::ceil: return static_cast<int64_t>(std::ceil(at));
  }
  return 0;
}

AxisMap resized_axis(const ops::Resize& resize, int64_t from, int64_t to, int axis) {
  // Kept as a quotient: dividing last gives whole numbers where they are meant.
  const bool sized = resize.size[axis] != 0;
  const double numerator = sized ? static_cast<double>(from) : 1;
  const double denominator = sized ? static_cast<double>(to) : resize.scale[axis];
  const auto coordinate = [&](double i) -> double {
    switch (resize.coordinates) {
      case ops::Coordinates::asymmetric: return i * numerator / denominator;
      case ops::Coordinates::align_corners:
        return to == 1 ? 0 : i * static_cast<double>(from - 1) / static_cast<double>(to - 1);
      case ops::Coordinates::pytorch_half_pixel:
        if (to == 1) return 0;
        [[fallthrough]];
      case ops::Coordinates::half_pixel: return (i + 0.5) * numerator / denominator - 0.5;
    }
    return 0;
  };
  AxisMap map = map_of(from, to);
  for (std::size_t i = 0; i < map.taps.size(); ++i) {
    const double at =
        std::clamp(coordinate(static_cast<double>(i)), 0.0, static_cast<double>(from - 1));
    if (resize.interpolation == ops::Interpolation::nearest) {
      map.taps[i] = {{rounded(at, resize.rounding), 1}};
      continue;
    }
    const auto low = static_cast<int64_t>(at);
    const double rest = at - static_cast<double>(low);
    map.taps[i] = {{low, 1 - rest}};
    if (rest > 0) map.taps[i].push_back({low + 1, rest});
  }
  return map;
}

AxisMaps transposed(AxisMaps maps) {
  for (AxisMap& map : maps) map = transposed(map);
  return maps;
}

}  // namespace

AxisMaps axis_maps(const ops::Pad& pad, const Shape& x) {
  AxisMaps maps;
  for (int axis = 1; axis < x.rank; ++axis) maps.push_back(padded_axis(pad, x[axis], axis - 1));
  return maps;
}

AxisMaps axis_maps(const ops::Slice& slice, const Shape& x) {
  const Shape y = slice.infer({x})[0];
  AxisMaps maps;
  for (int axis = 1; axis < x.rank; ++axis) {
    AxisMap map = map_of(x[axis], y[axis]);
    for (int64_t i = 0; i < y[axis]; ++i) {
      map.taps[static_cast<std::size_t>(i)] = {
          {slice.begin[axis - 1] + i * slice.step[axis - 1], 1}};
    }
    maps.push_back(map);
  }
  return maps;
}

AxisMaps axis_maps(const ops::Resize& resize, const Shape& x) {
  const Shape y = resize.infer({x})[0];
  AxisMaps maps = {identity(x[1])};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    maps.push_back(resized_axis(resize, x.spatial(axis), y.spatial(axis), axis));
  }
  return maps;
}

AxisMaps axis_maps(const ops::PadGrad& op, const Shape&) {
  return transposed(axis_maps(op.pad, op.input));
}

AxisMaps axis_maps(const ops::ResizeGrad& op, const Shape&) {
  return transposed(axis_maps(op.resize, op.input));
}

AxisMap transposed(const AxisMap& map) {
  AxisMap back = map_of(map.output_extent(), map.input_extent);
  for (std::size_t i = 0; i < map.taps.size(); ++i) {
    for (const AxisTap& tap : map.taps[i]) {
      back.taps[static_cast<std::size_t>(tap.from)].push_back(
          {static_cast<int64_t>(i), tap.weight});
    }
  }
  return back;
}

bool is_identity(const AxisMaps& maps) {
  return std::all_of(maps.begin(), maps.end(),
                     [](const AxisMap& map) { return map == identity(map.input_extent); });
}

}  // namespace halcyon::compiler
