#include "compiler/driver/embed_weights.h"

#include <set>
#include <utility>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/initialize.h"
#include "runtime/network.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

void give(dsl::Graph& graph, int32_t id, std::vector<float> values) {
  auto parameter = std::get<dsl::ops::Parameter>(graph.node(id).op);
  parameter.init = dsl::ops::InitKind::values;
  parameter.values = static_cast<int64_t>(graph.constants.size());
  graph.constants.push_back(std::move(values));
  graph.replace_op(id, parameter);
}

halcyon_init_kind rule_of(dsl::ops::InitKind kind) {
  switch (kind) {
    case dsl::ops::InitKind::constant: return HALCYON_INIT_CONSTANT;
    case dsl::ops::InitKind::uniform: return HALCYON_INIT_UNIFORM;
    case dsl::ops::InitKind::normal: return HALCYON_INIT_NORMAL;
    case dsl::ops::InitKind::values: break;
  }
  return HALCYON_INIT_VALUES;
}

}  // namespace

void embed_weights(dsl::Graph& graph, const std::string& path) {
  embed_weights(graph, runtime::read_weights(path), path);
}

void embed_weights(dsl::Graph& graph, const runtime::WeightFile& file, const std::string& source) {
  std::set<std::string> used;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const dsl::Node& node = graph.node(id);
    const auto* known = std::get_if<dsl::ops::Parameter>(&node.op);
    if (known == nullptr) continue;
    const std::string name(node.name.view());
    const runtime::WeightTensor* tensor = file.find(name);
    if (tensor == nullptr) {
      throw UserError(source + " has no tensor '" + name + "', which the network needs",
                      "is it another network's file?");
    }
    std::vector<int64_t> shape;
    const Shape& canonical = known->canonical_shape();
    for (int axis = 0; axis < canonical.rank; ++axis) shape.push_back(canonical[axis]);
    if (tensor->dtype != "F32" || tensor->shape != shape) {
      throw UserError(source + ": tensor '" + name + "' is " + tensor->dtype +
                      runtime::shape_text(tensor->shape) + ", the network needs F32" +
                      runtime::shape_text(shape));
    }
    const std::span<const float> values = tensor->floats();
    runtime::check_finite(values, source + ": tensor '" + name + "'");
    give(graph, id, {values.begin(), values.end()});
    used.insert(name);
  }
  for (const runtime::WeightTensor& tensor : file.tensors) {
    if (!used.contains(tensor.name) && !tensor.name.starts_with("optimizer/")) {
      throw UserError(
          source + " holds a tensor '" + tensor.name + "' that the network does not have",
          "is it another network's file?");
    }
  }
}

void embed_random_weights(dsl::Graph& graph, uint64_t seed) {
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const dsl::Node& node = graph.node(id);
    const auto* known = std::get_if<dsl::ops::Parameter>(&node.op);
    if (known == nullptr || known->init == dsl::ops::InitKind::values) continue;
    std::vector<float> values(static_cast<std::size_t>(known->shape.elements()));
    runtime::draw_parameter(node.name.view(), rule_of(known->init), known->scale, seed, values);
    give(graph, id, std::move(values));
  }
}

}  // namespace halcyon::compiler
