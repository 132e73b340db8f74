#include "compiler/onnx/window.h"

#include <algorithm>

#include "runtime/weights.h"

namespace halcyon::compiler {

using dsl::Spatial;

Spatial spatial_of(const std::vector<int64_t>& numbers) {
  if (numbers.size() > 3) {
    throw UserError("has " + std::to_string(numbers.size()) +
                    " spatial axes, at most 3 are supported");
  }
  Spatial spatial;
  for (int64_t number : numbers) spatial.push_back(number);
  return spatial;
}

Spatial spatial_attribute(NodeImport& node, const std::string& name, const Axes& x,
                          int64_t otherwise) {
  const std::size_t axes = x.extents.size() - 1;
  const std::vector<int64_t> numbers =
      node.attributes.integers(name, std::vector<int64_t>(axes, otherwise));
  if (numbers.size() != axes) {
    throw UserError("has " + std::to_string(numbers.size()) + " numbers in " + name + " for its " +
                    std::to_string(axes) + " spatial axes");
  }
  for (int64_t number : numbers) {
    if (number < 0 || number > dsl::kMaxElements) {
      throw UserError("has " + std::to_string(number) + " in " + name);
    }
  }
  return spatial_of(numbers);
}

Pads pads_of(NodeImport& node, const Axes& x, const Spatial& kernel, const Spatial& stride,
             const Spatial& dilation) {
  const std::size_t axes = x.extents.size() - 1;
  const std::string automatic = node.attributes.text("auto_pad", "NOTSET");
  const std::vector<int64_t> given =
      node.attributes.integers("pads", std::vector<int64_t>(2 * axes, 0));
  Pads pads{spatial_of(std::vector<int64_t>(axes, 0)), spatial_of(std::vector<int64_t>(axes, 0))};
  if (automatic == "VALID") return pads;
  if (automatic == "NOTSET") {
    if (given.size() != 2 * axes) {
      throw UserError("has " + std::to_string(given.size()) + " numbers in pads for its " +
                      std::to_string(axes) + " spatial axes");
    }
    for (std::size_t i = 0; i < axes; ++i) {
      pads.begin[static_cast<int>(i)] = given[i];
      pads.end[static_cast<int>(i)] = given[axes + i];
    }
    return pads;
  }
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER") {
    throw UserError("has the auto_pad " + runtime::quote(automatic) +
                    ", expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  }
  for (std::size_t i = 0; i < axes; ++i) {
    const int axis = static_cast<int>(i);
    dsl::rules::check_positive("stride", stride[axis]);
    const int64_t extent = x.extents[i + 1];
    const int64_t outputs = (extent + stride[axis] - 1) / stride[axis];
    const int64_t total = std::max<int64_t>(
        0, (outputs - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - extent);
    const int64_t half = total / 2, rest = total - half;
    pads.begin[axis] = automatic == "SAME_UPPER" ? half : rest;
    pads.end[axis] = automatic == "SAME_UPPER" ? rest : half;
  }
  return pads;
}

int64_t spread_extent(int64_t extent, int64_t stride, int64_t dilation, int64_t kernel) {
  return (extent - 1) * stride + dilation * (kernel - 1) + 1;
}

Symbol picture(NodeImport& node, dsl::Value y, const Symbol& x) {
  const Shape shape = node.builder.graph_shape(y);
  Dims dims = {x.dims[0]};
  for (int axis = 1; axis < shape.rank; ++axis) dims.push_back(shape[axis]);
  return node.builder.wrap(y, dims);
}

}  // namespace halcyon::compiler
