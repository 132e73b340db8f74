/// Reductions, softmax and the position of the largest value.

#include <algorithm>
#include <numeric>

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Scalar;
using ops::ReduceKind;

std::vector<int64_t> all_axes(std::size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

std::vector<int64_t> permutation_to_second(std::size_t rank, int64_t axis, int64_t place) {
  std::vector<int64_t> order = all_axes(rank);
  order.erase(order.begin() + axis);
  order.insert(order.begin() + place, axis);
  return order;
}

std::vector<int64_t> inverse_of(const std::vector<int64_t>& permutation) {
  std::vector<int64_t> inverse(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i) {
    inverse[static_cast<std::size_t>(permutation[i])] = static_cast<int64_t>(i);
  }
  return inverse;
}

/// Normalises the numbers along the axis that is the channels' in our graphs: the first of a
/// sample.
template <class Op>
Symbol over_axis(Builder& builder, const Symbol& x, int64_t axis) {
  const bool uses_first = axis == 0 && (builder.by_batch() || x.dims[0] != 1);
  // The axis stands first in a sample: behind the batch, or behind a first axis that is left out.
  const bool drops_first = builder.by_batch() || x.dims[0] == 1;
  if (uses_first && builder.by_batch()) builder.axes(x, FirstAxis::used);  // refuses
  const int64_t place = drops_first && x.dims.size() > 1 ? 1 : 0;
  if (axis == 0 && drops_first) {
    // One number along the axis: its softmax is 1, its logarithm 0.
    const Symbol apart = {
        builder.seen_as(x.value, {1, count_elements(builder.sample_axes(x.dims), "the tensor")}),
        x.dims};
    return builder.wrap(builder.add(Op{}, {apart.value}), x.dims);
  }
  const std::vector<int64_t> order = permutation_to_second(x.dims.size(), axis, place);
  const Symbol moved = axis == place ? x : transpose(builder, x, order);
  Dims sample(moved.dims.begin() + place, moved.dims.end());
  if (sample.size() > Builder::kMaxAxes) {
    int64_t rest = 1;
    for (std::size_t i = 1; i < sample.size(); ++i) rest *= sample[i];
    sample = {sample[0], rest};
  }
  const dsl::Value y = builder.add(Op{}, {builder.seen_as(moved.value, sample)});
  const Symbol result = builder.wrap(y, moved.dims);
  return axis == place ? result : transpose(builder, result, inverse_of(order));
}

template <class Op>
void import_softmax_like(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol x = node.symbol(0);
  if (x.dims.empty()) throw UserError("works on a tensor without axes");
  const bool of_one_axis = node.opset >= 13;
  const int64_t axis =
      NodeImport::axis_of(node.attributes.integer("axis", of_one_axis ? -1 : 1), x.dims.size());
  const bool is_last = axis + 1 == static_cast<int64_t>(x.dims.size());
  if (of_one_axis || is_last) {
    node.set(over_axis<Op>(builder, x, axis));
    return;
  }
  // Older versions see a matrix: the axes in front, and those from `axis` on.
  Dims rows(x.dims.begin(), x.dims.begin() + axis), columns(x.dims.begin() + axis, x.dims.end());
  if (builder.by_batch() && axis == 0) builder.axes(x, FirstAxis::used);  // refuses
  Dims matrix;
  if (builder.by_batch()) {
    matrix = {rows[0]};
    rows.erase(rows.begin());
    if (!rows.empty()) matrix.push_back(count_elements(rows, "the tensor"));
  } else {
    matrix = {count_elements(rows, "the tensor")};
  }
  matrix.push_back(count_elements(columns, "the tensor"));
  const Symbol flat = reshape(builder, x, matrix);
  const Symbol y = over_axis<Op>(builder, flat, static_cast<int64_t>(matrix.size()) - 1);
  node.set(reshape(builder, y, x.dims));
}

/// What a reduction does before and after the plain one.
struct ReduceRow {
  std::string_view onnx;
  ReduceKind kind;
  Scalar (*before)(const Scalar&) = nullptr;
  Scalar (*after)(const Scalar&) = nullptr;
};

// clang-format off
constexpr ReduceRow kReductions[] = {
    {"ReduceL1",        ReduceKind::sum,  [](const Scalar& x) { return dsl::abs(x); }},
    {"ReduceL2",        ReduceKind::sum,  [](const Scalar& x) { return x * x; }, [](const Scalar& x) { return dsl::sqrt(x); }},
    {"ReduceLogSum",    ReduceKind::sum,  nullptr, [](const Scalar& x) { return dsl::log(x); }},
    {"ReduceLogSumExp", ReduceKind::sum},
    {"ReduceMax",       ReduceKind::max},
    {"ReduceMean",      ReduceKind::mean},
    {"ReduceMin",       ReduceKind::min},
    {"ReduceSum",       ReduceKind::sum},
    {"ReduceSumSquare", ReduceKind::sum,  [](const Scalar& x) { return x * x; }},
};
// clang-format on

Symbol apply(Builder& builder, Scalar (*function)(const Scalar&), const Symbol& x) {
  if (function == nullptr) return x;
  return elementwise(builder, "part", [=](auto v) { return function(v[0]); }, {x});
}

/// max + log(sum(exp(x - max))), which no large x overflows.
Symbol log_sum_exp(Builder& builder, const Symbol& x, const std::vector<int64_t>& axes,
                   bool keep_dims) {
  const Symbol most = reduce(builder, ReduceKind::max, x, axes, true);
  const Symbol powers =
      elementwise(builder, "exp", [](auto v) { return dsl::exp(v[0] - v[1]); }, {x, most});
  const Symbol sum = reduce(builder, ReduceKind::sum, powers, axes, true);
  const Symbol y =
      elementwise(builder, "add", [](auto v) { return dsl::log(v[0]) + v[1]; }, {sum, most});
  // Reducing single values changes the shape alone.
  return keep_dims ? y : reduce(builder, ReduceKind::sum, y, axes, false);
}

/// Products, sums and extremes of integers: what shapes are computed with.
Array reduce_array(Builder& builder, const std::string& name, const Array& x,
                   const std::vector<int64_t>& axes, bool keep_dims) {
  Dims dims, kept;
  const auto is_reduced = [&](std::size_t axis) {
    return std::ranges::find(axes, static_cast<int64_t>(axis)) != axes.end();
  };
  for (std::size_t axis = 0; axis < x.dims.size(); ++axis) {
    kept.push_back(is_reduced(axis) ? 1 : x.dims[axis]);
    if (!is_reduced(axis) || keep_dims) dims.push_back(kept.back());
  }
  const int64_t size = count_elements(kept, "the result");
  if (size > 0 && x.size() == 0) throw UserError("reduces no values");
  builder.spend(size, x);
  // Each result has a value, which what it starts from does not change.
  const int64_t start = name == "ReduceProd"  ? 1
                        : name == "ReduceSum" ? 0
                        : name == "ReduceMax" ? INT64_MIN
                                              : INT64_MAX;
  std::vector<int64_t> values(static_cast<std::size_t>(size), start);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t rest = i, at = 0, stride = 1;
    for (std::size_t axis = x.dims.size(); axis-- > 0;) {
      if (!is_reduced(axis)) at += rest % x.dims[axis] * stride;
      rest /= x.dims[axis];
      stride *= kept[axis];
    }
    const int64_t next = x.integers()[static_cast<std::size_t>(i)];
    if (next == kBatchNumber) throw MixesSamples("computes with the batch as with a number");
    int64_t& value = values[static_cast<std::size_t>(at)];
    // Sums and products wrap around instead of overflowing.
    const auto a = static_cast<uint64_t>(value), b = static_cast<uint64_t>(next);
    if (name == "ReduceProd") value = static_cast<int64_t>(a * b);
    if (name == "ReduceSum") value = static_cast<int64_t>(a + b);
    if (name == "ReduceMax") value = std::max(value, next);
    if (name == "ReduceMin") value = std::min(value, next);
  }
  std::ranges::transform(values, values.begin(), plain_number);
  return {dims, std::move(values)};
}

}  // namespace

