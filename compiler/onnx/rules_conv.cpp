/// Convolutions, and the windows that they share with pooling.

#include "compiler/onnx/rules.h"
#include "compiler/onnx/window.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Spatial;
using dsl::Value;

/// The weight, [K,C/groups,R,S] or [C,K/groups,R,S], whose rank is that of the picture.
const Array& weight_of(NodeImport& node, const Axes& x) {
  const Array& weight = node.constant(1);
  if (weight.kind != ElementKind::real) throw UserError("has a weight that is not of real numbers");
  if (weight.dims.size() != x.extents.size() + 1) {
    throw UserError("has a weight " + dims_text(weight.dims) + " for " +
                        std::to_string(x.extents.size() - 1) + " spatial axes",
                    "[filters, channels, kernel...]");
  }
  return weight;
}

std::vector<Value> weighted(NodeImport& node, const Axes& x, const Array& weight) {
  std::vector<Value> inputs = {x.value, node.builder.parameter(weight, plain_shape(weight.dims))};
  if (node.has_input(2)) {
    const Array& bias = node.constant(2);
    node.reals(2);  // refuses integers
    if (bias.dims.size() != 1) throw UserError("has a bias " + dims_text(bias.dims));
    inputs.push_back(node.builder.parameter(bias, plain_shape(bias.dims)));
  }
  return inputs;
}

Spatial kernel_of(NodeImport& node, const Array& weight) {
  const Dims kernel(weight.dims.begin() + 2, weight.dims.end());
  const Dims said = node.attributes.integers("kernel_shape", kernel);
  if (said != kernel) {
    throw UserError("has a kernel_shape " + dims_text(said) + " and a weight " +
                    dims_text(weight.dims));
  }
  return spatial_of(kernel);
}

}  // namespace

void import_conv(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 3);
  const Array& weight = weight_of(node, x);
  ops::Conv op;
  op.filters = weight.dims[0];
  op.groups = node.attributes.integer("group", 1);
  op.kernel = kernel_of(node, weight);
  op.stride = spatial_attribute(node, "strides", x, 1);
  op.dilation = spatial_attribute(node, "dilations", x, 1);
  const Pads pads = pads_of(node, x, op.kernel, op.stride, op.dilation);
  op.pad_begin = pads.begin;
  op.pad_end = pads.end;
  node.set(picture(node, node.builder.add(op, weighted(node, x, weight)), symbol));
}

void import_conv_transpose(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 3);
  const Array& weight = weight_of(node, x);
  ops::ConvTranspose op;
  op.groups = node.attributes.integer("group", 1);
  dsl::rules::check_positive("group", op.groups);
  op.filters = weight.dims[1] * std::min<int64_t>(op.groups, dsl::kMaxElements);
  op.kernel = kernel_of(node, weight);
  op.stride = spatial_attribute(node, "strides", x, 1);
  op.dilation = spatial_attribute(node, "dilations", x, 1);
  op.output_padding = spatial_attribute(node, "output_padding", x, 0);
  const Dims wanted = node.attributes.integers("output_shape");
  const std::string automatic = node.attributes.text("auto_pad", "NOTSET");
  if (wanted.empty() && !automatic.starts_with("SAME")) {
    const Pads pads = pads_of(node, x, op.kernel, op.stride, op.dilation);
    op.pad_begin = pads.begin;
    op.pad_end = pads.end;
  } else {
    // What is to be cut off follows from the extents that are left. Source: ONNX ConvTranspose-11.
    node.attributes.ignore("pads");
    const std::size_t axes = x.extents.size() - 1;
    if (!wanted.empty() && wanted.size() < axes) {
      throw UserError("has an output_shape " + dims_text(wanted) + " of too few axes");
    }
    for (int64_t extent : wanted) dsl::rules::check_positive("output_shape", extent);
    for (std::size_t i = 0; i < axes; ++i) {
      const int axis = static_cast<int>(i);
      const int64_t full =
          spread_extent(x.extents[i + 1], op.stride[axis], op.dilation[axis], op.kernel[axis]) +
          op.output_padding[axis];
      const int64_t extent =
          wanted.empty() ? x.extents[i + 1] * op.stride[axis] : wanted[wanted.size() - axes + i];
      const int64_t cut = full - extent;
      if (cut < 0) {
        op.output_padding[axis] -= cut;
        continue;
      }
      // Operator set 11 turned the order around.
      const bool more_in_front = (automatic == "SAME_UPPER") == (node.opset < 11);
      const int64_t half = cut / 2, rest = cut - half;
      op.pad_begin[axis] = more_in_front ? rest : half;
      op.pad_end[axis] = more_in_front ? half : rest;
    }
  }
  node.set(picture(node, node.builder.add(op, weighted(node, x, weight)), symbol));
}

}  // namespace halcyon::compiler
