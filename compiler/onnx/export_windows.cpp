/// Convolutions, dense layers and pools as ONNX.

#include <algorithm>

#include "compiler/onnx/node_export.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

namespace {

/// "pads" as ONNX orders them: all begins, then all ends.
std::vector<int64_t> pads(const dsl::Spatial& begin, const dsl::Spatial& end, const Shape& x) {
  std::vector<int64_t> all = spatial_numbers(begin, x);
  const std::vector<int64_t> ends = spatial_numbers(end, x);
  all.insert(all.end(), ends.begin(), ends.end());
  return all;
}

template <class Op>
ModelAttributes window_attributes(const Op& op, const Shape& x) {
  return {{"kernel_shape", spatial_numbers(op.kernel, x)},
          {"strides", spatial_numbers(op.stride, x)},
          {"dilations", spatial_numbers(op.dilation, x)},
          {"pads", pads(op.pad_begin, op.pad_end, x)}};
}

/// How far the last window hangs over the padded input.
int64_t overhang(const ops::PoolWindow& op, const Shape& x, const Shape& y, int axis) {
  const int64_t covered = (y.spatial(axis) - 1) * op.stride[axis] + op.reach(axis) + 1;
  return covered - (x.spatial(axis) + op.pad_begin[axis] + op.pad_end[axis]);
}

bool hangs_over(const ops::PoolWindow& op, const Shape& x, const Shape& y) {
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    if (overhang(op, x, y, axis) > 0) return true;
  }
  return false;
}

/// Whether rounding up alone, as older versions of ONNX do, gives as many windows as our rule,
/// which wants them to start inside.
bool rounds_alike(const ops::PoolWindow& op, const Shape& x, const Shape& y) {
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const int64_t rest =
        x.spatial(axis) + op.pad_begin[axis] + op.pad_end[axis] - op.reach(axis) - 1;
    const int64_t windows = (rest + op.stride[axis] - 1) / op.stride[axis] + 1;
    if (windows != y.spatial(axis)) return false;
  }
  return true;
}

/// The number of values in each window of a mean, row-major.
std::vector<float> shares(const ops::AveragePool& op, const Shape& x, const Shape& y) {
  // Of each axis by itself: a window is a product of intervals.
  std::vector<float> all = {1};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    std::vector<float> next;
    const int64_t begin = op.count_padding ? -op.pad_begin[axis] : 0;
    const int64_t end = x.spatial(axis) + (op.count_padding ? op.pad_end[axis] : 0);
    for (const float outer : all) {
      for (int64_t window = 0; window < y.spatial(axis); ++window) {
        int64_t count = 0;
        for (int64_t k = 0; k < op.kernel[axis]; ++k) {
          const int64_t at = window * op.stride[axis] - op.pad_begin[axis] + k * op.dilation[axis];
          count += at >= begin && at < end ? 1 : 0;
        }
        next.push_back(outer * static_cast<float>(count));
      }
    }
    all = std::move(next);
  }
  for (float& value : all) value = 1 / value;
  return all;
}

/// A mean that opset 17 has no word for: the sum as a convolution of each channel with ones,
/// divided by how many values it is of.
void export_mean_as_sum(const ops::AveragePool& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const Shape& y = node.result();
  std::vector<int64_t> ends;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    ends.push_back(op.pad_end[axis] + std::max<int64_t>(overhang(op, x, y, axis), 0));
  }
  ModelAttributes attributes = window_attributes(op, x);
  std::vector<int64_t> pads = spatial_numbers(op.pad_begin, x);
  pads.insert(pads.end(), ends.begin(), ends.end());
  attributes.back() = {"pads", pads};
  attributes.push_back({"group", x[1]});
  std::vector<int64_t> filter = {x[1], 1};
  int64_t count = x[1];
  for (const int64_t extent : spatial_numbers(op.kernel, x)) {
    filter.push_back(extent);
    count *= extent;
  }
  const std::string name(node.node().name.view());
  const std::string ones = node.model().fresh(name + ".ones");
  node.model().add_constant(ones, filter,
                            std::vector<float>(static_cast<std::size_t>(count), 1.0f));
  std::vector<int64_t> map = sample_extents(y);
  map[0] = 1;
  const std::string share = node.model().fresh(name + ".shares");
  node.model().add_constant(share, map, shares(op, x, y));
  node.finish("Mul", {node.step("Conv", {node.x(), ones}, attributes), share});
}

}  // namespace

void export_operator(const ops::Conv& op, NodeExport& node) {
  ModelAttributes attributes = window_attributes(op, node.shape(0));
  attributes.push_back({"group", op.groups});
  node.finish("Conv", node.inputs(), attributes);
}

void export_operator(const ops::ConvTranspose& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  ModelAttributes attributes = window_attributes(op, x);
  attributes.push_back({"output_padding", spatial_numbers(op.output_padding, x)});
  attributes.push_back({"group", op.groups});
  node.finish("ConvTranspose", node.inputs(), attributes);
}

void export_operator(const ops::Dense&, NodeExport& node) {
  node.finish("Gemm", node.inputs(), {{"transB", int64_t{1}}});
}

void export_operator(const ops::MaxPool& op, NodeExport& node) {
  if (op.with_argmax) {
    node.refuse("gives the positions of its maxima, which ONNX counts in another way",
                "leave with_argmax out");
  }
  const Shape& x = node.shape(0);
  const Shape& y = node.result();
  ModelAttributes attributes = window_attributes(op, x);
  if (op.ceil && rounds_alike(op, x, y)) {
    attributes.push_back({"ceil_mode", int64_t{1}});
  } else if (op.ceil) {
    // More padding at the end, which a maximum does not see.
    dsl::Spatial end = op.pad_end;
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      end[axis] += std::max<int64_t>(overhang(op, x, y, axis), 0);
    }
    attributes[3] = {"pads", pads(op.pad_begin, end, x)};
  }
  node.finish("MaxPool", {node.x()}, attributes);
}

void export_operator(const ops::AveragePool& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const Shape& y = node.result();
  const std::vector<int64_t> dilation = spatial_numbers(op.dilation, x);
  const bool is_dense = std::ranges::all_of(dilation, [](int64_t step) { return step == 1; });
  const bool counts_over = op.count_padding && hangs_over(op, x, y);
  if (!is_dense || counts_over || (op.ceil && !rounds_alike(op, x, y))) {
    return export_mean_as_sum(op, node);
  }
  ModelAttributes attributes = window_attributes(op, x);
  attributes.erase(attributes.begin() + 2);  // dilations came with opset 19
  if (op.ceil) attributes.push_back({"ceil_mode", int64_t{1}});
  if (op.count_padding) attributes.push_back({"count_include_pad", int64_t{1}});
  node.finish("AveragePool", {node.x()}, attributes);
}

}  // namespace halcyon::compiler
