/// Resize and its predecessor Upsample, along spatial axes.

#include <algorithm>
#include <cmath>
#include <string_view>

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/resize_matrix.h"
#include "compiler/onnx/rules.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;

/// Positions of a resized axis.
constexpr float kMostResized = 1 << 24;

ops::Interpolation interpolation_of(const std::string& mode) {
  if (mode == "nearest") return ops::Interpolation::nearest;
  if (mode == "linear" || mode == "bilinear") return ops::Interpolation::linear;
  throw UserError("has the mode " + runtime::quote(mode) + ", supported are nearest and linear");
}

ops::Coordinates coordinates_of(const std::string& name) {
  if (name == "half_pixel") return ops::Coordinates::half_pixel;
  if (name == "pytorch_half_pixel") return ops::Coordinates::pytorch_half_pixel;
  if (name == "asymmetric") return ops::Coordinates::asymmetric;
  if (name == "align_corners") return ops::Coordinates::align_corners;
  throw UserError("has the coordinate_transformation_mode " + runtime::quote(name) +
                  ", supported are half_pixel, pytorch_half_pixel, asymmetric and align_corners");
}

ops::Rounding rounding_of(const std::string& name) {
  if (name == "round_prefer_floor") return ops::Rounding::prefer_floor;
  if (name == "round_prefer_ceil") return ops::Rounding::prefer_ceil;
  if (name == "floor") return ops::Rounding::floor;
  if (name == "ceil") return ops::Rounding::ceil;
  throw UserError("has the nearest_mode " + runtime::quote(name));
}

/// Where the last corner lies if the new extent is no whole number, ONNX's tests and its runtimes
/// do not agree on.
void check_corners(double extent) {
  if (extent == std::floor(extent)) return;
  throw UserError(
      "aligns corners of " + std::to_string(extent) + " rows or columns, which is no whole number",
      "give the sizes instead of scales");
}

/// `sizes` and `scales` are for all axes of the tensor; one of them is empty.
void resize(NodeImport& node, ops::Resize op, const std::vector<int64_t>& sizes,
            const std::vector<float>& scales) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 3);
  const std::size_t rank = symbol.dims.size();
  if ((sizes.empty() ? scales.size() : sizes.size()) != rank) {
    throw UserError("has sizes or scales for another number of axes than " +
                    dims_text(symbol.dims) + " has");
  }
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const int64_t extent = symbol.dims[axis];
    if (axis < 2) {
      const bool stays = sizes.empty() ? scales[axis] == 1.0f
                                       : sizes[axis] == extent || (axis == 0 && sizes[0] == 1);
      if (!stays) throw UserError("resizes axis " + std::to_string(axis) + " of a picture");
    } else {
      op.size.push_back(sizes.empty() ? 0 : sizes[axis]);
      op.scale.push_back(sizes.empty() ? scales[axis] : 0.0f);
      if (op.coordinates == ops::Coordinates::align_corners && sizes.empty()) {
        check_corners(static_cast<double>(scales[axis]) * static_cast<double>(extent));
      }
    }
  }
  const dsl::Value y = node.builder.add(op, {x.value});
  const Shape shape = node.builder.graph_shape(y);
  Dims dims = {symbol.dims[0]};
  for (int axis = 1; axis < shape.rank; ++axis) dims.push_back(shape[axis]);
  node.set(node.builder.wrap(y, dims));
}

/// Whether the graph's own operator knows how.
bool has_operator(const ResizeRule& rule) {
  static constexpr std::string_view kKnown[] = {"half_pixel", "pytorch_half_pixel", "asymmetric",
                                                "align_corners"};
  return (rule.mode == "nearest" || rule.mode == "linear") &&
         std::ranges::find(kKnown, rule.coordinates) != std::end(kKnown);
}

/// Whether the two axes in front stay as they are.
bool leaves_channels(const NodeImport& node, const std::vector<int64_t>& sizes,
                     const std::vector<float>& scales) {
  const Dims& dims = node.dims(0);
  for (std::size_t axis = 0; axis < std::min<std::size_t>(2, dims.size()); ++axis) {
    if (axis < sizes.size() && sizes[axis] != dims[axis] && (axis > 0 || sizes[0] != 1))
      return false;
    if (axis < scales.size() && scales[axis] != 1.0f) return false;
  }
  return dims.size() > 2;
}

