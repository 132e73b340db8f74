/// Normalisation, and dropout.

#include <numeric>

#include "compiler/onnx/decimal.h"
#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Scalar;
using dsl::Value;

/// One number for each channel.
Value per_channel(NodeImport& node, std::size_t input, int64_t channels, bool trainable = true) {
  const Array& array = node.constant(input);
  if (array.kind != ElementKind::real || array.size() != channels) {
    throw UserError("has an input " + dims_text(array.dims) +
                    " where one real number for each of " + std::to_string(channels) +
                    " channels is expected");
  }
  return node.builder.parameter(array, Shape{channels}, trainable);
}

/// Before anything is said of the picture: what depends on the batch does not matter where these
/// are missing.
void need_constants(const NodeImport& node, std::size_t first, std::size_t end) {
  for (std::size_t input = first; input < end; ++input) node.constant(input);
}

/// Axes from `first` to the last.
std::vector<int64_t> axes_from(int64_t first, std::size_t rank) {
  std::vector<int64_t> axes(rank - static_cast<std::size_t>(first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

}  // namespace

void import_batch_normalization(NodeImport& node) {
  for (const char* name : {"consumed_inputs", "is_test"}) node.attributes.ignore(name);
  if (node.attributes.integer("spatial", 1) == 0) {
    throw UserError("has statistics for each position (spatial = 0)");
  }
  if (node.attributes.integer("training_mode", 0) != 0) {
    throw UserError("is in training mode", "export the model for inference");
  }
  need_constants(node, 1, 5);
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 2);
  const ops::BatchNorm op{
      .epsilon = node.attributes.real("epsilon", 1e-5f),
      .momentum = static_cast<float>(1 - decimal(node.attributes.real("momentum", 0.9f)))};
  const int64_t channels = x.extents[0];
  const Value y =
      node.builder.add(op, {x.value, per_channel(node, 1, channels), per_channel(node, 2, channels),
                            per_channel(node, 3, channels, /*trainable=*/false),
                            per_channel(node, 4, channels, /*trainable=*/false)});
  node.set(node.builder.wrap(y, symbol.dims));
}

void import_instance_normalization(NodeImport& node) {
  need_constants(node, 1, 3);
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 3);
  node.attributes.ignore("consumed_inputs");
  const ops::Normalize op{.epsilon = node.attributes.real("epsilon", 1e-5f)};
  const int64_t channels = x.extents[0];
  const int32_t moments = node.builder.add_node(ops::Moments{}, {x.value});
  const Value y = node.builder.add(op, {x.value,
                                        per_channel(node, 1, channels),
                                        per_channel(node, 2, channels),
                                        {moments, 0},
                                        {moments, 1}});
  node.set(node.builder.wrap(y, symbol.dims));
}

void import_layer_normalization(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol x = node.symbol(0);
  node.attributes.ignore("stash_type");
  const int64_t axis = NodeImport::axis_of(node.attributes.integer("axis", -1), x.dims.size());
  const float epsilon = node.attributes.real("epsilon", 1e-5f);
  const std::vector<int64_t> axes = axes_from(axis, x.dims.size());
  const Symbol mean = reduce(builder, ops::ReduceKind::mean, x, axes, true);
  const Symbol centred = elementwise(builder, "sub", [](auto v) { return v[0] - v[1]; }, {x, mean});
  const Symbol squares =
      elementwise(builder, "square", [](auto v) { return v[0] * v[0]; }, {centred});
  const Symbol variance = reduce(builder, ops::ReduceKind::mean, squares, axes, true);
  const Symbol inverse =
      elementwise(builder, "inverse_deviation",
                  [=](auto v) { return 1.0f / dsl::sqrt(v[0] + epsilon); }, {variance});
  Symbol y = elementwise(builder, "mul", [](auto v) { return v[0] * v[1]; }, {centred, inverse});
  y = elementwise(builder, "mul", [](auto v) { return v[0] * v[1]; }, {y, node.item(1)});
  if (node.has_input(2)) {
    y = elementwise(builder, "add", [](auto v) { return v[0] + v[1]; }, {y, node.item(2)});
  }
  node.set(y);
  node.set(1, mean);
  node.set(2, inverse);
}

