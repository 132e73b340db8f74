#pragma once
/// A graph and its weights as an ONNX model, opset 17, that other programs run with the same
/// result.
///
/// The batch is an axis called N. Pictures that the network takes, and maps that it gives, with
/// their channels last are such inputs and outputs of the model, and are transposed there. What
/// belongs to training alone, losses and what only they read, is left out.

#include <string>

#include "compiler/onnx/onnx.pb.h"
#include "dsl/graph.h"

namespace halcyon::compiler {

/// The parameters' values are given (ops::InitKind::values): see compiler/driver/embed_weights.h.
/// Errors: UserError for what ONNX cannot say, with the node and its place, and for weights above
/// 2 GB.
onnx::ModelProto export_model(const dsl::Graph& graph);

/// Atomically. Errors: SystemError if writing fails.
void write_model(const onnx::ModelProto& model, const std::string& path);

}  // namespace halcyon::compiler