/// Any mode along any axis, one axis after the other.
void resize_by_matrices(NodeImport& node, const ResizeRule& rule, const std::vector<int64_t>& sizes,
                        const std::vector<float>& scales, float outside) {
  Builder& builder = node.builder;
  Symbol y = node.symbol(0);
  const std::size_t rank = y.dims.size();
  if ((sizes.empty() ? scales.size() : sizes.size()) != rank) {
    throw UserError("has sizes or scales for another number of axes than " + dims_text(y.dims) +
                    " has");
  }
  const bool crops = rule.coordinates == "tf_crop_and_resize";
  const std::vector<float> box = crops ? node.reals(1) : std::vector<float>();
  if (crops && box.size() != 2 * rank) throw UserError("has no begin and end of each axis to crop");
  for (std::size_t axis = 0; axis < rank; ++axis) {
    ResizedAxis resized{.from = y.dims[axis]};
    const bool is_batch = axis == 0 && builder.by_batch();
    if (is_batch) resized.from = 1;
    if (sizes.empty()) {
      resized.scale = static_cast<double>(scales[axis]);
      // Rounded as ops::Resize and ONNX Runtime do.
      const float extent = static_cast<float>(resized.from) * scales[axis];
      resized.to = extent >= 1 && extent < kMostResized ? static_cast<int64_t>(extent) : 0;
    } else {
      resized.to = is_batch && sizes[axis] == y.dims[axis] ? 1 : sizes[axis];
      resized.scale = static_cast<double>(resized.to) / static_cast<double>(resized.from);
    }
    if (crops) {
      resized.begin = static_cast<double>(box[axis]);
      resized.end = static_cast<double>(box[rank + axis]);
    }
    const bool stays =
        resized.to == resized.from && resized.scale == 1 && resized.begin == 0 && resized.end == 1;
    if (stays) continue;
    if (resized.to < 1 || resized.to >= static_cast<int64_t>(kMostResized)) {
      throw UserError("makes " + std::to_string(resized.to) + " of the " +
                      std::to_string(resized.from) + " positions of axis " + std::to_string(axis));
    }
    if (is_batch) throw MixesSamples("resizes the batch", "");
    if (rule.coordinates == "align_corners" && sizes.empty()) {
      check_corners(static_cast<double>(resized.from) * resized.scale);
    }
    builder.spend(resized.to * resized.from);
    y = along_axis(builder, y, static_cast<int64_t>(axis), resize_matrix(rule, resized));
    if (!crops) continue;
    const std::vector<float> flags = inside(rule, resized);
    if (std::ranges::find(flags, 0.0f) == flags.end()) continue;
    Dims dims(rank - axis, 1);
    dims[0] = resized.to;
    y = elementwise(builder, "outside", [=](auto v) { return v[0] + (1.0f - v[1]) * outside; },
                    {y, Array(dims, flags)});
  }
  node.set(y);
}

}  // namespace

void import_upsample(NodeImport& node) {
  const ops::Resize op{.interpolation = interpolation_of(node.attributes.text("mode", "nearest")),
                       .coordinates = ops::Coordinates::asymmetric,
                       .rounding = ops::Rounding::floor};
  std::vector<float> scales = node.attributes.reals("scales");
  if (scales.empty() && node.opset >= 9) scales = node.reals(1);
  if (scales.empty() && node.opset < 7) {
    scales = {1, 1, node.attributes.real("height_scale", 1),
              node.attributes.real("width_scale", 1)};
  }
  resize(node, op, {}, scales);
}

void import_resize(NodeImport& node) {
  Attributes& attributes = node.attributes;
  const std::string mode = attributes.text("mode", "nearest");
  if (node.opset < 11) {
    const ops::Resize op{.interpolation = interpolation_of(mode),
                         .coordinates = ops::Coordinates::asymmetric,
                         .rounding = ops::Rounding::floor};
    resize(node, op, {}, node.reals(1));
    return;
  }
  const ResizeRule rule{
      .mode = mode,
      .coordinates = attributes.text("coordinate_transformation_mode", "half_pixel"),
      .nearest = attributes.text("nearest_mode", "round_prefer_floor"),
      .cubic = static_cast<double>(attributes.real("cubic_coeff_a", -0.75f)),
      .exclude_outside = attributes.integer("exclude_outside", 0) != 0 && mode == "cubic"};
  const float outside = attributes.real("extrapolation_value", 0);
  std::vector<int64_t> sizes;
  if (node.has_input(3)) {
    const Array& given = node.constant(3);
    if (given.kind != ElementKind::integer) throw UserError("has sizes that are not integers");
    sizes = given.integers();
  }
  std::vector<float> scales;
  if (sizes.empty()) {
    if (!node.has_input(2)) throw UserError("has neither scales nor sizes");
    scales = node.reals(2);
  }
  if (has_operator(rule) && leaves_channels(node, sizes, scales)) {
    const ops::Resize op{.interpolation = interpolation_of(mode),
                         .coordinates = coordinates_of(rule.coordinates),
                         .rounding = rounding_of(rule.nearest)};
    resize(node, op, sizes, scales);
  } else {
    resize_by_matrices(node, rule, sizes, scales, outside);
  }
}

}  // namespace halcyon::compiler