void import_mean_variance_normalization(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol x = node.symbol(0);
  std::vector<int64_t> axes;
  for (int64_t axis : node.attributes.integers("axes", {0, 2, 3})) {
    axes.push_back(NodeImport::axis_of(axis, x.dims.size()));
  }
  const Symbol mean = reduce(builder, ops::ReduceKind::mean, x, axes, true);
  const Symbol centred = elementwise(builder, "sub", [](auto v) { return v[0] - v[1]; }, {x, mean});
  const Symbol squares =
      elementwise(builder, "square", [](auto v) { return v[0] * v[0]; }, {centred});
  const Symbol variance = reduce(builder, ops::ReduceKind::mean, squares, axes, true);
  node.set(elementwise(builder, "normalize",
                       [](auto v) { return v[0] / (dsl::sqrt(v[1]) + 1e-9f); },
                       {centred, variance}));
}

void import_lp_normalization(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol x = node.symbol(0);
  const int64_t axis = NodeImport::axis_of(node.attributes.integer("axis", -1), x.dims.size());
  const int64_t p = node.attributes.integer("p", 2);
  if (p != 1 && p != 2) throw UserError("has the norm p = " + std::to_string(p));
  if (p == 2 && axis == 1 && x.dims.size() <= Builder::kMaxAxes + 1 &&
      (builder.by_batch() || x.dims[0] == 1)) {
    const Axes seen = builder.axes(x, FirstAxis::left_alone);
    node.set(builder.wrap(builder.add(ops::L2Normalize{}, {seen.value}), x.dims));
    return;
  }
  const Symbol parts = elementwise(
      builder, "part", [=](auto v) { return p == 1 ? dsl::abs(v[0]) : v[0] * v[0]; }, {x});
  const Symbol sum = reduce(builder, ops::ReduceKind::sum, parts, {axis}, true);
  // Where all values are zero, so is the result.
  node.set(elementwise(builder, "normalize",
                       [=](auto v) {
                         const Scalar length = p == 1 ? v[1] : dsl::sqrt(v[1]);
                         return v[0] / max(length, 1e-12f);
                       },
                       {x, sum}));
}

void import_lrn(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 2);
  if (!node.attributes.has("size")) throw UserError("has no size");
  const ops::LocalResponseNorm op{.size = node.attributes.integer("size", 1),
                                  .alpha = node.attributes.real("alpha", 1e-4f),
                                  .beta = node.attributes.real("beta", 0.75f),
                                  .bias = node.attributes.real("bias", 1)};
  node.set(node.builder.wrap(node.builder.add(op, {x.value}), symbol.dims));
}

void import_dropout(NodeImport& node) {
  for (const char* name : {"consumed_inputs", "is_test", "seed"}) node.attributes.ignore(name);
  float ratio = node.attributes.real("ratio", 0.5f);
  if (node.has_input(1)) {
    const std::vector<float> given = node.reals(1);
    if (given.size() != 1) throw UserError("has a ratio that is not one number");
    ratio = given[0];
  }
  if (node.has_input(2) && node.constant(2).size() == 1 && node.constant(2).number(0) != 0) {
    throw UserError("is in training mode", "export the model for inference");
  }
  const Symbol x = node.symbol(0);
  if (node.has_output(1)) {
    Dims dims = x.dims;
    if (node.builder.by_batch()) dims[0] = 1;
    const int64_t count = count_elements(dims, "the mask");
    node.builder.spend(count);
    if (node.builder.by_batch()) throw MixesSamples("gives a mask for the whole batch");
    node.set(1, Array(dims, std::vector<int64_t>(static_cast<std::size_t>(count), 1),
                      ElementKind::truth));
  }
  if (!(ratio >= 0 && ratio < 1)) {
    node.set(x);  // whatever it says, inference passes everything on
    return;
  }
  const Value y = node.builder.add(ops::Dropout{.probability = ratio}, {x.value});
  node.set(node.builder.wrap(y, x.dims));
}

}  // namespace halcyon::compiler
