/// Constants and what is computed from shapes: no node of the graph comes of these.

#include <algorithm>
#include <cmath>

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"

namespace halcyon::compiler {

namespace {

using onnx::TensorProto;

Array integers_array(std::vector<int64_t> values) {
  Dims dims = {static_cast<int64_t>(values.size())};
  return {std::move(dims), std::move(values)};
}

Array to_kind(Builder& builder, const Array& array, ElementKind kind) {
  if (array.kind == kind) return array;
  builder.spend(array.size(), array);
  Array made;
  if (kind == ElementKind::real) {
    std::vector<float> values;
    for (int64_t value : array.integers()) {
      if (value == kBatchNumber) throw MixesSamples("makes a real number of the batch");
      values.push_back(static_cast<float>(value));
    }
    made = Array(array.dims, std::move(values));
  } else {
    std::vector<int64_t> values;
    for (int64_t i = 0; i < array.size(); ++i) {
      const double number = array.number(i);
      if (kind == ElementKind::truth) {
        values.push_back(number != 0 ? 1 : 0);
      } else if (std::abs(number) < 0x1p62) {
        values.push_back(static_cast<int64_t>(number));
      } else if (array.kind != ElementKind::real) {
        values.push_back(array.integers()[static_cast<std::size_t>(i)]);
      } else {
        throw UserError("makes an integer of " + std::to_string(number));
      }
    }
    made = Array(array.dims, std::move(values), kind);
  }
  made.name = array.name;
  return made;
}

}  // namespace

void import_identity(NodeImport& node) {
  node.attributes.ignore("consumed_inputs");
  node.set(node.item(0));
}

void import_constant(NodeImport& node) {
  Attributes& attributes = node.attributes;
  if (const std::optional<Array> value = attributes.tensor("value")) {
    Array array = *value;
    array.name.clear();  // the tensor is known by the node's output
    node.set(array);
  } else if (attributes.has("value_float")) {
    node.set(Array({}, std::vector<float>{attributes.real("value_float", 0)}));
  } else if (attributes.has("value_int")) {
    node.set(Array({}, std::vector<int64_t>{plain_number(attributes.integer("value_int", 0))}));
  } else if (attributes.has("value_floats")) {
    std::vector<float> values = attributes.reals("value_floats");
    Dims dims = {static_cast<int64_t>(values.size())};
    node.set(Array(std::move(dims), std::move(values)));
  } else if (attributes.has("value_ints")) {
    std::vector<int64_t> values = attributes.integers("value_ints");
    std::ranges::transform(values, values.begin(), plain_number);
    node.set(integers_array(std::move(values)));
  } else {
    throw UserError("has none of the attributes value, value_float(s) and value_int(s)");
  }
}

void import_constant_of_shape(NodeImport& node) {
  Array value = node.attributes.tensor("value").value_or(Array({1}, std::vector<float>{0}));
  if (value.size() != 1) throw UserError("has a value of more than one number");
  const Dims dims = node.integers(0);
  const int64_t count = count_elements(dims, "the result");
  node.builder.spend(count);
  value.name.clear();
  node.set(value.picked(dims, std::vector<int64_t>(static_cast<std::size_t>(count), 0)));
}

void import_shape(NodeImport& node) {
  const Dims& dims = node.dims(0);
  const auto rank = static_cast<int64_t>(dims.size());
  const auto bound = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const int64_t begin = bound(node.attributes.integer("start", 0));
  const int64_t end = bound(node.attributes.integer("end", rank));
  std::vector<int64_t> extents;
  for (int64_t axis = begin; axis < end; ++axis) {
    extents.push_back(dims[static_cast<std::size_t>(axis)]);
  }
  node.set(integers_array(std::move(extents)));
}

void import_size(NodeImport& node) {
  const Dims& dims = node.dims(0);
  if (std::ranges::find(dims, kBatchNumber) != dims.end()) {
    throw MixesSamples("counts the values of the whole batch",
                       "--input-shape with numbers for all axes imports the model for one batch");
  }
  node.set(Array({}, std::vector<int64_t>{count_elements(dims, "the tensor")}));
}

void import_range(NodeImport& node) {
  const Array &start = node.constant(0), &limit = node.constant(1), &delta = node.constant(2);
  for (const Array* array : {&start, &limit, &delta}) {
    if (array->size() != 1 || array->kind != start.kind) {
      throw UserError("has bounds that are not one number each, all of one type");
    }
  }
  const bool is_real = start.kind == ElementKind::real;
  for (std::size_t i = 0; i < 3 && !is_real; ++i) {
    // Which double precision counts exactly, and far from what overflows.
    constexpr int64_t kExact = int64_t{1} << 53;
    const int64_t bound = node.integers(i)[0];
    if (bound < -kExact || bound > kExact) {
      throw UserError("has the bound " + std::to_string(bound) + ", which is too large");
    }
  }
  const double step = delta.number(0);
  const double steps = std::ceil((limit.number(0) - start.number(0)) / step);
  if (!(step != 0) || !(steps < static_cast<double>(dsl::kMaxElements))) {
    throw UserError("never ends, or after too many numbers");
  }
  const auto count = static_cast<int64_t>(std::max(steps, 0.0));
  node.builder.spend(count);
  std::vector<float> reals;
  std::vector<int64_t> integers;
  for (int64_t i = 0; i < count; ++i) {
    const double value = start.number(0) + static_cast<double>(i) * step;
    if (is_real) {
      reals.push_back(static_cast<float>(value));
    } else {
      integers.push_back(static_cast<int64_t>(value));
    }
  }
  node.set(is_real ? Array({count}, std::move(reals)) : integers_array(std::move(integers)));
}

void import_cast(NodeImport& node) {
  int32_t type = 0;
  if (node.node.op_type() == "CastLike") {
    const ElementKind like = node.kind(1);
    type = like == ElementKind::real      ? TensorProto::FLOAT
           : like == ElementKind::integer ? TensorProto::INT64
                                          : TensorProto::BOOL;
  } else {
    type = static_cast<int32_t>(node.attributes.integer("to", 0));
  }
  if (type == TensorProto::BFLOAT16 && !node.is_constant(0)) {
    throw UserError("rounds what the network computes to bfloat16",
                    "networks compute in single precision");
  }
  node.set(as_kind(node.builder, node.item(0), element_kind(type, "the result")));
}

// Half and double precision are computed in single precision; integers and truth values of a
// network are kept in it, and are exact up to 2^24.
Item as_kind(Builder& builder, const Item& item, ElementKind to) {
  if (const auto* array = std::get_if<Array>(&item)) return to_kind(builder, *array, to);
  Symbol symbol = std::get<Symbol>(item);
  if (to != symbol.kind && to == ElementKind::truth) {
    symbol =
        elementwise(builder, "not_zero",
                    [](auto x) { return select(x[0] == 0.0f, dsl::Scalar(0.0f), 1.0f); }, {symbol});
  } else if (to != symbol.kind && to == ElementKind::integer && symbol.kind == ElementKind::real) {
    symbol = elementwise(
        builder, "truncate",
        [](auto x) { return select(x[0] < 0.0f, -dsl::floor(-x[0]), dsl::floor(x[0])); }, {symbol});
  }
  symbol.kind = to;
  return symbol;
}

}  // namespace halcyon::compiler
