/// Operators that move values. Known arrays are moved while importing: weights keep their names.

#include <algorithm>
#include <functional>
#include <numeric>

#include "compiler/onnx/node_import.h"
#include "compiler/onnx/rules.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Value;

/// The array whose value at a position is that of `array` at the position that `source` returns.
Array moved(NodeImport& node, const Array& array, const Dims& dims,
            const std::function<void(const Dims& position, Dims& source)>& source_of) {
  const int64_t count = count_elements(dims, "the result");
  node.builder.spend(count, array);
  std::vector<int64_t> indices;
  indices.reserve(static_cast<std::size_t>(count));
  Dims position(dims.size(), 0), source(array.dims.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      position[axis] = rest % dims[axis];
      rest /= dims[axis];
    }
    source_of(position, source);
    int64_t index = 0;
    for (std::size_t axis = 0; axis < source.size(); ++axis) {
      index = index * array.dims[axis] + source[axis];
    }
    indices.push_back(index);
  }
  return array.picked(dims, indices);
}

/// Errors: MixesSamples for the batch in another place than in front of a symbol.
Item with_dims(NodeImport& node, const Item& item, const Dims& dims) {
  const auto* array = std::get_if<Array>(&item);
  const bool begins_with_batch = !dims.empty() && dims[0] == kBatchNumber;
  if (std::ranges::count(dims, kBatchNumber) > (array == nullptr && begins_with_batch ? 1 : 0)) {
    throw MixesSamples("makes " + dims_text(dims) + " of " + dims_text(dims_of(item)) +
                           (array != nullptr ? ", which is the same for every sample"
                                             : ", and only the first axis can be the batch"),
                       "--input-shape with numbers for all axes imports the model for one batch");
  }
  if (array != nullptr) return array->reshaped(dims);
  return reshape(node.builder, std::get<Symbol>(item), dims);
}

int64_t clamped(int64_t value, int64_t least, int64_t most) {
  return std::clamp(value, least, most);
}

/// Of which axis positions are taken, and which.
struct Cut {
  std::size_t axis;
  Range range;
};

Item cut(NodeImport& node, const Item& item, const Cut& how) {
  const Dims& dims = dims_of(item);
  const Range& r = how.range;
  const int64_t count = std::max<int64_t>(0, r.step > 0 ? (r.end - r.begin + r.step - 1) / r.step
                                                        : (r.begin - r.end - r.step - 1) / -r.step);
  if (const auto* array = std::get_if<Array>(&item)) {
    Dims shorter = dims;
    shorter[how.axis] = count;
    return moved(node, *array, shorter, [&](const Dims& position, Dims& source) {
      source = position;
      source[how.axis] = r.begin + position[how.axis] * r.step;
    });
  }
  const auto& symbol = std::get<Symbol>(item);
  if (symbol.dims[how.axis] == kBatchNumber) node.builder.axes(symbol, FirstAxis::used);  // refuses
  if (count == 0) throw UserError("leaves nothing of " + dims_text(dims));
  return slice(node.builder, symbol, static_cast<int64_t>(how.axis), r);
}

/// ONNX's bounds, from the end or beyond it, as positions. Source: ONNX Slice-13.
Range range_of(int64_t begin, int64_t end, int64_t step, int64_t extent) {
  if (step == 0) throw UserError("has a step of zero");
  if (extent == 0) return {};
  step = clamped(step, -dsl::kMaxElements, dsl::kMaxElements);
  const auto from_end = [&](int64_t at) { return at < 0 && at >= -extent ? at + extent : at; };
  if (step > 0) {
    return {clamped(from_end(begin), 0, extent), clamped(from_end(end), 0, extent), step};
  }
  // Below zero only what was so far below that it means the first position.
  const int64_t last = end < -extent ? -1 : from_end(end);
  return {clamped(from_end(begin), 0, extent - 1), clamped(last, -1, extent - 1), step};
}