void import_softmax(NodeImport& node) { import_softmax_like<ops::Softmax>(node); }

void import_log_softmax(NodeImport& node) { import_softmax_like<ops::LogSoftmax>(node); }

void import_reduce(NodeImport& node) {
  const std::string& name = node.node.op_type();
  const bool keep_dims = node.attributes.integer("keepdims", 1) != 0;
  const bool none_means_none = node.attributes.integer("noop_with_empty_axes", 0) != 0;
  std::vector<int64_t> axes = node.integers_of("axes", 1).value_or(std::vector<int64_t>{});
  const std::size_t rank = node.dims(0).size();
  if (axes.empty() && !none_means_none) axes = all_axes(rank);
  for (int64_t& axis : axes) axis = NodeImport::axis_of(axis, rank);
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) throw UserError("has an axis twice");
  if (node.is_constant(0) && node.kind(0) == ElementKind::integer &&
      (name == "ReduceProd" || name == "ReduceSum" || name == "ReduceMax" || name == "ReduceMin")) {
    node.set(reduce_array(node.builder, name, node.constant(0), axes, keep_dims));
    return;
  }
  const Symbol x = node.symbol(0);
  const auto row = std::ranges::find(kReductions, name, &ReduceRow::onnx);
  if (row == std::end(kReductions)) throw UserError("is known for shapes only");
  if (name == "ReduceLogSumExp") {
    node.set(log_sum_exp(node.builder, x, axes, keep_dims));
    return;
  }
  const Symbol parts = apply(node.builder, row->before, x);
  const Symbol reduced = reduce(node.builder, row->kind, parts, axes, keep_dims);
  node.set(apply(node.builder, row->after, reduced));
}

