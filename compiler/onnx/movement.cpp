/// What the rules of operators that move values are made of.

#include <algorithm>

#include "compiler/onnx/node_import.h"

namespace halcyon::compiler {

namespace {

using dsl::Value;
namespace ops = dsl::ops;

/// Most values that ops::Concat joins.
constexpr int64_t kMaxParts = 1024;

FirstAxis use_of(int64_t axis) { return axis == 0 ? FirstAxis::used : FirstAxis::left_alone; }

/// Axes that stay side by side, in order, move as one.
struct Moves {
  Dims extents;
  std::vector<int64_t> permutation;
};

Moves joined(const Dims& extents, const std::vector<int64_t>& permutation) {
  std::vector<std::vector<int64_t>> runs;  // of axes, in the order of the result
  for (int64_t axis : permutation) {
    if (extents[static_cast<std::size_t>(axis)] == 1) continue;
    if (!runs.empty() && runs.back().back() + 1 == axis) {
      runs.back().push_back(axis);
    } else {
      runs.push_back({axis});
    }
  }
  std::vector<std::size_t> by_source(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) by_source[i] = i;
  std::ranges::sort(by_source, {}, [&](std::size_t run) { return runs[run][0]; });
  Moves moves;
  moves.permutation.resize(runs.size());
  for (std::size_t place = 0; place < by_source.size(); ++place) {
    int64_t extent = 1;
    for (int64_t axis : runs[by_source[place]]) extent *= extents[static_cast<std::size_t>(axis)];
    moves.extents.push_back(extent);
    moves.permutation[by_source[place]] = static_cast<int64_t>(place);
  }
  return moves;
}

}  // namespace

Symbol reshape(Builder& builder, const Symbol& x, const Dims& dims) {
  if (builder.by_batch() && (dims.empty() || !builder.is_batch(dims[0]))) {
    throw MixesSamples(
        "makes " + dims_text(dims) + " of " + dims_text(x.dims) + ", whose first axis is the batch",
        "--input-shape with numbers for all axes imports the model for one batch");
  }
  return builder.wrap(x.value, dims, x.kind);
}

Symbol transpose(Builder& builder, const Symbol& x, const std::vector<int64_t>& permutation) {
  Dims dims;
  for (int64_t axis : permutation) dims.push_back(x.dims[static_cast<std::size_t>(axis)]);
  if (permutation.empty()) return x;
  if (builder.by_batch() && permutation[0] != 0) builder.axes(x, FirstAxis::used);  // refuses
  // Without the batch, which is no axis of a sample.
  const int64_t first = builder.by_batch() ? 1 : 0;
  Dims extents(x.dims.begin() + first, x.dims.end());
  std::vector<int64_t> order;
  for (std::size_t i = static_cast<std::size_t>(first); i < permutation.size(); ++i) {
    order.push_back(permutation[i] - first);
  }
  const Dims sample = builder.sample_axes(x.dims);
  const bool keeps_first = permutation[0] == 0 && x.dims[0] == 1;
  if (!builder.by_batch() && keeps_first) {
    extents.erase(extents.begin());
    order.erase(order.begin());
    for (int64_t& axis : order) --axis;
  }
  // As it stands where that is possible, so that the graph shows the model's own axes.
  if (extents.size() > Builder::kMaxAxes || extents != sample) {
    Moves moves = joined(extents, order);
    extents = std::move(moves.extents);
    order = std::move(moves.permutation);
  }
  if (std::ranges::is_sorted(order)) return builder.wrap(x.value, dims, x.kind);
  if (extents.size() > Builder::kMaxAxes) {
    throw UserError("exchanges more than " + std::to_string(Builder::kMaxAxes) + " axes of " +
                    dims_text(x.dims));
  }
  ops::Transpose op;
  for (int64_t axis : order) op.permutation.push_back(axis + 1);
  const Value moved = builder.add(op, {builder.seen_as(x.value, extents)});
  return builder.wrap(moved, dims, x.kind);
}

Symbol slice(Builder& builder, const Symbol& x, int64_t axis, const Range& range) {
  const auto at = static_cast<std::size_t>(axis);
  if (range.begin == 0 && range.step == 1 && range.end == x.dims[at]) return x;
  const Axes axes = builder.axes(x, use_of(axis));
  ops::Slice op;
  for (std::size_t i = 0; i < axes.extents.size(); ++i) {
    const bool is_cut = axes.first + static_cast<int64_t>(i) == axis;
    op.begin.push_back(is_cut ? range.begin : 0);
    op.end.push_back(is_cut ? range.end : axes.extents[i]);
    op.step.push_back(is_cut ? range.step : 1);
  }
  const Value part = builder.add(op, {axes.value});
  Dims dims = x.dims;
  dims[at] = builder.graph_shape(part)[axes.in_graph(axis)];
  return builder.wrap(part, dims, x.kind);
}

Symbol concat(Builder& builder, const std::vector<Symbol>& parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  if (static_cast<int64_t>(parts.size()) > kMaxParts) {
    std::vector<Symbol> halves;
    const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(parts.size() / 2);
    halves.push_back(concat(builder, {parts.begin(), middle}, axis));
    halves.push_back(concat(builder, {middle, parts.end()}, axis));
    return concat(builder, halves, axis);
  }
  const auto at = static_cast<std::size_t>(axis);
  Dims dims = parts[0].dims;
  dims[at] = 0;
  std::vector<Value> values;
  int graph_axis = 0;
  for (const Symbol& part : parts) {
    const Axes axes = builder.axes(part, use_of(axis));
    values.push_back(axes.value);
    graph_axis = axes.in_graph(axis);
    dims[at] += part.dims[at];
  }
  const Value joined = builder.add(ops::Concat{.axis = graph_axis}, std::move(values));
  return builder.wrap(joined, dims, parts[0].kind);
}

Symbol repeat(Builder& builder, const Symbol& x, int64_t axis, int64_t times) {
  constexpr int64_t kMostTimes = 65536;
  if (times > kMostTimes) {
    throw UserError("repeats " + dims_text(x.dims) + " " + std::to_string(times) +
                    " times, at most " + std::to_string(kMostTimes) + " are supported");
  }
  return concat(builder, std::vector<Symbol>(static_cast<std::size_t>(times), x), axis);
}

Symbol reduce(Builder& builder, ops::ReduceKind kind, const Symbol& x,
              const std::vector<int64_t>& axes, bool keep_dims) {
  const auto is_reduced = [&](std::size_t axis) {
    return std::ranges::find(axes, static_cast<int64_t>(axis)) != axes.end();
  };
  Dims dims;
  for (std::size_t axis = 0; axis < x.dims.size(); ++axis) {
    if (!is_reduced(axis)) dims.push_back(x.dims[axis]);
    if (is_reduced(axis) && keep_dims) dims.push_back(1);
  }
  // Along a first axis of one element there is nothing to do.
  const bool uses_first =
      !x.dims.empty() && is_reduced(0) && (builder.by_batch() || x.dims[0] != 1);
  const Axes seen = builder.axes(x, uses_first ? FirstAxis::used : FirstAxis::left_alone);
  ops::Reduce op{.kind = kind};
  for (std::size_t i = 0; i < seen.extents.size(); ++i) {
    const int64_t axis = seen.first + static_cast<int64_t>(i);
    if (is_reduced(static_cast<std::size_t>(axis))) op.axes.push_back(seen.in_graph(axis));
  }
  if (op.axes.rank == 0) return builder.wrap(seen.value, dims, x.kind);
  return builder.wrap(builder.add(op, {seen.value}), dims, x.kind);
}

}  // namespace halcyon::compiler