std::vector<Symbol> all_symbols(NodeImport& node) {
  std::vector<Symbol> symbols;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Item& item = node.item(i);
    symbols.push_back(std::holds_alternative<Symbol>(item)
                          ? std::get<Symbol>(item)
                          : node.builder.activate(std::get<Array>(item)));
  }
  return symbols;
}

Array concat_arrays(NodeImport& node, int64_t axis) {
  const auto at = static_cast<std::size_t>(axis);
  Dims dims = node.dims(0);
  dims[at] = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) dims[at] += node.dims(i)[at];
  const int64_t count = count_elements(dims, "the result");
  node.builder.spend(count);
  int64_t outer = 1;
  for (std::size_t i = 0; i < at; ++i) outer *= dims[i];
  const bool is_real = node.kind(0) == ElementKind::real;
  std::vector<float> reals;
  std::vector<int64_t> integers;
  for (int64_t row = 0; row < outer; ++row) {
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const Array& part = node.constant(i);
      const int64_t length = outer > 0 ? part.size() / outer : 0;
      for (int64_t k = row * length; k < (row + 1) * length; ++k) {
        const auto index = static_cast<std::size_t>(k);
        if (is_real) {
          reals.push_back(part.reals()[index]);
        } else {
          integers.push_back(part.integers()[index]);
        }
      }
    }
  }
  if (is_real) return {dims, std::move(reals)};
  return {dims, std::move(integers), node.kind(0)};
}

}  // namespace

void import_concat(NodeImport& node) {
  if (node.input_count() == 0) throw UserError("has no inputs");
  const Dims first = node.dims(0);
  const int64_t axis = NodeImport::axis_of(node.attributes.integer("axis", 1), first.size());
  bool all_known = true;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    Dims dims = node.dims(i);
    if (dims.size() != first.size() || node.kind(i) != node.kind(0)) {
      throw UserError("joins " + dims_text(first) + " and " + dims_text(dims) +
                      ", of different ranks or types");
    }
    all_known = all_known && node.is_constant(i);
  }
  if (all_known) {
    for (std::size_t i = 1; i < node.input_count(); ++i) {
      Dims dims = node.dims(i);
      dims[static_cast<std::size_t>(axis)] = first[static_cast<std::size_t>(axis)];
      if (dims != first) throw UserError("joins arrays whose other extents differ");
    }
    node.set(concat_arrays(node, axis));
    return;
  }
  node.set(concat(node.builder, all_symbols(node), axis));
}

void import_split(NodeImport& node) {
  const Item item = node.item(0);
  const Dims dims = dims_of(item);
  const int64_t axis = NodeImport::axis_of(node.attributes.integer("axis", 0), dims.size());
  const int64_t extent = dims[static_cast<std::size_t>(axis)];
  if (extent == kBatchNumber)
    node.builder.axes(std::get<Symbol>(item), FirstAxis::used);  // refuses
  const auto outputs = static_cast<int64_t>(node.output_count());
  std::vector<int64_t> sizes = node.integers_of("split", 1).value_or(std::vector<int64_t>{});
  if (sizes.empty() && outputs > 0 && extent % outputs == 0) {
    sizes.assign(static_cast<std::size_t>(outputs), extent / outputs);
  }
  bool fits = static_cast<int64_t>(sizes.size()) == outputs;
  int64_t rest = extent;
  for (int64_t size : sizes) {
    fits = fits && size >= 0 && size <= rest;
    if (fits) rest -= size;
  }
  if (!fits || rest != 0) {
    throw UserError("splits an extent of " + std::to_string(extent) + " into " + dims_text(sizes) +
                    " for " + std::to_string(outputs) + " outputs");
  }
  int64_t begin = 0;
  for (int64_t i = 0; i < outputs; ++i) {
    const int64_t size = sizes[static_cast<std::size_t>(i)];
    if (node.has_output(static_cast<std::size_t>(i))) {
      node.set(static_cast<std::size_t>(i),
               cut(node, item, {static_cast<std::size_t>(axis), {begin, begin + size, 1}}));
    }
    begin += size;
  }
}

