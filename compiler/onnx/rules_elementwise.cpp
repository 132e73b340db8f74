/// Operators that are a function of one position.

#include <algorithm>
#include <cmath>

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"
#include "dsl/functions.h"

namespace halcyon::compiler {

namespace {

using dsl::Scalar;
using Arguments = std::span<const Scalar>;

/// Numbers of a function that ONNX keeps in attributes.
struct Number {
  const char* attribute;
  float otherwise;
};

struct UnaryRow {
  std::string_view onnx;
  const char* function;
  Scalar (*formula)(const Scalar& x, const float* numbers);
  std::vector<Number> numbers = {};
  int64_t (*integers)(int64_t) = nullptr;
};

Scalar ceil(const Scalar& x) { return -dsl::floor(-x); }

/// Halfway cases go to the even number. What is left of x decides, for x + 0.5 is rounded itself:
/// 0.49999997 would become 1, and 8388609 the next even number. Source: ONNX Round-11.
Scalar round(const Scalar& x) {
  const Scalar down = dsl::floor(x);
  const Scalar rest = x - down;
  const Scalar even = select(dsl::floor(down * 0.5f) * 2.0f == down, down, down + 1.0f);
  return select(rest > 0.5f, down + 1.0f, select(rest == 0.5f, even, down));
}

Scalar sign(const Scalar& x) {
  return select(x > 0.0f, 1.0f, select(x < 0.0f, Scalar(-1.0f), Scalar(0.0f)));
}

// clang-format off
const std::vector<UnaryRow>& unary_rows() {
  static const std::vector<UnaryRow> rows = {
    {"Abs", "abs", [](const Scalar& x, const float*) { return dsl::abs(x); }, {}, [](int64_t v) { return v < 0 ? -v : v; }},
    {"Ceil", "ceil", [](const Scalar& x, const float*) { return ceil(x); }},
    {"Celu", "celu", [](const Scalar& x, const float* n) { return max(x, 0.0f) + min(n[0] * (dsl::exp(min(x, 0.0f) / n[0]) - 1.0f), 0.0f); }, {{"alpha", 1}}},
    {"Elu", "elu", [](const Scalar& x, const float* n) { return dsl::elu(x, n[0]); }, {{"alpha", 1}}},
    {"Erf", "erf", [](const Scalar& x, const float*) { return dsl::erf(x); }},
    {"Exp", "exp", [](const Scalar& x, const float*) { return dsl::exp(x); }},
    {"Floor", "floor", [](const Scalar& x, const float*) { return dsl::floor(x); }},
    {"HardSigmoid", "hard_sigmoid", [](const Scalar& x, const float* n) { return dsl::hard_sigmoid(x, n[0], n[1]); }, {{"alpha", 0.2f}, {"beta", 0.5f}}},
    {"HardSwish", "hard_swish", [](const Scalar& x, const float*) { return dsl::hard_swish(x); }},
    {"LeakyRelu", "leaky_relu", [](const Scalar& x, const float* n) { return dsl::leaky_relu(x, n[0]); }, {{"alpha", 0.01f}}},
    {"Log", "log", [](const Scalar& x, const float*) { return dsl::log(x); }},
    {"Neg", "neg", [](const Scalar& x, const float*) { return -x; }, {}, [](int64_t v) { return -v; }},
    {"Not", "not", [](const Scalar& x, const float*) { return 1.0f - x; }, {}, [](int64_t v) { return static_cast<int64_t>(v == 0); }},
    {"Reciprocal", "reciprocal", [](const Scalar& x, const float*) { return 1.0f / x; }},
    {"Relu", "relu", [](const Scalar& x, const float*) { return dsl::relu(x); }},
    {"Round", "round", [](const Scalar& x, const float*) { return round(x); }},
    {"Selu", "selu", [](const Scalar& x, const float* n) { return n[1] * dsl::elu(x, n[0]); }, {{"alpha", dsl::kSeluAlpha}, {"gamma", dsl::kSeluScale}}},
    {"Shrink", "shrink", [](const Scalar& x, const float* n) { return select(x < -n[0], x + n[1], select(x > n[0], x - n[1], Scalar(0.0f))); }, {{"lambd", 0.5f}, {"bias", 0}}},
    {"Sigmoid", "sigmoid", [](const Scalar& x, const float*) { return dsl::sigmoid(x); }},
    {"Sign", "sign", [](const Scalar& x, const float*) { return sign(x); }},
    {"Softplus", "softplus", [](const Scalar& x, const float*) { return dsl::softplus(x); }},
    {"Softsign", "softsign", [](const Scalar& x, const float*) { return x / (1.0f + dsl::abs(x)); }},
    {"Sqrt", "sqrt", [](const Scalar& x, const float*) { return dsl::sqrt(x); }},
    {"Tanh", "tanh", [](const Scalar& x, const float*) { return dsl::tanh(x); }},
    {"ThresholdedRelu", "thresholded_relu", [](const Scalar& x, const float* n) { return select(x > n[0], x, Scalar(0.0f)); }, {{"alpha", 1}}},
  };
  return rows;
}

struct BinaryRow {
  std::string_view onnx;
  const char* function;
  Scalar (*formula)(const Scalar& a, const Scalar& b);
  int64_t (*integers)(int64_t, int64_t);
  std::optional<ElementKind> result = {};
};

int64_t whole_power(int64_t base, int64_t exponent) {
  const double value = std::pow(static_cast<double>(base), static_cast<double>(exponent));
  // Infinite, too: zero to a power below zero.
  if (!(std::abs(value) < 0x1p63)) {
    throw UserError("raises " + std::to_string(base) + " to the power " + std::to_string(exponent) +
                    ", which is no integer of 64 bits");
  }
  return static_cast<int64_t>(value);
}

int64_t quotient(int64_t a, int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1)) throw UserError("divides integers by zero");
  return a / b;
}

