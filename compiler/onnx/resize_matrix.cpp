#include "compiler/onnx/resize_matrix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

constexpr const char* kCrop = "tf_crop_and_resize";

/// Where position `i` of the result lies in the input.
double source_of(const ResizeRule& rule, const ResizedAxis& axis, int64_t i) {
  const auto at = static_cast<double>(i);
  const auto last = static_cast<double>(axis.from - 1);
  if (rule.coordinates == "half_pixel") return (at + 0.5) / axis.scale - 0.5;
  if (rule.coordinates == "pytorch_half_pixel") {
    return axis.to > 1 ? (at + 0.5) / axis.scale - 0.5 : 0;
  }
  if (rule.coordinates == "tf_half_pixel_for_nn") return (at + 0.5) / axis.scale;
  if (rule.coordinates == "asymmetric") return at / axis.scale;
  if (rule.coordinates == "align_corners") {
    return axis.to > 1 ? at * last / static_cast<double>(axis.to - 1) : 0;
  }
  if (rule.coordinates == kCrop) {
    if (axis.to == 1) return 0.5 * (axis.begin + axis.end) * last;
    return axis.begin * last +
           at * (axis.end - axis.begin) * last / static_cast<double>(axis.to - 1);
  }
  throw UserError("has the coordinate_transformation_mode " + runtime::quote(rule.coordinates) +
                  ", supported are half_pixel, pytorch_half_pixel, asymmetric, align_corners and " +
                  kCrop);
}

bool is_inside(const ResizeRule& rule, const ResizedAxis& axis, double source) {
  return rule.coordinates != kCrop || (source >= 0 && source <= static_cast<double>(axis.from - 1));
}

/// Of the input next to `source`.
double nearest_of(const std::string& rounding, double source) {
  if (rounding == "round_prefer_floor") return std::ceil(source - 0.5);
  if (rounding == "round_prefer_ceil") return std::floor(source + 0.5);
  if (rounding == "floor") return std::floor(source);
  if (rounding == "ceil") return std::ceil(source);
  throw UserError("has the nearest_mode " + runtime::quote(rounding));
}

/// Positions, which may lie beyond the border, and their weights.
using Taps = std::vector<std::pair<double, double>>;

Taps taps_of(const ResizeRule& rule, double source) {
  const double floor = std::floor(source), t = source - floor, a = rule.cubic;
  if (rule.mode == "nearest") return {{nearest_of(rule.nearest, source), 1}};
  if (rule.mode == "linear") return {{floor, 1 - t}, {floor + 1, t}};
  if (rule.mode != "cubic") {
    throw UserError("has the mode " + runtime::quote(rule.mode) +
                    ", supported are nearest, linear and cubic");
  }
  // Keys' kernel: one polynomial for the two inputs beside the source, one for those behind them.
  const auto near = [&](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [&](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {
      {floor - 1, far(t + 1)}, {floor, near(t)}, {floor + 1, near(1 - t)}, {floor + 2, far(2 - t)}};
}

}  // namespace

Array resize_matrix(const ResizeRule& rule, const ResizedAxis& axis) {
  std::vector<float> matrix(static_cast<std::size_t>(axis.to * axis.from));
  const auto last = static_cast<double>(axis.from - 1);
  for (int64_t i = 0; i < axis.to; ++i) {
    const double source = source_of(rule, axis, i);
    if (!is_inside(rule, axis, source)) continue;
    Taps taps = taps_of(rule, source);
    if (rule.exclude_outside) {
      double sum = 0;
      for (auto& [position, weight] : taps) {
        if (position < 0 || position > last) weight = 0;
        sum += weight;
      }
      for (auto& [position, weight] : taps) weight /= sum;
    }
    for (const auto& [position, weight] : taps) {
      const auto at = static_cast<int64_t>(std::clamp(position, 0.0, last));
      matrix[static_cast<std::size_t>(i * axis.from + at)] += static_cast<float>(weight);
    }
  }
  return Array({axis.to, axis.from}, std::move(matrix));
}

std::vector<float> inside(const ResizeRule& rule, const ResizedAxis& axis) {
  std::vector<float> flags;
  for (int64_t i = 0; i < axis.to; ++i) {
    flags.push_back(is_inside(rule, axis, source_of(rule, axis, i)) ? 1.0f : 0.0f);
  }
  return flags;
}

}  // namespace halcyon::compiler
