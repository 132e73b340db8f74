/// Matrix products. A product with a weight is a dense layer, or a 1x1 convolution where there are
/// several rows for each sample; one of two computed matrices is taken sample by sample.

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Value;

/// Products of matrices behind further axes are taken one by one, up to so many.
constexpr int64_t kMaxProducts = 256;

/// The weight as [units, inputs], times a factor.
Array as_filters(const Array& weight, bool is_transposed, float factor) {
  if (is_transposed && factor == 1) return weight;
  const int64_t rows = weight.dims[0], columns = weight.dims[1];
  const int64_t units = is_transposed ? rows : columns, inputs = is_transposed ? columns : rows;
  std::vector<float> values(weight.reals().size());
  for (int64_t k = 0; k < units; ++k) {
    for (int64_t c = 0; c < inputs; ++c) {
      values[static_cast<std::size_t>(k * inputs + c)] =
          factor *
          weight
              .reals()[static_cast<std::size_t>(is_transposed ? k * columns + c : c * columns + k)];
    }
  }
  Array filters({units, inputs}, std::move(values));
  filters.name = weight.name;
  filters.is_weight = weight.is_weight;
  return filters;
}

/// One bias for each unit, if that is what `c` holds.
std::optional<Array> as_bias(const Item& c, int64_t units, float factor) {
  const auto* array = std::get_if<Array>(&c);
  if (array == nullptr || array->kind != ElementKind::real) return {};
  if (array->size() != units || array->dims.empty() || array->dims.back() != units) return {};
  if (factor == 1) return array->reshaped({units});
  std::vector<float> values = array->reals();
  for (float& value : values) value *= factor;
  Array bias({units}, std::move(values));
  bias.name = array->name;
  bias.is_weight = array->is_weight;
  return bias;
}

/// Whether a tensor is one row for each sample.
bool is_flat(const Builder& builder, const Symbol& x) {
  return x.dims.size() == 2 && (builder.by_batch() || x.dims[0] == 1);
}

Symbol dense(Builder& builder, const Symbol& x, const Array& filters,
             const std::optional<Array>& bias) {
  const int64_t units = filters.dims[0];
  std::vector<Value> inputs = {x.value, builder.parameter(filters, plain_shape(filters.dims))};
  if (bias) inputs.push_back(builder.parameter(*bias, Shape{units}));
  return builder.wrap(builder.add(ops::Dense{.units = units}, std::move(inputs)),
                      {x.dims[0], units});
}

void check_inner(const Symbol& x, const Array& filters) {
  if (x.dims.back() != filters.dims[1]) {
    throw UserError("multiplies " + dims_text(x.dims) + " with a matrix of " +
                    std::to_string(filters.dims[1]) + " rows");
  }
}

/// Rows [..., C] times the transposed filters [K, C]: a convolution whose channels are the C.
Symbol rows_times_weight(Builder& builder, const Symbol& x, const Array& filters,
                         bool trainable = true) {
  const int64_t inputs = filters.dims[1], units = filters.dims[0];
  const int64_t total = count_elements(builder.sample_axes(x.dims), "the tensor");
  const int64_t rows = total / inputs;
  const Value matrix = builder.seen_as(x.value, {rows, inputs});
  const ops::Transpose exchange{.permutation = {2, 1}};
  const Value columns = builder.add(exchange, {matrix});
  const Value weight = builder.parameter(filters, Shape{units, inputs, 1}, trainable);
  ops::Conv conv{.filters = units};
  for (auto* numbers : {&conv.kernel, &conv.stride, &conv.dilation}) *numbers = {1};
  for (auto* numbers : {&conv.pad_begin, &conv.pad_end}) *numbers = {0};
  const Value y = builder.add(exchange, {builder.add(conv, {columns, weight})});
  Dims dims = x.dims;
  dims.back() = units;
  return builder.wrap(y, dims);
}

