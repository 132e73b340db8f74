#include "compiler/onnx/builder.h"

#include <algorithm>
#include <cmath>

#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Value;

/// 256 MB of floats.
constexpr int64_t kMaxDescribedElements = int64_t{1} << 26;
/// Cast, transposed, and as much again.
constexpr int64_t kMaxTimesStored = 4;

/// Printable, no quotes, at most `most` characters.
std::string usable_name(const std::string& name, std::size_t most) {
  std::string usable;
  for (char c : name.substr(0, most)) {
    usable += c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '_';
  }
  return usable;
}

void check_finite(const Array& array) {
  const std::vector<float>& values = array.reals();
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad == values.end()) return;
  throw UserError("value " + std::to_string(bad - values.begin()) + " of tensor " +
                  runtime::quote(array.name) + " is " + std::to_string(*bad) +
                  ", expected finite numbers");
}

}  // namespace

const Dims& dims_of(const Item& item) {
  return std::visit([](const auto& i) -> const Dims& { return i.dims; }, item);
}

Shape batched_shape(const Dims& sample) {
  Shape shape = {kBatch};
  for (int64_t extent : sample) shape.push_back(extent);
  return shape;
}

Shape plain_shape(const Dims& dims) {
  Shape shape;
  for (int64_t extent : dims) shape.push_back(extent);
  return shape;
}

Builder::Builder(std::string network, std::optional<int64_t> batch)
    : batch_(batch), limit_(kMaxDescribedElements) {
  graph_.name = FixedString(network);
}

FixedString Builder::unique_name(const std::string& wanted, Names& taken) {
  constexpr int64_t kSecond = 2;
  std::string first = usable_name(wanted, FixedString::kCapacity - 1);
  if (first.empty()) first = "node";
  const auto [known, is_new] = taken.try_emplace(first, kSecond);
  std::string name = first;
  for (bool is_free = is_new; !is_free;) {
    // Counts on from the last time: there may be thousands of one name.
    const std::string ending = "." + std::to_string(known->second++);
    name = first.substr(0, FixedString::kCapacity - 1 - ending.size()) + ending;
    is_free = taken.try_emplace(name, kSecond).second;
  }
  return FixedString(name);
}

Symbol Builder::add_input(const std::string& name, const Dims& dims) {
  ops::Input op{.shape = batched_shape(sample_axes(dims)), .channels_last = false};
  const int32_t id = graph_.add(op, {}, unique_name(name, value_names_), {});
  return {{id, 0}, dims};
}

void Builder::add_output(const std::string& name, const Symbol& symbol) {
  const bool is_flat = graph_.shape(symbol.value).rank <= 2;
  graph_.outputs.push_back({unique_name(name, output_names_), symbol.value, is_flat});
}

Dims Builder::sample_axes(const Dims& dims) const {
  const bool drops_first = by_batch() || (!dims.empty() && dims[0] == 1);
  Dims sample(dims.begin() + (drops_first ? 1 : 0), dims.end());
  if (sample.empty()) sample = {1};
  if (sample.size() > kMaxAxes) sample = {count_elements(sample, "a sample")};
  return sample;
}

Axes Builder::axes(const Symbol& symbol, FirstAxis first) {
  if (by_batch() && first == FirstAxis::used) {
    throw MixesSamples(
        "works along the first axis of " + dims_text(symbol.dims) + ", which is the batch",
        "--input-shape with numbers for all axes imports the model for one batch");
  }
  Axes axes;
  const bool drops_first =
      by_batch() || (!symbol.dims.empty() && symbol.dims[0] == 1 && first == FirstAxis::left_alone);
  axes.first = drops_first ? 1 : 0;
  axes.extents.assign(symbol.dims.begin() + axes.first, symbol.dims.end());
  if (axes.extents.size() > kMaxAxes) {
    throw UserError("works on a tensor " + dims_text(symbol.dims) + " of " +
                    std::to_string(symbol.dims.size()) + " axes; a batch and " +
                    std::to_string(kMaxAxes) + " are supported");
  }
  if (axes.extents.empty()) {  // a scalar: one axis that the tensor does not have
    axes.extents = {1};
    axes.first = static_cast<int64_t>(symbol.dims.size());
  }
  axes.value = seen_as(symbol.value, axes.extents);
  return axes;
}

Axes Builder::image(const Symbol& symbol, std::size_t least_rank) {
  if (symbol.dims.size() < least_rank || symbol.dims.size() > kMaxAxes + 1) {
    throw UserError("works on a tensor of " + std::to_string(least_rank) + " to " +
                    std::to_string(kMaxAxes + 1) + " axes, found " + dims_text(symbol.dims));
  }
  if (!by_batch() && symbol.dims[0] != 1) {
    throw MixesSamples("works on samples, and " + dims_text(symbol.dims) +
                       " has another first extent than the inputs of the model");
  }
  return axes(symbol, FirstAxis::left_alone);
}

Value Builder::seen_as(Value value, const Dims& sample) {
  const Shape shape = batched_shape(sample);
  if (graph_.shape(value) == shape) return value;
  return add(ops::Reshape{.shape = shape}, {value});
}

Symbol Builder::wrap(Value value, const Dims& dims, ElementKind kind) {
  return {seen_as(value, sample_axes(dims)), dims, kind};
}

