/// Reductions, normalisation and what works along the channels as ONNX.

#include <array>
#include <string_view>

#include "compiler/onnx/decimal.h"
#include "compiler/onnx/node_export.h"
#include "dsl/formula_text.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

namespace {

std::vector<int64_t> spatial_axes(const Shape& x) {
  std::vector<int64_t> axes;
  for (int axis = 2; axis < x.rank; ++axis) axes.push_back(axis);
  return axes;
}

/// Per channel or group of each sample, [N,C], seen as [N,C,1,1].
std::string per_channel(NodeExport& node, const std::string& numbers, const Shape& x) {
  std::vector<int64_t> extents(static_cast<std::size_t>(x.rank - 1), 1);
  extents[0] = x[1];
  return node.reshaped(numbers, extents);
}

/// One number of a group for each of its channels: [N,groups] -> [N,C,1,1].
std::string spread(NodeExport& node, const std::string& numbers, int64_t groups, const Shape& x) {
  if (groups == x[1]) return per_channel(node, numbers, x);
  const std::string apart = node.reshaped(numbers, {groups, 1});
  const std::vector<int64_t> extents = {1, groups, x[1] / groups};
  return per_channel(node, node.step("Expand", {apart, node.model().integers(extents)}), x);
}

}  // namespace

bool is_instance_norm(const dsl::Graph& graph, const dsl::Node& node) {
  if (!std::holds_alternative<ops::Normalize>(node.op)) return false;
  const dsl::Value mean = node.inputs[3], variance = node.inputs[4];
  const dsl::Node& moments = graph.node(mean);
  return std::holds_alternative<ops::Moments>(moments.op) && mean.node == variance.node &&
         mean.output == 0 && variance.output == 1 && moments.inputs[0] == node.inputs[0] &&
         graph.shape(node.inputs[0]).rank > 2;
}

void export_operator(const ops::Reduce& op, NodeExport& node) {
  std::vector<int64_t> axes;
  for (int i = 0; i < op.axes.rank; ++i) axes.push_back(op.axes[i]);
  const bool is_global = op.keep_dims && !axes.empty() && axes == spatial_axes(node.shape(0));
  const int64_t keep = op.keep_dims ? 1 : 0;
  switch (op.kind) {
    case ops::ReduceKind::sum:
      return node.finish("ReduceSum", {node.x(), node.model().integers(axes)},
                         {{"keepdims", keep}});
    case ops::ReduceKind::mean:
      if (is_global) return node.finish("GlobalAveragePool", {node.x()});
      return node.finish("ReduceMean", {node.x()}, {{"axes", axes}, {"keepdims", keep}});
    case ops::ReduceKind::max:
      if (is_global) return node.finish("GlobalMaxPool", {node.x()});
      return node.finish("ReduceMax", {node.x()}, {{"axes", axes}, {"keepdims", keep}});
    case ops::ReduceKind::min:
      return node.finish("ReduceMin", {node.x()}, {{"axes", axes}, {"keepdims", keep}});
  }
}

void export_operator(const ops::BatchNorm& op, NodeExport& node) {
  ModelAttributes attributes = {{"epsilon", op.epsilon}};
  attributes.push_back({"momentum", static_cast<float>(1 - decimal(op.momentum))});
  node.finish("BatchNormalization", node.inputs(), attributes);
}

void export_operator(const ops::Moments&, NodeExport& node) {
  const Shape& x = node.shape(0);
  if (x.rank == 2) {  // a value is its own mean
    node.finish("Identity", {node.x()});
    return node.finish("Sub", {node.x(), node.x()}, {}, 1);
  }
  const std::vector<int64_t> axes = spatial_axes(x);
  node.finish("ReduceMean", {node.x()}, {{"axes", axes}, {"keepdims", int64_t{0}}});
  const std::string mean =
      node.step("ReduceMean", {node.x()}, {{"axes", axes}, {"keepdims", int64_t{1}}});
  const std::string centred = node.step("Sub", {node.x(), mean});
  node.finish("ReduceMean", {node.step("Mul", {centred, centred})},
              {{"axes", axes}, {"keepdims", int64_t{0}}}, 1);
}