/// The product of two computed tensors: of matrices [R,C] and [C,K], once for each position of
/// the axes in front.
Symbol product(Builder& builder, const Symbol& a, const Symbol& b) {
  if (a.dims.size() < 2 || b.dims.size() < 2) {
    throw UserError("multiplies " + dims_text(a.dims) + " and " + dims_text(b.dims) +
                    ", of which one is no matrix");
  }
  const int64_t r = a.dims[a.dims.size() - 2], c = a.dims.back(), k = b.dims.back();
  if (b.dims[b.dims.size() - 2] != c) {
    throw UserError("multiplies " + dims_text(a.dims) + " and " + dims_text(b.dims) +
                    ", which do not fit");
  }
  const Dims front_a(a.dims.begin(), a.dims.end() - 2), front_b(b.dims.begin(), b.dims.end() - 2);
  if (front_a != front_b) {
    throw UserError("multiplies " + dims_text(a.dims) + " and " + dims_text(b.dims) +
                    ", whose axes in front of the matrices differ");
  }
  if (builder.by_batch() && front_a.empty()) builder.axes(a, FirstAxis::used);  // refuses
  Dims front = front_a;
  if (builder.by_batch()) front.erase(front.begin());
  const int64_t count = count_elements(front, "the product");
  if (count > kMaxProducts) {
    throw UserError("takes " + std::to_string(count) + " products for each sample, at most " +
                    std::to_string(kMaxProducts) + " are supported");
  }
  const Value left = builder.seen_as(a.value, {count, r, c});
  const Value right = builder.seen_as(b.value, {count, c, k});
  std::vector<Value> products;
  for (int64_t i = 0; i < count; ++i) {
    const auto matrix = [&](Value of, int64_t rows, int64_t columns) {
      if (count == 1) return builder.seen_as(of, {rows, columns});
      const ops::Slice one{.begin = {i, 0, 0}, .end = {i + 1, rows, columns}, .step = {1, 1, 1}};
      return builder.seen_as(builder.add(one, {of}), {rows, columns});
    };
    const Value y = builder.add(ops::MatMul{}, {matrix(left, r, c), matrix(right, c, k)});
    products.push_back(count == 1 ? y : builder.seen_as(y, {1, r, k}));
  }
  Dims dims = front_a;
  dims.push_back(r);
  dims.push_back(k);
  if (count == 1) return builder.wrap(products[0], dims);
  return builder.wrap(builder.add(ops::Concat{.axis = 1}, std::move(products)), dims);
}

}  // namespace

Symbol along_axis(Builder& builder, const Symbol& x, int64_t axis, const Array& matrix) {
  std::vector<int64_t> to_last(x.dims.size());
  for (std::size_t i = 0; i < to_last.size(); ++i) to_last[i] = static_cast<int64_t>(i);
  std::swap(to_last[static_cast<std::size_t>(axis)], to_last.back());
  const Symbol rows = transpose(builder, x, to_last);
  return transpose(builder, rows_times_weight(builder, rows, matrix, /*trainable=*/false), to_last);
}

void import_gemm(NodeImport& node) {
  Builder& builder = node.builder;
  const float alpha = node.attributes.real("alpha", 1), beta = node.attributes.real("beta", 1);
  const bool transpose_a = node.attributes.integer("transA", 0) != 0;
  const bool transpose_b = node.attributes.integer("transB", 0) != 0;
  node.attributes.ignore("broadcast");
  Symbol a = node.symbol(0);
  if (a.dims.size() != 2 || node.dims(1).size() != 2) {
    throw UserError("multiplies " + dims_text(a.dims) + " and " + dims_text(node.dims(1)) +
                    ", expected two matrices");
  }
  if (transpose_a) a = transpose(builder, a, {1, 0});
  Symbol y;
  bool has_bias = node.has_input(2);
  if (node.is_constant(1)) {
    node.reals(1);  // refuses integers
    const Array filters = as_filters(node.constant(1), transpose_b, alpha);
    check_inner(a, filters);
    if (is_flat(builder, a)) {
      const std::optional<Array> bias =
          has_bias ? as_bias(node.item(2), filters.dims[0], beta) : std::nullopt;
      if (bias) has_bias = false;
      y = dense(builder, a, filters, bias);
    } else {
      y = rows_times_weight(builder, a, filters);
    }
  } else {
    Symbol b = node.symbol(1);
    if (transpose_b) b = transpose(builder, b, {1, 0});
    y = product(builder, a, b);
    if (alpha != 1) {
      y = elementwise(builder, "scale", [=](auto v) { return v[0] * alpha; }, {y});
    }
  }
  if (has_bias) {
    y = elementwise(builder, "add",
                    [=](auto v) { return beta == 1 ? v[0] + v[1] : v[0] + beta * v[1]; },
                    {y, node.item(2)});
  }
  node.set(y);
}

void import_matmul(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol a = node.symbol(0);
  if (node.is_constant(1) && node.dims(1).size() == 2 && a.dims.size() >= 2) {
    node.reals(1);  // refuses integers
    const Array filters = as_filters(node.constant(1), /*is_transposed=*/false, 1);
    check_inner(a, filters);
    node.set(is_flat(builder, a) ? dense(builder, a, filters, {})
                                 : rows_times_weight(builder, a, filters));
    return;
  }
  node.set(product(builder, a, node.symbol(1)));
}

}  // namespace halcyon::compiler