void import_slice(NodeImport& node) {
  Item item = node.item(0);
  const std::size_t rank = dims_of(item).size();
  const auto starts = node.integers_of("starts", 1);
  const auto ends = node.integers_of("ends", 2);
  if (!starts || !ends) throw UserError("has no starts or ends");
  std::vector<int64_t> axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = node.integers_of("axes", 3).value_or(axes);
  std::vector<int64_t> steps(starts->size(), 1);
  if (node.has_input(4)) steps = node.integers(4);
  if (ends->size() != starts->size() || axes.size() != starts->size() ||
      steps.size() != starts->size()) {
    throw UserError("has starts, ends, axes and steps of different lengths");
  }
  for (std::size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<std::size_t>(NodeImport::axis_of(axes[i], rank));
    const int64_t extent = dims_of(item)[axis];
    if (extent == kBatchNumber) {
      const bool is_whole = (*starts)[i] == 0 && (*ends)[i] >= dsl::kMaxElements && steps[i] == 1;
      if (is_whole) continue;
      node.builder.axes(std::get<Symbol>(item), FirstAxis::used);  // refuses
    }
    const Range range = range_of((*starts)[i], (*ends)[i], steps[i], extent);
    item = cut(node, item, {axis, range});
  }
  node.set(item);
}

void import_pad(NodeImport& node) {
  Builder& builder = node.builder;
  const Symbol x = node.symbol(0);
  const std::string mode = node.attributes.text("mode", "constant");
  const std::vector<int64_t> pads = node.attributes.has("paddings")
                                        ? node.attributes.integers("paddings")
                                        : node.integers_of("pads", 1).value_or(Dims{});
  float value = node.attributes.real("value", 0);
  if (node.has_input(2)) {
    const std::vector<float> given = node.reals(2);
    if (given.size() != 1) throw UserError("has a value that is not one number");
    value = given[0];
  }
  const std::size_t rank = x.dims.size();
  if (pads.size() != 2 * rank) {
    throw UserError("has " + std::to_string(pads.size()) + " numbers in pads for " +
                    std::to_string(rank) + " axes");
  }
  ops::Pad op;
  op.value = value;
  if (mode == "reflect") op.mode = ops::PadMode::reflect;
  if (mode == "edge") op.mode = ops::PadMode::edge;
  if (mode != "constant" && mode != "reflect" && mode != "edge") {
    throw UserError("has the mode '" + mode.substr(0, 40) + "'");
  }
  // Negative numbers cut off; after that the rest is put on.
  Item item = x;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const int64_t front = std::max<int64_t>(0, -clamped(pads[axis], -dsl::kMaxElements, 0));
    const int64_t back = std::max<int64_t>(0, -clamped(pads[axis + rank], -dsl::kMaxElements, 0));
    if (front == 0 && back == 0) continue;
    if (x.dims[axis] == kBatchNumber) builder.axes(x, FirstAxis::used);  // refuses
    item = cut(node, item, {axis, {front, dims_of(item)[axis] - back, 1}});
  }
  const auto& symbol = std::get<Symbol>(item);
  const bool first = rank > 0 && (pads[0] > 0 || pads[rank] > 0);
  const Axes axes = builder.axes(symbol, first ? FirstAxis::used : FirstAxis::left_alone);
  Dims dims = symbol.dims;
  bool changes = false;
  for (std::size_t i = 0; i < axes.extents.size(); ++i) {
    const std::size_t axis = static_cast<std::size_t>(axes.first) + i;
    const int64_t begin = axis < rank ? std::max<int64_t>(0, pads[axis]) : 0;
    const int64_t end = axis < rank ? std::max<int64_t>(0, pads[axis + rank]) : 0;
    op.begin.push_back(begin);
    op.end.push_back(end);
    if (axis < rank) {
      dims[axis] =
          clamped(begin, 0, dsl::kMaxElements) + dims[axis] + clamped(end, 0, dsl::kMaxElements);
    }
    changes = changes || begin > 0 || end > 0;
  }
  if (!changes) {
    node.set(symbol);
    return;
  }
  node.set(builder.wrap(builder.add(op, {axes.value}), dims));
}