Symbol Builder::activate(const Array& array) {
  // A value that is there for each sample: the first of the first input.
  Value any;
  for (int32_t id = 0; id < graph_.node_count() && any.node < 0; ++id) {
    if (std::holds_alternative<ops::Input>(graph_.node(id).op)) any = {id, 0};
  }
  if (any.node < 0) throw UserError("no input of the model is computed with");
  Dims dims = array.dims;
  if (by_batch()) {
    if (dims.empty() || dims[0] != 1) {
      throw MixesSamples("computes with a constant " + dims_text(dims) +
                         " as if it were one for each sample");
    }
    dims[0] = *batch_;
  }
  const Dims sample = sample_axes(dims);
  const Shape source = graph_.shape(any);
  ops::Slice first;
  for (int axis = 1; axis < source.rank; ++axis) {
    first.begin.push_back(0);
    first.end.push_back(1);
    first.step.push_back(1);
  }
  const Value one = seen_as(add(first, {any}), Dims(sample.size(), 1));
  const Value values = given(array, plain_shape(sample));
  return {add(ops::Pointwise{"constant", dsl::Scalar::input(1).formula}, {one, values}), dims,
          array.kind};
}

int32_t Builder::add_node(const dsl::Op& op, std::vector<Value> inputs) {
  return graph_.add(op, std::move(inputs), unique_name(node_, node_names_), {});
}

Value Builder::add(const dsl::Op& op, std::vector<Value> inputs) {
  return {add_node(op, std::move(inputs)), 0};
}

Value Builder::parameter(const Array& array, const Shape& shape, bool trainable) {
  const std::string key = std::to_string(reinterpret_cast<uintptr_t>(array.reals().data())) +
                          to_string(shape) + (trainable ? "" : " frozen");
  if (const auto known = parameters_.find(key); known != parameters_.end()) return known->second;
  check_finite(array);
  const ops::Parameter op{.id = parameter_count_++,
                          .shape = shape,
                          .init = ops::InitKind::values,
                          .values = static_cast<int64_t>(graph_.constants.size()),
                          .trainable = trainable};
  graph_.constants.push_back(array.reals());
  const std::string name = array.name.empty() ? node_ + ".weight" : array.name;
  const int32_t id = graph_.add(op, {}, unique_name(name, value_names_), {});
  kept_.push_back(array);
  return parameters_[key] = {id, 0};
}

Value Builder::given(const Array& array, const Shape& shape) {
  Array reals = array;
  if (array.kind != ElementKind::real) {
    std::vector<float> values;
    for (int64_t value : array.integers()) values.push_back(static_cast<float>(value));
    reals = Array(array.dims, std::move(values));
  }
  if (reals.is_weight) return parameter(reals, shape);
  check_finite(reals);
  const ops::Constant op{.shape = shape, .values = static_cast<int64_t>(graph_.constants.size())};
  graph_.constants.push_back(reals.reals());
  const std::string name = array.name.empty() ? node_ + ".constant" : array.name;
  return {graph_.add(op, {}, unique_name(name, value_names_), {}), 0};
}

void Builder::spend(int64_t elements) {
  if (elements > limit_ - spent_) {
    throw UserError("constants that the model computes have more than " + std::to_string(limit_) +
                    " values");
  }
  spent_ += elements;
}

void Builder::spend(int64_t elements, const Array& source) {
  if (source.is_stored) {
    const void* values = source.kind == ElementKind::real
                             ? static_cast<const void*>(source.reals().data())
                             : source.integers().data();
    if (sources_.insert(values).second) {
      limit_ += kMaxTimesStored * source.size();
      kept_.push_back(source);
    }
  }
  spend(elements);
}

dsl::Graph Builder::finish() {
  std::vector<bool> needed(static_cast<std::size_t>(graph_.node_count()));
  for (const dsl::Output& output : graph_.outputs) {
    needed[static_cast<std::size_t>(output.value.node)] = true;
  }
  for (int32_t id = graph_.node_count() - 1; id >= 0; --id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    for (Value input : graph_.node(id).inputs) needed[static_cast<std::size_t>(input.node)] = true;
  }
  dsl::Graph graph;
  graph.name = graph_.name;
  std::vector<int32_t> place(needed.size(), -1);
  int64_t parameter_count = 0;
  for (int32_t id = 0; id < graph_.node_count(); ++id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const dsl::Node& node = graph_.node(id);
    dsl::Op op = node.op;
    if (const auto values = dsl::given_values(op)) {
      const auto next = static_cast<int64_t>(graph.constants.size());
      graph.constants.push_back(std::move(graph_.constants[static_cast<std::size_t>(*values)]));
      if (auto* constant = std::get_if<ops::Constant>(&op)) constant->values = next;
      if (auto* parameter = std::get_if<ops::Parameter>(&op)) parameter->values = next;
    }
    if (auto* parameter = std::get_if<ops::Parameter>(&op)) parameter->id = parameter_count++;
    std::vector<Value> inputs;
    for (Value input : node.inputs) {
      inputs.push_back({place[static_cast<std::size_t>(input.node)], input.output});
    }
    place[static_cast<std::size_t>(id)] = graph.add(op, std::move(inputs), node.name, node.place);
  }
  for (const dsl::Output& output : graph_.outputs) {
    const int32_t node = place[static_cast<std::size_t>(output.value.node)];
    graph.outputs.push_back({output.name, {node, output.value.output}, output.channels_last});
  }
  return graph;
}

}  // namespace halcyon::compiler
