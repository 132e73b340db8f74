#pragma once
/// Resizing along one axis as a product with a matrix: what the operator Resize of the graph does
/// not have (cubic interpolation, cropping, axes of batch or channels).
/// Source: ONNX Resize-13.

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/onnx/array.h"

namespace halcyon::compiler {

struct ResizeRule {
  std::string mode = "nearest";            ///< nearest, linear or cubic
  std::string coordinates = "half_pixel";  ///< coordinate_transformation_mode
  std::string nearest = "round_prefer_floor";
  double cubic = -0.75;          ///< cubic_coeff_a
  bool exclude_outside = false;  ///< neighbours beyond the border have no weight
};

/// One axis.
struct ResizedAxis {
  int64_t from = 1, to = 1;
  double scale = 1;
  double begin = 0, end = 1;  ///< of what is cropped, as parts of the axis
};

/// Shapes: -> [to, from], each row the weights of the inputs of one output. A row of zeros: the
/// output lies outside of what was cropped.
/// Errors: UserError for a name that is none.
Array resize_matrix(const ResizeRule& rule, const ResizedAxis& axis);

/// Which outputs lie inside: 1, others 0. Shapes: -> [to]
std::vector<float> inside(const ResizeRule& rule, const ResizedAxis& axis);

}  // namespace halcyon::compiler
