#include "tests/onnx/backend_scope.h"

#include <algorithm>
#include <set>

#include "compiler/onnx/op_map.h"

namespace halcyon::tests {

namespace {

using compiler::ElementKind;

/// A limit, and words of the message that names it.
struct Limit {
  const char* words;
  const char* reason;
};

constexpr Limit kLimits[] = {
    {"in training mode", "training mode of a node"},
    {"gives the indices of its maxima", "indices of max pooling"},
    {"aligns corners of", "aligned corners of a fraction of a pixel"},
    {"a batch and 4 are supported", "more than five axes"},
    {"is known for shapes only", "products over an axis"},
    {"of which one is no matrix", "products of vectors"},
    {"leaves nothing of", "empty tensors"},
    {"is empty", "empty tensors"},
    {"to bfloat16", "rounding to bfloat16"},
    {"is neither a number nor a truth value", "strings"},
    {"which is neither a number nor a truth value", "strings"},
    {"networks compute in single precision", "integer arithmetic"},
    {"is computed when the network runs, and must be known before",
     "shapes or indices that are computed"},
    {"operator set", "operator sets below 6"},
};

/// Operators whose results follow from shapes, or are stored: integers are all that they read.
const std::set<std::string>& operators_on_shapes() {
  static const std::set<std::string> names = {"Constant", "ConstantOfShape", "Range", "Shape",
                                              "Size"};
  return names;
}

}  // namespace

std::optional<std::string> reason_of_model(const onnx::ModelProto& model) {
  for (const onnx::NodeProto& node : model.graph().node()) {
    const bool is_ours = node.domain().empty() || node.domain() == "ai.onnx";
    if (!is_ours) return "operators of " + node.domain();
    if (compiler::find_operator(node.op_type()) == nullptr) return "operator " + node.op_type();
  }
  int reals = 0, others = 0;
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    if (!input.type().has_tensor_type()) return "sequences and optional values";
    const int32_t type = input.type().tensor_type().elem_type();
    if (type == onnx::TensorProto::STRING) return "strings";
    if (type == onnx::TensorProto::BFLOAT16) return "bfloat16 inputs";
    const bool is_real = type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::DOUBLE ||
                         type == onnx::TensorProto::FLOAT16;
    ++(is_real ? reals : others);
  }
  for (const onnx::ValueInfoProto& output : model.graph().output()) {
    if (!output.type().has_tensor_type()) return "sequences and optional values";
  }
  const bool on_shapes = std::ranges::all_of(model.graph().node(), [](const onnx::NodeProto& node) {
    return operators_on_shapes().contains(node.op_type());
  });
  if (reals == 0 && others > 0 && !on_shapes) return "integers or truth values as activations";
  return {};
}

std::optional<std::string> reason_of_error(const std::string& message) {
  for (const Limit& limit : kLimits) {
    if (message.find(limit.words) != message.npos) return limit.reason;
  }
  return {};
}

}  // namespace halcyon::tests
