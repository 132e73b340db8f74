#pragma once
/// Small ONNX models, written in the tests that need them.

#include <string>
#include <vector>

#include "compiler/onnx/array.h"
#include "compiler/onnx/import.h"

namespace halcyon::tests {

/// Builds one model; what it returns can be broken afterwards.
class ModelWriter {
 public:
  explicit ModelWriter(int64_t opset = 13);

  /// An extent of 0 is symbolic.
  ModelWriter& input(const std::string& name, const compiler::Dims& dims,
                     int type = onnx::TensorProto::FLOAT);
  ModelWriter& output(const std::string& name);
  ModelWriter& weight(const std::string& name, const compiler::Dims& dims,
                      const std::vector<float>& values);
  /// The same value everywhere.
  ModelWriter& weight(const std::string& name, const compiler::Dims& dims, float value);
  ModelWriter& integers(const std::string& name, const std::vector<int64_t>& values);
  /// Its name is "the_" and the operator's, lower case.
  ModelWriter& node(const std::string& op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs);
  // Attributes of the last node.
  ModelWriter& with(const std::string& name, int64_t value);
  ModelWriter& with(const std::string& name, const std::vector<int64_t>& values);
  ModelWriter& with(const std::string& name, const std::string& value);
  ModelWriter& with_real(const std::string& name, float value);

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  onnx::NodeProto& last() { return *graph().mutable_node(graph().node_size() - 1); }

  compiler::ImportedModel import(const compiler::ImportOptions& options = {}) const;

 private:
  onnx::AttributeProto& attribute(const std::string& name,
                                  onnx::AttributeProto::AttributeType type);

  onnx::ModelProto model_;
};

/// x [N,2,4,4] -> conv 3 filters 3x3 -> y
ModelWriter conv_model();

}  // namespace halcyon::tests