void import_reshape(NodeImport& node) {
  node.attributes.ignore("consumed_inputs");
  const Item item = node.item(0);
  const Dims& dims = dims_of(item);
  const bool zero_is_zero = node.attributes.integer("allowzero", 0) != 0;
  Dims shape;
  if (node.attributes.has("shape")) {
    shape = node.attributes.integers("shape");
    std::ranges::transform(shape, shape.begin(), plain_number);
  } else {
    const Array& given = node.constant(1);
    if (given.kind != ElementKind::integer) throw UserError("has a shape that is not of integers");
    shape = given.integers();
  }
  // The batch cancels out: it stands on both sides, or nowhere.
  const bool has_batch = !dims.empty() && dims[0] == kBatchNumber;
  int64_t total = 1, known = 1;
  for (std::size_t i = has_batch ? 1 : 0; i < dims.size(); ++i) total *= dims[i];
  std::ptrdiff_t open = -1;
  bool names_batch = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zero_is_zero) {
      if (i >= dims.size())
        throw UserError("copies an extent that " + dims_text(dims) + " has not");
      shape[i] = dims[i];
    }
    if (shape[i] == kBatchNumber) {
      names_batch = true;
    } else if (shape[i] == -1 && open < 0) {
      open = static_cast<std::ptrdiff_t>(i);
    } else if (shape[i] < 0 || (shape[i] > 0 && known > dsl::kMaxElements / shape[i])) {
      throw UserError("has the shape " + dims_text(shape));
    } else {
      known *= shape[i];
    }
  }
  if (open >= 0) {
    const auto at = static_cast<std::size_t>(open);
    if (known == 0 || total % known != 0) {
      throw UserError("makes " + dims_text(shape) + " of " + dims_text(dims) +
                      ", which has another number of values");
    }
    if (has_batch && !names_batch) {
      // What is left is a multiple of the batch: the batch itself, if it stands in front.
      shape[at] = total == known && at == 0 ? kBatchNumber : total / known;
    } else {
      shape[at] = total / known;
    }
  }
  int64_t made = 1;
  for (int64_t extent : shape) {
    if (extent != kBatchNumber) made *= extent;
  }
  const bool keeps_batch = !has_batch || (!shape.empty() && shape[0] == kBatchNumber);
  if (keeps_batch && made != total) {
    throw UserError("makes " + dims_text(shape) + " of " + dims_text(dims) +
                    ", which has another number of values");
  }
  node.set(with_dims(node, item, shape));
}

void import_flatten(NodeImport& node) {
  const Item item = node.item(0);
  const Dims& dims = dims_of(item);
  const int64_t axis = node.attributes.integer("axis", 1);
  const auto rank = static_cast<int64_t>(dims.size());
  if (axis < -rank || axis > rank) throw UserError("has the axis " + std::to_string(axis));
  const auto at = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  const bool has_batch = !dims.empty() && dims[0] == kBatchNumber;
  int64_t rows = 1, columns = 1;
  for (std::size_t i = has_batch ? 1 : 0; i < dims.size(); ++i)
    (i < at ? rows : columns) *= dims[i];
  if (has_batch && (at == 0 || rows != 1)) {
    node.builder.axes(std::get<Symbol>(item), FirstAxis::used);  // refuses
  }
  node.set(with_dims(node, item, {has_batch ? kBatchNumber : rows, columns}));
}

void import_squeeze(NodeImport& node) {
  const Item item = node.item(0);
  const Dims& dims = dims_of(item);
  const auto axes = node.integers_of("axes", 1);
  std::vector<bool> goes(dims.size());
  if (axes) {
    for (int64_t axis : *axes) {
      const auto at = static_cast<std::size_t>(NodeImport::axis_of(axis, dims.size()));
      if (dims[at] != 1) {
        throw UserError("takes axis " + std::to_string(axis) + " out of " + dims_text(dims) +
                        ", which is not 1 there");
      }
      goes[at] = true;
    }
  } else {
    for (std::size_t axis = 0; axis < dims.size(); ++axis) goes[axis] = dims[axis] == 1;
  }
  Dims rest;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (!goes[axis]) rest.push_back(dims[axis]);
  }
  node.set(with_dims(node, item, rest));
}

