#include "compiler/onnx/node_import.h"

#include <algorithm>

#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

std::string kind_name(ElementKind kind) {
  switch (kind) {
    case ElementKind::real: return "real numbers";
    case ElementKind::integer: return "integers";
    case ElementKind::truth: return "truth values";
  }
  return "";
}

}  // namespace

const Item& NodeImport::item(std::size_t i) const {
  if (!has_input(i)) throw UserError("has no input " + std::to_string(i));
  const auto found = items_.find(input_name(i));
  // Nodes stand in order: the importer has seen to that.
  if (found == items_.end()) throw InternalError("import: no value '" + input_name(i) + "'");
  return found->second;
}

ElementKind NodeImport::kind(std::size_t i) const {
  return std::visit([](const auto& x) { return x.kind; }, item(i));
}

const Array& NodeImport::constant(std::size_t i) const {
  if (const auto* array = std::get_if<Array>(&item(i))) return *array;
  throw NeedsConstant(input_name(i),
                      "input " + runtime::quote(input_name(i)) +
                          " is computed when the network runs, and must be known before",
                      "weights, shapes and the like are stored in the model");
}

std::vector<int64_t> NodeImport::integers(std::size_t i) const {
  const Array& array = constant(i);
  if (array.kind != ElementKind::integer) {
    throw UserError("input " + runtime::quote(input_name(i)) + " holds " + kind_name(array.kind) +
                    ", expected integers");
  }
  for (int64_t value : array.integers()) {
    if (value != kBatchNumber) continue;
    throw MixesSamples("input " + runtime::quote(input_name(i)) + " depends on the batch",
                       "--input-shape with numbers for all axes imports the model for one batch");
  }
  return array.integers();
}

std::vector<float> NodeImport::reals(std::size_t i) const {
  const Array& array = constant(i);
  if (array.kind == ElementKind::real) return array.reals();
  throw UserError("input " + runtime::quote(input_name(i)) + " holds " + kind_name(array.kind) +
                  ", expected real numbers");
}

Symbol NodeImport::symbol(std::size_t i) const {
  const Item& found = item(i);
  const ElementKind has = kind(i);
  if (has != ElementKind::real) {
    throw UserError("input " + runtime::quote(input_name(i)) + " holds " + kind_name(has) +
                        ", expected real numbers",
                    "networks compute in single precision");
  }
  if (const auto* symbol = std::get_if<Symbol>(&found)) return *symbol;
  return builder.activate(std::get<Array>(found));
}

void NodeImport::set(std::size_t output, const Item& result) {
  if (!has_output(output)) return;
  const std::string& name = node.output(static_cast<int>(output));
  Item item = result;
  if (auto* array = std::get_if<Array>(&item); array != nullptr && array->name.empty()) {
    array->name = name;
  }
  items_[name] = std::move(item);
}

std::optional<std::vector<int64_t>> NodeImport::integers_of(const std::string& attribute,
                                                            std::size_t input) {
  if (attributes.has(attribute)) return attributes.integers(attribute);
  if (has_input(input)) return integers(input);
  return {};
}

int64_t NodeImport::axis_of(int64_t axis, std::size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  if (axis < -count || axis >= count) {
    throw UserError("has the axis " + std::to_string(axis) + ", its tensor has " +
                    std::to_string(count) + " axes");
  }
  return axis < 0 ? axis + count : axis;
}

}  // namespace halcyon::compiler
