#include "compiler/onnx/import.h"

#include <algorithm>
#include <optional>
#include <set>

#include "compiler/onnx/model_file.h"
#include "compiler/onnx/node_import.h"
#include "compiler/onnx/op_map.h"
#include "compiler/onnx/order.h"
#include "dsl/initializer.h"
#include "runtime/network.h"
#include "runtime/weight_table.h"

namespace halcyon::compiler {

namespace {

namespace fs = std::filesystem;
namespace ops = dsl::ops;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using runtime::quote;

/// A C identifier of at most 40 characters.
std::string network_name(const GraphProto& graph, const std::string& source) {
  // What exporters write when they know nothing better.
  static const std::set<std::string> kNoNames = {
      "", "main_graph", "torch_jit", "torch-jit-export", "graph", "CNTKGraph"};
  const std::string wanted =
      kNoNames.contains(graph.name()) ? fs::path(source).stem().string() : graph.name();
  std::string name;
  for (char c : wanted.substr(0, 40)) {
    const bool usable = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += usable ? c : '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name = "n" + name.substr(0, 39);
  return name;
}

/// Errors: models of operator sets that nobody knows, or of another domain's alone.
int64_t opset_of(const ModelProto& model) {
  int64_t version = model.opset_import_size() == 0 ? 1 : 0;
  for (const onnx::OperatorSetIdProto& set : model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") version = set.version();
  }
  if (version >= kOldestOpset && version <= kNewestOpset) return version;
  throw UserError("uses operator set " + std::to_string(version) + " of ONNX; known are " +
                      std::to_string(kOldestOpset) + " to " + std::to_string(kNewestOpset),
                  "export it again with opset_version = " + std::to_string(kNewestOpset));
}

/// "node 12 'conv1' (Conv)"
std::string where(const NodeProto& node, int index) {
  std::string text = "node " + std::to_string(index);
  if (!node.name().empty()) text += " " + quote(node.name());
  return text + " (" + node.op_type().substr(0, 60) + ")";
}

/// A message of a rule of our own operators begins with the node's name, which stands in front
/// already.
std::string without_place(const std::string& message) {
  const std::size_t end = message.find("': ");
  const std::size_t begin = message.find(" '");
  return end != message.npos && begin < 30 && begin < end ? message.substr(end + 3) : message;
}

class Import {
 public:
  Import(const ModelProto& model, const fs::path& folder, std::string source,
         const ImportOptions& options)
      : model_(model), folder_(folder), source_(std::move(source)), options_(options) {}

  ImportedModel run() {
    try {
      opset_ = opset_of(model_);
      order_ = order_nodes(model_.graph());
      collect_inputs();
      return in_some_way();
    } catch (const NeedsConstant&) {
      throw;
    } catch (const UserError& error) {
      throw UserError(source_ + ": " + error.what());
    }
  }

 private:
  struct Input {
    std::string name;
    Dims dims;
  };

  // ---- what comes from outside

  void collect_inputs() {
    std::set<std::string> stored;
    for (const onnx::TensorProto& tensor : model_.graph().initializer())
      stored.insert(tensor.name());
    // A name that is wrong, before an input that it was meant for.
    for (const auto& given : options_.input_shapes) {
      const std::string& name = given.first;
      const bool known = name.empty() ||
                         std::ranges::any_of(model_.graph().input(),
                                             [&](const auto& info) { return info.name() == name; });
      if (!known) throw UserError("has no input " + quote(name), "its inputs: " + all_inputs());
    }
    for (const onnx::ValueInfoProto& info : model_.graph().input()) {
      if (stored.contains(info.name()) || options_.known_inputs.contains(info.name())) continue;
      if (!order_.used.contains(info.name())) continue;
      inputs_.push_back({info.name(), input_dims(info)});
    }
    for (const auto& given : options_.input_shapes) {
      const std::string& name = given.first;
      const bool known = std::ranges::any_of(inputs_, [&](const Input& i) {
        return i.name == name || (name.empty() && inputs_.size() == 1);
      });
      if (!known) throw UserError("has no input " + quote(name), "its inputs: " + input_names());
    }
  }

  std::string all_inputs() const {
    std::string names;
    for (const onnx::ValueInfoProto& info : model_.graph().input())
      names += (names.empty() ? "" : ", ") + quote(info.name());
    return names.empty() ? "none" : names;
  }

  std::string input_names() const {
    std::string names;
    for (const Input& input : inputs_) {
      names += (names.empty() ? "" : ", ") + quote(input.name) + " " + dims_text(input.dims);
    }
    return names.empty() ? "none" : names;
  }

  const Dims* given_shape(const std::string& name) const {
    for (const auto& [key, dims] : options_.input_shapes) {
      if (key == name || key.empty()) return &dims;
    }
    return nullptr;
  }

  Dims input_dims(const onnx::ValueInfoProto& info) const {
    const std::string what = "input " + quote(info.name());
    if (!info.type().has_tensor_type()) throw UserError(what + " is no tensor");
    const auto& type = info.type().tensor_type();
    if (element_kind(type.elem_type(), what) != ElementKind::real) {
      throw UserError(
          what + " is of type " + element_type_name(type.elem_type()) + ", expected real numbers",
          "a network's inputs are in single precision");
    }
    const Dims* given = given_shape(info.name());
    if (!type.has_shape() && given == nullptr) {
      throw UserError(what + " has no shape", "--input-shape gives it one");
    }
    if (given != nullptr && type.has_shape() &&
        static_cast<int>(given->size()) != type.shape().dim_size()) {
      throw UserError(what + " has " + std::to_string(type.shape().dim_size()) +
                      " axes, --input-shape gives " + std::to_string(given->size()));
    }
    Dims dims;
    const std::size_t rank =
        given != nullptr ? given->size() : static_cast<std::size_t>(type.shape().dim_size());
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const auto* stored = type.has_shape() ? &type.shape().dim(static_cast<int>(axis)) : nullptr;
      const bool is_open =
          stored == nullptr || !stored->has_dim_value() || stored->dim_value() == 0;
      if (given != nullptr) {
        const int64_t extent = (*given)[axis];
        if (!is_open && extent != kBatchNumber && extent != stored->dim_value()) {
          throw UserError(what + " has the extent " + std::to_string(stored->dim_value()) +
                              " along axis " + std::to_string(axis) + ", --input-shape gives " +
                              std::to_string(extent),
                          "--input-shape fixes what the model leaves open");
        }
        dims.push_back(extent);
      } else if (is_open && axis == 0) {
        dims.push_back(kBatchNumber);
      } else if (is_open) {
        throw UserError(what + " leaves the extent of axis " + std::to_string(axis) + " open",
                        "--input-shape gives the extents of all axes, such as Nx3x224x224");
      } else {
        dims.push_back(stored->dim_value());
      }
    }
    Dims sample = dims;
    if (!sample.empty() && sample[0] == kBatchNumber) sample.erase(sample.begin());
    if (count_elements(sample, what) == 0) throw UserError(what + " is empty");
    return dims;
  }

  // ---- by batch, or whole (see builder.h)

  ImportedModel in_some_way() {
    const auto first = [](const Input& input) {
      return input.dims.empty() ? int64_t{1} : input.dims[0];
    };
    const bool alike = std::ranges::all_of(
        inputs_, [&](const Input& input) { return first(input) == first(inputs_[0]); });
    const bool any_open = std::ranges::any_of(
        inputs_, [&](const Input& input) { return first(input) == kBatchNumber; });
    if (any_open && !alike) {
      throw UserError(
          "has inputs of which some begin with the batch and some do not: " + input_names(),
          "--input-shape NAME=... with numbers for all axes fixes the batch");
    }
    if (any_open) return build(kBatchNumber);
    if (alike && !inputs_.empty() && first(inputs_[0]) > 1) {
      try {
        return build(first(inputs_[0]));
      } catch (const MixesSamples&) {
        // Then one batch is one sample.
      }
    }
    return build(std::nullopt);
  }

  ImportedModel build(std::optional<int64_t> batch) {
    Builder builder(network_name(model_.graph(), source_), batch);
    std::map<std::string, Item> items;
    for (const auto& [name, array] : options_.known_inputs) items[name] = array;
    for (const Input& input : inputs_)
      items[input.name] = builder.add_input(input.name, input.dims);
    for (const onnx::TensorProto& tensor : model_.graph().initializer()) {
      if (!order_.used.contains(tensor.name())) continue;
      Array array = read_once(tensor);
      array.is_weight = array.kind == ElementKind::real;
      items[tensor.name()] = array;
    }
    for (int index : order_.nodes) import_node(builder, items, index);
    return finish(builder, items);
  }

  /// A second way through the model finds the values there.
  const Array& read_once(const onnx::TensorProto& tensor) {
    const auto [place, is_new] = stored_.try_emplace(tensor.name());
    if (is_new) place->second = read_array(tensor, folder_);
    return place->second;
  }

  void import_node(Builder& builder, std::map<std::string, Item>& items, int index) {
    const NodeProto& proto = model_.graph().node(index);
    const auto located = [&](const std::string& message) {
      return where(proto, index) + ": " + message;
    };
    try {
      const bool is_ours = proto.domain().empty() || proto.domain() == "ai.onnx";
      const OperatorRow* row = is_ours ? find_operator(proto.op_type()) : nullptr;
      if (row == nullptr) {
        throw UserError("operator " + quote(proto.op_type()) +
                            (is_ours ? "" : " of domain " + quote(proto.domain())) +
                            " is not supported",
                        "compiler/onnx/README.md lists those that are");
      }
      builder.begin_node(!proto.name().empty()     ? proto.name()
                         : proto.output_size() > 0 ? proto.output(0)
                                                   : proto.op_type());
      NodeImport node(builder, proto, folder_, opset_, items, order_.used);
      row->rule(node);
      node.attributes.check_all_were_read();
      for (const std::string& output : proto.output()) {
        if (output.empty() || items.contains(output)) continue;
        if (order_.used.contains(output)) {
          throw UserError("output " + quote(output) + " is not supported");
        }
      }
    } catch (const MixesSamples& error) {
      throw MixesSamples(located(error.what()));
    } catch (const NeedsConstant& error) {
      throw NeedsConstant(error.tensor, source_ + ": " + located(error.what()), "");
    } catch (const UserError& error) {
      throw UserError(located(without_place(error.what())));
    } catch (const dsl::ShapeMistake& mistake) {
      throw UserError(located(mistake.what), mistake.hint);
    }
  }

  ImportedModel finish(Builder& builder, const std::map<std::string, Item>& items) {
    ImportedModel made;
    if (model_.graph().output_size() == 0) throw UserError("has no outputs");
    for (const onnx::ValueInfoProto& info : model_.graph().output()) {
      const Item& item = items.at(info.name());
      if (const auto* array = std::get_if<Array>(&item)) {
        made.known_outputs[info.name()] = *array;
      } else {
        builder.add_output(info.name(), std::get<Symbol>(item));
      }
    }
    made.graph = builder.finish();
    return made;
  }

  const ModelProto& model_;
  const fs::path& folder_;
  std::string source_;
  const ImportOptions& options_;
  int64_t opset_ = 0;
  NodeOrder order_;
  std::vector<Input> inputs_;
  std::map<std::string, Array> stored_;
};

}  // namespace

ImportedModel import_model(const ModelProto& model, const fs::path& folder,
                           const std::string& source, const ImportOptions& options) {
  return Import(model, folder, source, options).run();
}

dsl::Graph import_file(const fs::path& path, const ImportOptions& options) {
  const ModelProto model = read_model(path);
  ImportedModel imported = import_model(model, path.parent_path(), path.string(), options);
  for (const auto& [name, array] : imported.known_outputs) {
    throw UserError(path.string() + ": output " + quote(name) + " does not depend on any input");
  }
  return std::move(imported.graph);
}

runtime::WeightFile take_weights(dsl::Graph& graph) {
  runtime::WeightFile file;
  file.metadata[runtime::kNetworkKey] = std::string(graph.name.view());
  std::vector<std::vector<float>> rest;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    dsl::Op op = graph.node(id).op;
    const std::optional<int64_t> given = dsl::given_values(op);
    if (!given) continue;
    std::vector<float>& values = graph.constants[static_cast<std::size_t>(*given)];
    if (auto* constant = std::get_if<ops::Constant>(&op)) {
      constant->values = static_cast<int64_t>(rest.size());
      rest.push_back(std::move(values));
    } else {
      auto& parameter = std::get<ops::Parameter>(op);
      const Shape& shape = parameter.canonical_shape();
      std::vector<int64_t> extents(shape.extents.begin(), shape.extents.begin() + shape.rank);
      const std::span<float> kept = file.add(std::string(graph.node(id).name.view()), extents);
      std::ranges::copy(values, kept.begin());
      const bool is_matrix = shape.rank > 1;
      const dsl::Distribution drawn = dsl::resolve(
          is_matrix ? dsl::fan_in() : dsl::constant(parameter.trainable ? 0 : 1), shape);
      parameter.init = drawn.kind;
      parameter.scale = drawn.scale;
      parameter.values = -1;
    }
    graph.replace_op(id, op);
  }
  graph.constants = std::move(rest);
  return file;
}

}  // namespace halcyon::compiler