/// The position of an extreme value is the least, or largest, of the positions at which it stands.
void import_arg_extreme(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol x = node.symbol(0);
  const int64_t axis = NodeImport::axis_of(node.attributes.integer("axis", 0), x.dims.size());
  const bool keep_dims = node.attributes.integer("keepdims", 1) != 0;
  const bool last = node.attributes.integer("select_last_index", 0) != 0;
  const bool of_most = node.node.op_type() == "ArgMax";
  const int64_t extent = x.dims[static_cast<std::size_t>(axis)];
  if (builder.by_batch() && axis == 0) builder.axes(x, FirstAxis::used);  // refuses
  constexpr int64_t kExact = int64_t{1} << 24;
  if (extent > kExact) {
    throw UserError("looks for a position among " + std::to_string(extent) + ", at most " +
                    std::to_string(kExact) + " are supported");
  }
  const Symbol extreme =
      reduce(builder, of_most ? ReduceKind::max : ReduceKind::min, x, {axis}, true);
  builder.spend(extent);
  std::vector<float> positions(static_cast<std::size_t>(extent));
  std::iota(positions.begin(), positions.end(), 0.0f);
  Dims along(x.dims.size(), 1);
  along[static_cast<std::size_t>(axis)] = extent;
  const float none = last ? -1.0f : static_cast<float>(extent);
  const Symbol places =
      elementwise(builder, "position", [=](auto v) { return select(v[0] == v[1], v[2], none); },
                  {x, extreme, Array(along, std::move(positions))});
  Symbol place =
      reduce(builder, last ? ReduceKind::max : ReduceKind::min, places, {axis}, keep_dims);
  place.kind = ElementKind::integer;
  node.set(place);
}

}  // namespace halcyon::compiler
