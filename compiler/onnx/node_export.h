#pragma once
/// One node of a graph while it is exported: what the rules of operators work on.
///
/// An operator is said as one ONNX operator that means the same, or as several: a rule for each is
/// in export_*.cpp. Opset 17: the newest that Debian's ONNX knows, and old enough for everybody.

#include <string>
#include <vector>

#include "compiler/onnx/model_writer.h"
#include "dsl/graph.h"

namespace halcyon::compiler {

inline constexpr int64_t kExportOpset = 17;

class NodeExport {
 public:
  /// Names of tensors: one for each input of the node, and one for each result.
  NodeExport(const dsl::Graph& graph, int32_t id, ModelWriter& model,
             std::vector<std::string> inputs, std::vector<std::string> outputs)
      : model_(model),
        graph_(graph),
        id_(id),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}

  ModelWriter& model() { return model_; }
  const dsl::Node& node() const { return graph_.node(id_); }
  const dsl::Graph& graph() const { return graph_; }
  const Shape& shape(std::size_t input) const { return graph_.shape(node().inputs[input]); }
  const Shape& result() const { return node().outputs[0]; }

  const std::string& x(std::size_t input = 0) const { return inputs_[input]; }
  const std::vector<std::string>& inputs() const { return inputs_; }
  /// A value without batch as an operand of one with `rank` axes: [C] becomes [C,1,1].
  std::string aligned(std::size_t input, int rank);

  /// The ONNX node that gives the result, or another one of them.
  void finish(const std::string& type, const std::vector<std::string>& inputs,
              const ModelAttributes& attributes = {}, std::size_t output = 0);
  /// One in front of it; returns its result. It is named after the node and its type.
  std::string step(const std::string& type, const std::vector<std::string>& inputs,
                   const ModelAttributes& attributes = {});

  // Steps that several rules take.

  /// The same values with these extents behind the batch.
  std::string reshaped(const std::string& x, const std::vector<int64_t>& sample);
  void finish_reshaped(const std::string& x, const std::vector<int64_t>& sample);

  /// Errors: UserError naming the node and its place. `why`: "has ..."
  [[noreturn]] void refuse(const std::string& why, const std::string& hint) const;

 private:
  ModelWriter& model_;
  const dsl::Graph& graph_;
  int32_t id_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
};

/// Normalize by the moments of what it normalises, channel by channel: one ONNX operator that needs
/// no moments from elsewhere.
bool is_instance_norm(const dsl::Graph& graph, const dsl::Node& node);

/// All axes behind the batch.
std::vector<int64_t> sample_extents(const Shape& shape);
std::vector<int64_t> spatial_numbers(const dsl::Spatial& numbers, const Shape& x);

// The rules. An operator without one is made by the compiler and stands in no network as written.
// clang-format off
#define HALCYON_EXPORTED(X) \
    X(Conv) X(ConvTranspose) X(Dense) X(MaxPool) X(AveragePool)                                  \
    X(Flatten) X(Reshape) X(Concat) X(Softmax) X(LogSoftmax) X(Reduce) X(MatMul) X(Dropout)      \
    X(BatchNorm) X(Moments) X(GroupMoments) X(Normalize) X(L2Normalize) X(LocalResponseNorm)     \
    X(Pad) X(Slice) X(Transpose) X(ChannelShuffle) X(DepthToSpace) X(SpaceToDepth) X(Resize)     \
    X(Pointwise) X(Stencil)
// clang-format on

#define HALCYON_EXPORT_RULE(Operator) \
  void export_operator(const dsl::ops::Operator& op, NodeExport& node);
HALCYON_EXPORTED(HALCYON_EXPORT_RULE)
#undef HALCYON_EXPORT_RULE

/// formula(inputs...) as ONNX nodes, the last of which gives the node's result.
void export_formula(const dsl::Formula& formula, const std::vector<std::string>& inputs,
                    NodeExport& node);

}  // namespace halcyon::compiler