// Sums and products of shapes wrap around instead of overflowing: what is no shape is found where
// it is used as one.
int64_t wrapped(uint64_t value) { return plain_number(static_cast<int64_t>(value)); }

constexpr auto kTruth = ElementKind::truth;

const std::vector<BinaryRow>& binary_rows() {
  static const std::vector<BinaryRow> rows = {
    {"Add", "add", [](const Scalar& a, const Scalar& b) { return a + b; }, [](int64_t a, int64_t b) { return wrapped(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }},
    {"And", "and", [](const Scalar& a, const Scalar& b) { return a * b; }, [](int64_t a, int64_t b) { return a & b; }, kTruth},
    {"Div", "div", [](const Scalar& a, const Scalar& b) { return a / b; }, quotient},
    {"Equal", "equal", [](const Scalar& a, const Scalar& b) { return select(a == b, 1.0f, 0.0f); }, [](int64_t a, int64_t b) { return static_cast<int64_t>(a == b); }, kTruth},
    {"Greater", "greater", [](const Scalar& a, const Scalar& b) { return select(a > b, 1.0f, 0.0f); }, [](int64_t a, int64_t b) { return static_cast<int64_t>(a > b); }, kTruth},
    {"GreaterOrEqual", "greater_or_equal", [](const Scalar& a, const Scalar& b) { return select(a >= b, 1.0f, 0.0f); }, [](int64_t a, int64_t b) { return static_cast<int64_t>(a >= b); }, kTruth},
    {"Less", "less", [](const Scalar& a, const Scalar& b) { return select(a < b, 1.0f, 0.0f); }, [](int64_t a, int64_t b) { return static_cast<int64_t>(a < b); }, kTruth},
    {"LessOrEqual", "less_or_equal", [](const Scalar& a, const Scalar& b) { return select(a <= b, 1.0f, 0.0f); }, [](int64_t a, int64_t b) { return static_cast<int64_t>(a <= b); }, kTruth},
    {"Mul", "mul", [](const Scalar& a, const Scalar& b) { return a * b; }, [](int64_t a, int64_t b) { return wrapped(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); }},
    {"Or", "or", [](const Scalar& a, const Scalar& b) { return max(a, b); }, [](int64_t a, int64_t b) { return a | b; }, kTruth},
    {"PRelu", "prelu", [](const Scalar& a, const Scalar& b) { return dsl::prelu(a, b); }, nullptr},
    {"Sub", "sub", [](const Scalar& a, const Scalar& b) { return a - b; }, [](int64_t a, int64_t b) { return wrapped(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); }},
    {"Xor", "xor", [](const Scalar& a, const Scalar& b) { return dsl::abs(a - b); }, [](int64_t a, int64_t b) { return a ^ b; }, kTruth},
  };
  return rows;
}
// clang-format on

template <class Rows>
const auto& row_named(const Rows& rows, const std::string& onnx) {
  const auto row = std::ranges::find(rows, onnx, [](const auto& r) { return r.onnx; });
  if (row == rows.end()) throw InternalError("import: no row for " + onnx);
  return *row;
}

/// Operator set 6 aligned the second operand with an axis of the first.
Item aligned_by_attribute(NodeImport& node, const Item& second) {
  if (node.opset >= 7) return second;
  const bool repeats = node.attributes.integer("broadcast", 0) != 0;
  const int64_t axis = node.attributes.integer("axis", -1);
  const Dims& first = node.dims(0);
  if (!repeats || axis < 0) return second;
  Dims dims = dims_of(second);
  const int64_t at = NodeImport::axis_of(axis, first.size());
  while (dims.size() + static_cast<std::size_t>(at) < first.size()) dims.push_back(1);
  if (const auto* array = std::get_if<Array>(&second)) return array->reshaped(std::move(dims));
  return reshape(node.builder, std::get<Symbol>(second), dims);
}

/// The shape of what is not to be larger.
void check_is_repeated_to(const Dims& small, const Dims& large) {
  if (broadcast(small, large) != large) {
    throw UserError("has a slope " + dims_text(small) + " that cannot be repeated to " +
                    dims_text(large));
  }
}

/// Operator set 6 had a slope for each channel, without the axes behind it.
Item slope_of_channels(NodeImport& node, const Item& slope) {
  const Dims& x = node.dims(0);
  const auto* array = std::get_if<Array>(&slope);
  if (node.opset >= 7 || array == nullptr || array->dims.size() != 1 || x.size() < 3) return slope;
  Dims dims(x.size() - 1, 1);
  dims[0] = array->dims[0];
  return array->reshaped(std::move(dims));
}

/// A bound of Clip; nothing where there is none, or an infinite one.
std::optional<Item> clip_bound(NodeImport& node, const char* attribute, std::size_t input) {
  if (node.opset < 11) {
    const float bound = node.attributes.real(attribute, INFINITY);
    if (!std::isfinite(bound)) return {};
    return Array({}, std::vector<float>{bound});
  }
  if (!node.has_input(input)) return {};
  const auto* array = std::get_if<Array>(&node.item(input));
  if (array != nullptr && array->size() == 1 && !std::isfinite(array->number(0))) return {};
  return node.item(input);
}

/// Powers of half and small whole numbers are computed as what they are.
Scalar power(const Scalar& x, float exponent) {
  if (exponent == 0.5f) return dsl::sqrt(x);
  if (exponent == 1.0f) return x;
  if (exponent == 2.0f) return x * x;
  if (exponent == 3.0f) return x * x * x;
  if (exponent == -1.0f) return 1.0f / x;
  return pow(x, exponent);
}

}  // namespace