void import_unsqueeze(NodeImport& node) {
  const Item item = node.item(0);
  const Dims& dims = dims_of(item);
  const auto axes = node.integers_of("axes", 1);
  if (!axes) throw UserError("has no axes");
  const std::size_t rank = dims.size() + axes->size();
  std::vector<bool> is_new(rank);
  for (int64_t axis : *axes) {
    const auto at = static_cast<std::size_t>(NodeImport::axis_of(axis, rank));
    if (is_new[at]) throw UserError("has an axis twice");
    is_new[at] = true;
  }
  Dims more;
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < rank; ++axis) more.push_back(is_new[axis] ? 1 : dims[next++]);
  node.set(with_dims(node, item, more));
}

void import_transpose(NodeImport& node) {
  const Item item = node.item(0);
  const Dims& dims = dims_of(item);
  std::vector<int64_t> order(dims.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.attributes.integers("perm", order);
  std::vector<int64_t> sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size() || sorted.size() != dims.size(); ++i) {
    if (sorted.size() == dims.size() && sorted[i] == static_cast<int64_t>(i)) continue;
    throw UserError("has the perm " + dims_text(order) + " for " + dims_text(dims));
  }
  if (const auto* symbol = std::get_if<Symbol>(&item)) {
    node.set(transpose(node.builder, *symbol, order));
    return;
  }
  Dims made;
  for (int64_t axis : order) made.push_back(dims[static_cast<std::size_t>(axis)]);
  node.set(moved(node, std::get<Array>(item), made, [&](const Dims& position, Dims& source) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      source[static_cast<std::size_t>(order[i])] = position[i];
    }
  }));
}

void import_gather(NodeImport& node) {
  const Item item = node.item(0);
  const Dims dims = dims_of(item);
  const auto axis = static_cast<std::size_t>(
      NodeImport::axis_of(node.attributes.integer("axis", 0), dims.size()));
  const Array& given = node.constant(1);
  const Dims index_dims = given.dims;
  std::vector<int64_t> indices = node.integers(1);
  const int64_t extent = dims[axis];
  if (extent == kBatchNumber)
    node.builder.axes(std::get<Symbol>(item), FirstAxis::used);  // refuses
  for (int64_t& index : indices) {
    if (index < -extent || index >= extent) {
      throw UserError("has the index " + std::to_string(index) + " along an axis of " +
                      std::to_string(extent));
    }
    if (index < 0) index += extent;
  }
  Dims made(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis));
  made.insert(made.end(), index_dims.begin(), index_dims.end());
  made.insert(made.end(), dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, dims.end());
  if (const auto* array = std::get_if<Array>(&item)) {
    Dims flat = dims;
    flat[axis] = static_cast<int64_t>(indices.size());
    node.set(moved(node, *array, flat, [&](const Dims& position, Dims& source) {
               source = position;
               source[axis] = indices[static_cast<std::size_t>(position[axis])];
             }).reshaped(made));
    return;
  }
  if (indices.empty()) throw UserError("leaves nothing of " + dims_text(dims));
  const auto& symbol = std::get<Symbol>(item);
  // Runs of indices are taken at once, each by a node of the graph.
  constexpr std::size_t kMostParts = 1024;
  std::vector<Symbol> parts;
  for (std::size_t i = 0; i < indices.size();) {
    if (parts.size() == kMostParts) {
      throw UserError("takes positions of " + dims_text(dims) + " in more than " +
                          std::to_string(kMostParts) + " separate runs",
                      "neighbouring indices that go up by one are one run");
    }
    std::size_t end = i + 1;
    while (end < indices.size() && indices[end] == indices[end - 1] + 1) ++end;
    const Range range{indices[i], indices[end - 1] + 1, 1};
    parts.push_back(slice(node.builder, symbol, static_cast<int64_t>(axis), range));
    i = end;
  }
  const Symbol joined = concat(node.builder, parts, static_cast<int64_t>(axis));
  node.set(reshape(node.builder, joined, made));
}

