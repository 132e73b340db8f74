/// Pooling.

#include <algorithm>

#include "compiler/onnx/rules.h"
#include "compiler/onnx/window.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;

/// Shape rules look at each window that begins in front of the map.
constexpr int64_t kMostPadding = 1 << 16;

ops::PoolWindow window_of(NodeImport& node, const Axes& x) {
  ops::PoolWindow window;
  if (!node.attributes.has("kernel_shape")) throw UserError("has no kernel_shape");
  window.kernel = spatial_attribute(node, "kernel_shape", x, 1);
  window.stride = spatial_attribute(node, "strides", x, 1);
  window.dilation = spatial_attribute(node, "dilations", x, 1);
  const Pads pads = pads_of(node, x, window.kernel, window.stride, window.dilation);
  for (int axis = 0; axis < pads.begin.rank; ++axis) {
    if (std::max(pads.begin[axis], pads.end[axis]) > kMostPadding) {
      throw UserError("pads by more than " + std::to_string(kMostPadding) + " positions");
    }
  }
  window.pad_begin = pads.begin;
  window.pad_end = pads.end;
  window.ceil = node.attributes.integer("ceil_mode", 0) != 0;
  return window;
}

void import_global(NodeImport& node, ops::ReduceKind kind) {
  const Symbol x = node.symbol(0);
  node.builder.image(x, 3);  // refuses what is no picture
  std::vector<int64_t> axes;
  for (std::size_t axis = 2; axis < x.dims.size(); ++axis) {
    axes.push_back(static_cast<int64_t>(axis));
  }
  node.set(reduce(node.builder, kind, x, axes, /*keep_dims=*/true));
}

}  // namespace

void import_max_pool(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 3);
  node.attributes.ignore("storage_order");  // of the indices
  if (node.has_output(1)) throw UserError("gives the indices of its maxima");
  const ops::MaxPool op{window_of(node, x)};
  node.set(picture(node, node.builder.add(op, {x.value}), symbol));
}

void import_average_pool(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 3);
  ops::AveragePool op{window_of(node, x)};
  op.count_padding = node.attributes.integer("count_include_pad", 0) != 0;
  node.set(picture(node, node.builder.add(op, {x.value}), symbol));
}

void import_global_average_pool(NodeImport& node) { import_global(node, ops::ReduceKind::mean); }

void import_global_max_pool(NodeImport& node) { import_global(node, ops::ReduceKind::max); }

}  // namespace halcyon::compiler