void import_unary(NodeImport& node) {
  const UnaryRow& row = row_named(unary_rows(), node.node.op_type());
  std::vector<float> numbers;
  for (const Number& number : row.numbers) {
    numbers.push_back(node.attributes.real(number.attribute, number.otherwise));
    if (!std::isfinite(numbers.back())) {
      throw UserError("attribute '" + std::string(number.attribute) + "' is no finite number");
    }
  }
  node.attributes.ignore("consumed_inputs");
  Elementwise op{.function = row.function,
                 .formula = [&](Arguments x) { return row.formula(x[0], numbers.data()); }};
  if (row.integers != nullptr) {
    op.integers = [&](int64_t value, int64_t) { return row.integers(value); };
  }
  node.set(elementwise(node, op, {node.item(0)}));
}

void import_binary(NodeImport& node) {
  const BinaryRow& row = row_named(binary_rows(), node.node.op_type());
  node.attributes.ignore("consumed_inputs");
  Item second = aligned_by_attribute(node, node.item(1));
  Elementwise op{.function = row.function,
                 .formula = [&](Arguments x) { return row.formula(x[0], x[1]); },
                 .result = row.result};
  if (row.integers != nullptr) op.integers = row.integers;
  if (node.node.op_type() == "PRelu") {
    second = slope_of_channels(node, second);
    check_is_repeated_to(dims_of(second), node.dims(0));
  }
  node.set(elementwise(node, op, {node.item(0), second}));
}

void import_pow(NodeImport& node) {
  node.attributes.ignore("consumed_inputs");
  const ElementKind kind = node.kind(0);
  Item exponent = aligned_by_attribute(node, node.item(1));
  Elementwise op{.function = "pow",
                 .formula = [](Arguments x) { return pow(x[0], x[1]); },
                 .integers = whole_power};
  const auto* array = std::get_if<Array>(&exponent);
  const bool is_number = array != nullptr && array->size() == 1;
  if (is_number && !node.is_constant(0) && array->dims.size() <= node.dims(0).size()) {
    const auto number = static_cast<float>(array->number(0));
    op.formula = [=](Arguments x) { return power(x[0], number); };
    node.set(elementwise(node, op, {node.item(0)}));
    return;
  }
  // The base decides the type of the result; both are real numbers where one of them is.
  Item base = node.item(0);
  const ElementKind other = node.kind(1);
  if (kind != other) {
    base = as_kind(node.builder, base, ElementKind::real);
    exponent = as_kind(node.builder, exponent, ElementKind::real);
  }
  node.set(as_kind(node.builder, elementwise(node, op, {base, exponent}), kind));
}