void export_operator(const ops::GroupMoments& op, NodeExport& node) {
  const int64_t channels = node.shape(0)[1];
  const std::vector<int64_t> groups = {op.groups, channels / op.groups};
  const ModelAttributes over_group = {{"axes", std::vector<int64_t>{2}}, {"keepdims", int64_t{0}}};
  const std::string means = node.reshaped(node.x(0), groups);
  const std::string variances = node.reshaped(node.x(1), groups);
  node.finish("ReduceMean", {means}, over_group);
  // What lies within channels, and between them.
  const std::string mean = node.step("ReduceMean", {means},
                                     {{"axes", std::vector<int64_t>{2}}, {"keepdims", int64_t{1}}});
  const std::string apart = node.step("Sub", {means, mean});
  const std::string sum = node.step("Add", {variances, node.step("Mul", {apart, apart})});
  node.finish("ReduceMean", {sum}, over_group, 1);
}

void export_operator(const ops::Normalize& op, NodeExport& node) {
  if (is_instance_norm(node.graph(), node.node())) {
    return node.finish("InstanceNormalization", {node.x(0), node.x(1), node.x(2)},
                       {{"epsilon", op.epsilon}});
  }
  const Shape& x = node.shape(0);
  const int64_t groups = node.shape(3)[1];
  const std::string mean = spread(node, node.x(3), groups, x);
  const std::string variance = spread(node, node.x(4), groups, x);
  const std::string sum = node.step("Add", {variance, node.model().number(op.epsilon)});
  const std::string z =
      node.step("Div", {node.step("Sub", {node.x(0), mean}), node.step("Sqrt", {sum})});
  node.finish("Add", {node.step("Mul", {z, node.aligned(1, x.rank)}), node.aligned(2, x.rank)});
}

void export_operator(const ops::L2Normalize& op, NodeExport& node) {
  const std::string length = node.step(
      "ReduceL2", {node.x()}, {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{1}}});
  node.finish("Div", {node.x(), node.step("Max", {length, node.model().number(op.epsilon)})});
}

void export_operator(const ops::LocalResponseNorm& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  if (op.across == ops::Neighbours::channels) {
    const ModelAttributes attributes = {
        {"size", op.size}, {"alpha", op.alpha}, {"beta", op.beta}, {"bias", op.bias}};
    // Many programs want pictures; the sum runs over channels alone.
    if (x.rank == 4) return node.finish("LRN", {node.x()}, attributes);
    const std::string picture = node.reshaped(node.x(), {x[1], x.elements() / x[1], 1});
    return node.finish_reshaped(node.step("LRN", {picture}, attributes), sample_extents(x));
  }
  const auto axes = static_cast<std::size_t>(x.spatial_rank());
  const std::vector<int64_t> kernel(axes, op.size), strides(axes, 1), pads(2 * axes, op.size / 2);
  const std::string mean = node.step("AveragePool", {node.step("Mul", {node.x(), node.x()})},
                                     {{"kernel_shape", kernel},
                                      {"strides", strides},
                                      {"pads", pads},
                                      {"count_include_pad", int64_t{1}}});
  ModelWriter& model = node.model();
  const std::string scaled = node.step("Mul", {mean, model.number(op.alpha)});
  const std::string sum = node.step("Add", {scaled, model.number(op.bias)});
  node.finish("Div", {node.x(), node.step("Pow", {sum, model.number(op.beta)})});
}

void export_operator(const ops::Softmax&, NodeExport& node) {
  node.finish("Softmax", {node.x()}, {{"axis", int64_t{1}}});
}

void export_operator(const ops::LogSoftmax&, NodeExport& node) {
  node.finish("LogSoftmax", {node.x()}, {{"axis", int64_t{1}}});
}

void export_operator(const ops::MatMul& op, NodeExport& node) {
  const ModelAttributes turned = {{"perm", std::vector<int64_t>{0, 2, 1}}};
  const std::string a = op.transpose_a ? node.step("Transpose", {node.x(0)}, turned) : node.x(0);
  const std::string b = op.transpose_b ? node.step("Transpose", {node.x(1)}, turned) : node.x(1);
  node.finish("MatMul", {a, b});
}

void export_operator(const ops::Dropout& op, NodeExport& node) {
  node.finish("Dropout", {node.x(), node.model().number(op.probability)});
}

}  // namespace halcyon::compiler
