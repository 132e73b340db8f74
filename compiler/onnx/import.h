#pragma once
/// From an ONNX model to a graph. The model is hostile until proven otherwise: whatever is in it,
/// the end is a graph or one UserError that names the node by its name and its index.

#include <filesystem>
#include <map>
#include <string>

#include "compiler/onnx/array.h"
#include "dsl/graph.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

struct ImportOptions {
  /// Shapes of inputs, for those that the model leaves open: all axes, the batch too, which may
  /// stay kBatchNumber. An empty name means the only input.
  std::map<std::string, Dims> input_shapes;
  /// Values of inputs that are none of the network's: weights that the model gets from outside.
  std::map<std::string, Array> known_inputs;
};

struct ImportedModel {
  /// Activations as compiler/onnx/builder.h says. Its parameters have the names of the model's
  /// tensors, and their values as initialisers.
  dsl::Graph graph;
  /// Outputs that no input of the model changes; they are not in the graph.
  std::map<std::string, Array> known_outputs;
};

/// `folder` holds the model, and its external data. `source` is what messages call it, and names
/// the network where the model does not.
/// Errors: UserError.
ImportedModel import_model(const onnx::ModelProto& model, const std::filesystem::path& folder,
                           const std::string& source, const ImportOptions& options = {});

/// Reads a file and imports it. Errors: as read_model and import_model; UserError for a model of
/// which an output is constant.
dsl::Graph import_file(const std::filesystem::path& path, const ImportOptions& options = {});

/// Moves the values of a graph's parameters out of it, into weights that runtime::Network takes.
/// The parameters begin as those of layers without weights do.
runtime::WeightFile take_weights(dsl::Graph& graph);

}  // namespace halcyon::compiler