void import_variadic(NodeImport& node) {
  node.attributes.ignore("consumed_inputs");
  const std::string& name = node.node.op_type();
  const bool is_mean = name == "Mean";
  Elementwise op{.function = name == "Max" ? "max" : name == "Min" ? "min" : "add"};
  if (name == "Max") {
    op.formula = [](Arguments x) { return max(x[0], x[1]); };
    op.integers = [](int64_t a, int64_t b) { return std::max(a, b); };
  } else if (name == "Min") {
    op.formula = [](Arguments x) { return min(x[0], x[1]); };
    op.integers = [](int64_t a, int64_t b) { return std::min(a, b); };
  } else {
    op.formula = [](Arguments x) { return x[0] + x[1]; };
  }
  if (node.input_count() == 0) throw UserError("has no inputs");
  Item result = node.item(0);
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    result = elementwise(node, op, {result, node.item(i)});
  }
  if (is_mean) {
    const float share = 1.0f / static_cast<float>(node.input_count());
    result = elementwise(node, {"mean", [=](Arguments x) { return x[0] * share; }}, {result});
  }
  node.set(result);
}

void import_clip(NodeImport& node) {
  node.attributes.ignore("consumed_inputs");
  if (node.kind(0) != ElementKind::real) throw UserError("is not known for integers");
  // Bounds that are infinite bound nothing, and may not stand in a formula.
  const std::optional<Item> least = clip_bound(node, "min", 1);
  const std::optional<Item> most = clip_bound(node, "max", 2);
  std::vector<Item> items = {node.item(0)};
  if (least) items.push_back(*least);
  if (most) items.push_back(*most);
  if (items.size() == 1) {
    node.set(items[0]);
    return;
  }
  const auto is_number = [](const std::optional<Item>& bound, double number) {
    const auto* array = bound ? std::get_if<Array>(&*bound) : nullptr;
    return array != nullptr && array->size() == 1 && array->number(0) == number;
  };
  if (is_number(least, 0) && is_number(most, 6) && !node.is_constant(0)) {
    const Elementwise relu6{.function = "relu6",
                            .formula = [](Arguments x) { return dsl::relu6(x[0]); }};
    node.set(elementwise(node, relu6, {node.item(0)}));
    return;
  }
  const bool has_least = least.has_value(), has_most = most.has_value();
  Elementwise op{.function = has_least && has_most ? "clip" : has_least ? "max" : "min"};
  op.formula = [=](Arguments x) {
    const Scalar low = has_least ? max(x[0], x[1]) : x[0];
    return has_most ? min(low, x.back()) : low;
  };
  node.set(elementwise(node, op, items));
}

void import_where(NodeImport& node) {
  if (node.kind(0) != ElementKind::truth) throw UserError("has a condition of another type");
  const std::vector<Item> items = {node.item(0), node.item(1), node.item(2)};
  const bool all_known = node.is_constant(0) && node.is_constant(1) && node.is_constant(2);
  if (all_known && node.kind(1) != ElementKind::real) {
    // Shapes: the batch among them must stay what it is.
    Dims dims = broadcast(broadcast(node.dims(0), node.dims(1)), node.dims(2));
    const int64_t count = count_elements(dims, "the result");
    node.builder.spend(count);
    const Elementwise first{"where", {}, [](int64_t a, int64_t) { return a; }};
    const auto spread = [&](std::size_t i) {
      const Array zeros(dims, std::vector<int64_t>(static_cast<std::size_t>(count)), node.kind(i));
      return std::get<Array>(elementwise(node, first, {node.item(i), zeros}));
    };
    const Array condition = spread(0), yes = spread(1), no = spread(2);
    std::vector<int64_t> values;
    for (std::size_t i = 0; i < condition.integers().size(); ++i) {
      values.push_back(condition.integers()[i] != 0 ? yes.integers()[i] : no.integers()[i]);
    }
    node.set(Array(dims, std::move(values), node.kind(1)));
    return;
  }
  node.set(elementwise(
      node,
      {"where", [](Arguments x) { return select(x[0] > 0.5f, x[1], x[2]); }, {}, node.kind(1)},
      items));
}

}  // namespace halcyon::compiler
