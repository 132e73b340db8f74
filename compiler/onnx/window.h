#pragma once
/// Attributes of sliding windows: kernels, strides, dilations and padding.

#include "compiler/onnx/node_import.h"

namespace halcyon::compiler {

/// Errors: more than three axes.
dsl::Spatial spatial_of(const std::vector<int64_t>& numbers);

/// One number for each spatial axis of x; `otherwise` for all where there is no such attribute.
/// Errors: another number of axes.
dsl::Spatial spatial_attribute(NodeImport& node, const std::string& name, const Axes& x,
                               int64_t otherwise);

struct Pads {
  dsl::Spatial begin = 0;
  dsl::Spatial end = 0;
};
/// "pads", or what "auto_pad" makes of the input's extents. Errors: another number of axes,
/// negative padding, an unknown word.
Pads pads_of(NodeImport& node, const Axes& x, const dsl::Spatial& kernel,
             const dsl::Spatial& stride, const dsl::Spatial& dilation);

/// Extent of what a transposed convolution makes before anything is cut off.
int64_t spread_extent(int64_t extent, int64_t stride, int64_t dilation, int64_t kernel);

/// A picture of the batch that x has, with the extents of `y`.
Symbol picture(NodeImport& node, dsl::Value y, const Symbol& x);

}  // namespace halcyon::compiler
