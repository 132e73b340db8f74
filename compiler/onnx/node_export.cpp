#include "compiler/onnx/node_export.h"

#include "runtime/base/error.h"

namespace halcyon::compiler {

std::string NodeExport::aligned(std::size_t input, int rank) {
  const Shape& shape = graph_.shape(node().inputs[input]);
  // Counted from the last axis everything but one number per channel is where ONNX looks for it.
  if (shape.has_batch() || shape.rank != 1 || shape[0] == 1 || rank <= 2) return x(input);
  if (model_.rank_of(x(input)) == rank - 1) return x(input);  // stored so
  std::vector<int64_t> dims(static_cast<std::size_t>(rank - 1), 1);
  dims[0] = shape[0];
  return step("Reshape", {x(input), model_.integers(dims)});
}

void NodeExport::finish(const std::string& type, const std::vector<std::string>& inputs,
                        const ModelAttributes& attributes, std::size_t output) {
  std::string name(node().name.view());
  if (output > 0) name += "." + std::to_string(output);
  model_.add_node(type, name, inputs, {outputs_[output]}, attributes);
}

std::string NodeExport::step(const std::string& type, const std::vector<std::string>& inputs,
                             const ModelAttributes& attributes) {
  std::string result = model_.fresh(std::string(node().name.view()) + "." + type);
  model_.add_node(type, result, inputs, {result}, attributes);
  return result;
}

std::string NodeExport::reshaped(const std::string& x, const std::vector<int64_t>& sample) {
  std::vector<int64_t> dims = {0};  // as it was: the batch
  dims.insert(dims.end(), sample.begin(), sample.end());
  return step("Reshape", {x, model_.integers(dims)});
}

void NodeExport::finish_reshaped(const std::string& x, const std::vector<int64_t>& sample) {
  std::vector<int64_t> dims = {0};
  dims.insert(dims.end(), sample.begin(), sample.end());
  finish("Reshape", {x, model_.integers(dims)});
}

void NodeExport::refuse(const std::string& why, const std::string& hint) const {
  throw UserError(dsl::describe(dsl::name_of(node().op), node().name, node().place) + " " + why,
                  hint);
}

std::vector<int64_t> sample_extents(const Shape& shape) {
  std::vector<int64_t> extents;
  for (int axis = 1; axis < shape.rank; ++axis) extents.push_back(shape[axis]);
  return extents;
}

std::vector<int64_t> spatial_numbers(const dsl::Spatial& numbers, const Shape& x) {
  std::vector<int64_t> all;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) all.push_back(numbers[axis]);
  return all;
}

}  // namespace halcyon::compiler
