/// Resize and its predecessor Upsample, along spatial axes.

#include <cmath>

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;

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
    }
  }
  const dsl::Value y = node.builder.add(op, {x.value});
  const Shape shape = node.builder.graph_shape(y);
  Dims dims = {symbol.dims[0]};
  for (int axis = 1; axis < shape.rank; ++axis) dims.push_back(shape[axis]);
  node.set(node.builder.wrap(y, dims));
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
  ops::Resize op{.interpolation = interpolation_of(attributes.text("mode", "nearest"))};
  if (node.opset < 11) {
    op.coordinates = ops::Coordinates::asymmetric;
    op.rounding = ops::Rounding::floor;
    resize(node, op, {}, node.reals(1));
    return;
  }
  op.coordinates = coordinates_of(attributes.text("coordinate_transformation_mode", "half_pixel"));
  op.rounding = rounding_of(attributes.text("nearest_mode", "round_prefer_floor"));
  // They say something about modes that were refused above.
  for (const char* name : {"cubic_coeff_a", "extrapolation_value"}) attributes.ignore(name);
  if (attributes.integer("exclude_outside", 0) != 0) {
    throw UserError("excludes what lies outside (exclude_outside)");
  }
  if (node.has_input(3)) {
    const Array& given = node.constant(3);
    if (given.kind != ElementKind::integer) throw UserError("has sizes that are not integers");
    if (given.size() > 0) {
      resize(node, op, given.integers(), {});
      return;
    }
  }
  if (!node.has_input(2)) throw UserError("has neither scales nor sizes");
  resize(node, op, {}, node.reals(2));
}

}  // namespace halcyon::compiler