void import_expand(NodeImport& node) {
  const Item item = node.item(0);
  const Array& given = node.constant(1);
  if (given.kind != ElementKind::integer) throw UserError("has a shape that is not of integers");
  const Dims dims = dims_of(item);
  const Dims made = broadcast(dims, given.integers());
  if (const auto* array = std::get_if<Array>(&item)) {
    const std::size_t added = made.size() - dims.size();
    node.set(moved(node, *array, made, [&](const Dims& position, Dims& source) {
      for (std::size_t i = 0; i < dims.size(); ++i) {
        source[i] = dims[i] == 1 ? 0 : position[i + added];
      }
    }));
    return;
  }
  Dims wide(made.size() - dims.size(), 1);
  wide.insert(wide.end(), dims.begin(), dims.end());
  Symbol y = reshape(node.builder, std::get<Symbol>(item), wide);
  count_elements(node.builder.sample_axes(made), "the result");
  for (std::size_t axis = 0; axis < made.size(); ++axis) {
    if (y.dims[axis] == made[axis]) continue;
    if (made[axis] == 0) throw UserError("leaves nothing of " + dims_text(dims));
    y = repeat(node.builder, y, static_cast<int64_t>(axis), made[axis]);
  }
  node.set(y);
}

void import_tile(NodeImport& node) {
  const Item item = node.item(0);
  const Dims dims = dims_of(item);
  const std::vector<int64_t> times = node.integers(1);
  if (times.size() != dims.size()) {
    throw UserError("has " + dims_text(times) + " repeats for " + dims_text(dims));
  }
  Dims made = dims;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (times[axis] < 1 || times[axis] > dsl::kMaxElements) {
      throw UserError("has " + dims_text(times) + " repeats");
    }
    if (times[axis] == 1) continue;
    if (dims[axis] == kBatchNumber) node.builder.axes(std::get<Symbol>(item), FirstAxis::used);
    made[axis] *= times[axis];
  }
  if (const auto* array = std::get_if<Array>(&item)) {
    node.set(moved(node, *array, made, [&](const Dims& position, Dims& source) {
      for (std::size_t i = 0; i < dims.size(); ++i) source[i] = position[i] % dims[i];
    }));
    return;
  }
  Symbol y = std::get<Symbol>(item);
  count_elements(node.builder.sample_axes(made), "the result");
  for (std::size_t axis = 0; axis < made.size(); ++axis) {
    if (times[axis] > 1) y = repeat(node.builder, y, static_cast<int64_t>(axis), times[axis]);
  }
  node.set(y);
}

void import_depth_to_space(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 4);
  ops::DepthToSpace op{.block = node.attributes.integer("blocksize", 0)};
  const std::string mode = node.attributes.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw UserError("has the mode '" + mode.substr(0, 40) + "'");
  if (mode == "CRD") op.order = ops::DepthOrder::crd;
  const Value y = node.builder.add(op, {x.value});
  const Shape shape = node.builder.graph_shape(y);
  node.set(node.builder.wrap(y, {symbol.dims[0], shape[1], shape[2], shape[3]}));
}

void import_space_to_depth(NodeImport& node) {
  const Symbol symbol = node.symbol(0);
  const Axes x = node.builder.image(symbol, 4);
  const ops::SpaceToDepth op{.block = node.attributes.integer("blocksize", 0)};
  const Value y = node.builder.add(op, {x.value});
  const Shape shape = node.builder.graph_shape(y);
  node.set(node.builder.wrap(y, {symbol.dims[0], shape[1], shape[2], shape[3]}));
}

}  // namespace halcyon::compiler
