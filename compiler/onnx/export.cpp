#include "compiler/onnx/export.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <type_traits>

#include "compiler/onnx/node_export.h"
#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Node;
using dsl::Value;

/// IR version 8 came with opset 15 to 17.
constexpr int64_t kIrVersion = 8;

/// Has a rule of its own: a gradient that is derived from an operator must not take that one's.
#define HALCYON_IS_EXPORTED(Operator) || std::is_same_v<Op, ops::Operator>
template <class Op>
constexpr bool kIsExported = false HALCYON_EXPORTED(HALCYON_IS_EXPORTED);
#undef HALCYON_IS_EXPORTED

class Exporter {
 public:
  Exporter(const dsl::Graph& graph, onnx::GraphProto& model)
      : graph_(graph), model_(model), writer_(model) {
    for (const dsl::Output& output : graph.outputs) need(output.value);
    for (int32_t id = graph.node_count() - 1; id >= 0; --id) {
      if (!is_needed(id)) continue;
      for (const Value& value : read_by(graph.node(id))) need(value);
    }
  }

  void run() {
    // These names are what the host knows: nothing else may have them.
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (is_needed(id) && graph_.node(id).inputs.empty()) reserve_source(id);
    }
    for (const dsl::Output& output : graph_.outputs) reserve_output(output);
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      if (is_needed(id)) add(id);
    }
    for (const dsl::Output& output : graph_.outputs) add_output(output);
  }

 private:
  static std::string name_of(const Node& node) { return std::string(node.name.view()); }

  void need(Value value) { needed_.insert(value.node); }
  bool is_needed(int32_t id) const { return needed_.contains(id); }

  /// Without what the ONNX operator finds by itself.
  std::vector<Value> read_by(const Node& node) const {
    std::vector<Value> inputs = node.inputs;
    if (is_instance_norm(graph_, node)) inputs.resize(3);
    return inputs;
  }

  void reserve_source(int32_t id) { names_[{id, 0}] = writer_.fresh(name_of(graph_.node(id))); }

  /// A value that is an output bears its name; one that is several, or an input, is copied.
  void reserve_output(const dsl::Output& output) {
    const std::string wanted(output.name.view());
    const std::string name = writer_.fresh(wanted);
    if (name != wanted) {
      throw UserError("output '" + wanted + "' has the name of an input or parameter",
                      "ONNX knows tensors by their names alone: call it something else");
    }
    output_names_.push_back(name);
    if (!names_.contains(output.value) && !is_turned(output)) names_[output.value] = name;
  }

  /// ONNX's maps have their channels first; the host's may have them last.
  bool is_turned(const dsl::Output& output) const {
    return output.channels_last && graph_.shape(output.value).rank > 2;
  }

  const std::string& name_of(Value value) {
    std::string& name = names_[value];
    if (!name.empty()) return name;
    std::string wanted = name_of(graph_.node(value));
    if (value.output > 0) wanted += "." + std::to_string(value.output);
    return name = writer_.fresh(wanted);
  }

  void add(int32_t id) {
    const Node& node = graph_.node(id);
    if (const auto* input = std::get_if<ops::Input>(&node.op)) return add_input(id, *input);
    if (const auto* parameter = std::get_if<ops::Parameter>(&node.op)) {
      return add_parameter(id, *parameter);
    }
    if (const auto* constant = std::get_if<ops::Constant>(&node.op)) {
      return writer_.add_constant(names_[{id, 0}], dims_of(id, constant->shape),
                                  values_of(constant->values, node));
    }
    std::vector<std::string> inputs, outputs;
    for (const Value& value : read_by(node)) inputs.push_back(name_of(value));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      outputs.push_back(name_of(Value{id, static_cast<int32_t>(i)}));
    }
    NodeExport context(graph_, id, writer_, std::move(inputs), std::move(outputs));
    std::visit([&](const auto& op) { dispatch(op, context); }, node.op);
  }

  template <class Op>
  static void dispatch(const Op& op, NodeExport& context) {
    if constexpr (kIsExported<Op>) {
      export_operator(op, context);
    } else {
      context.refuse("has no counterpart in ONNX",
                     "networks are exported as they are before the compiler's passes");
    }
  }

  void add_input(int32_t id, const ops::Input& input) {
    const Node& node = graph_.node(id);
    if (input.target) {
      throw UserError(dsl::describe("input", node.name, node.place) +
                      " is a target, and an output needs it");
    }
    const std::string name = names_[{id, 0}];
    const Shape& shape = input.shape;
    std::vector<int64_t> extents = sample_extents(shape);
    const bool is_turned = input.channels_last && shape.rank > 2;
    if (is_turned) std::rotate(extents.begin(), extents.begin() + 1, extents.end());
    declare(*model_.add_input(), name, extents,
            input.dtype == DType::i32 ? onnx::TensorProto::INT32 : onnx::TensorProto::FLOAT);
    if (!is_turned) return;
    std::vector<int64_t> permutation = {0, shape.rank - 1};
    for (int axis = 1; axis < shape.rank - 1; ++axis) permutation.push_back(axis);
    const std::string turned = writer_.fresh(name + ".channels_first");
    writer_.add_node("Transpose", turned, {name}, {turned}, {{"perm", permutation}});
    names_[{id, 0}] = turned;
  }

  void add_parameter(int32_t id, const ops::Parameter& parameter) {
    const Node& node = graph_.node(id);
    if (parameter.init != ops::InitKind::values) {
      throw InternalError(dsl::describe("parameter", node.name, node.place) + " has no values");
    }
    writer_.add_values(names_[{id, 0}], dims_of(id, parameter.shape),
                       values_of(parameter.values, node));
  }

  const std::vector<float>& values_of(int64_t index, const Node& node) const {
    if (index < 0 || index >= static_cast<int64_t>(graph_.constants.size())) {
      throw InternalError(dsl::describe(dsl::name_of(node.op), node.name, node.place) +
                          " has no values");
    }
    return graph_.constants[static_cast<std::size_t>(index)];
  }

  /// One number per channel is stored as those who read it need it, if they all need the same.
  std::vector<int64_t> dims_of(int32_t id, const Shape& shape) const {
    std::vector<int64_t> dims(shape.extents.begin(), shape.extents.begin() + shape.rank);
    if (shape.rank != 1 || shape[0] == 1) return dims;
    std::set<int> ranks;
    for (int32_t reader = id + 1; reader < graph_.node_count(); ++reader) {
      const Node& node = graph_.node(reader);
      if (!is_needed(reader) || std::ranges::count(node.inputs, Value{id, 0}) == 0) continue;
      const bool repeats = std::holds_alternative<ops::Pointwise>(node.op);
      ranks.insert(repeats ? std::max(node.outputs[0].rank - 1, 1) : 1);
    }
    if (ranks.size() == 1) dims.resize(static_cast<std::size_t>(*ranks.begin()), 1);
    return dims;
  }

  void add_output(const dsl::Output& output) {
    const auto index = static_cast<std::size_t>(&output - graph_.outputs.data());
    const std::string& name = output_names_[index];
    std::vector<int64_t> extents = sample_extents(graph_.shape(output.value));
    if (is_turned(output)) {
      std::vector<int64_t> permutation = {0};
      for (int axis = 2; axis < graph_.shape(output.value).rank; ++axis)
        permutation.push_back(axis);
      permutation.push_back(1);
      writer_.add_node("Transpose", name, {name_of(output.value)}, {name}, {{"perm", permutation}});
      std::rotate(extents.begin(), extents.begin() + 1, extents.end());
    } else if (name_of(output.value) != name) {
      writer_.add_node("Identity", name, {name_of(output.value)}, {name});
    }
    declare(*model_.add_output(), name, extents, onnx::TensorProto::FLOAT);
  }

  static void declare(onnx::ValueInfoProto& info, const std::string& name,
                      const std::vector<int64_t>& sample, int32_t type) {
    info.set_name(name);
    onnx::TypeProto::Tensor& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    tensor.mutable_shape()->add_dim()->set_dim_param("N");
    for (const int64_t extent : sample) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
  }

  const dsl::Graph& graph_;
  onnx::GraphProto& model_;
  ModelWriter writer_;
  std::set<int32_t> needed_;
  std::map<Value, std::string> names_;
  std::vector<std::string> output_names_;
};

}  // namespace

onnx::ModelProto export_model(const dsl::Graph& graph) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("halcyon");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kExportOpset);
  onnx::GraphProto& main = *model.mutable_graph();
  main.set_name(std::string(graph.name.view()));
  Exporter(graph, main).run();
  return model;
}

void write_model(const onnx::ModelProto& model, const std::string& path) {
  const std::string bytes = model.SerializeAsString();
  runtime::write_file_atomically(path, std::as_bytes(std::span(bytes)));
}

}  // namespace halcyon::compiler
