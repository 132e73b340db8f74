#pragma once
/// Runs models that were imported: compiled through Halide, with the kernels of the shared cache.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/driver/load.h"
#include "compiler/onnx/import.h"

namespace halcyon::tests {

using Floats = std::vector<float>;
using NamedFloats = std::map<std::string, Floats>;

class CompiledModel {
 public:
  /// Errors: as compiler::compile.
  explicit CompiledModel(dsl::Graph graph, int jobs = 0);

  /// Outputs by name. `inputs` are all samples of each input, by name; they are run in calls of
  /// `batch` samples, or at once. Errors: std::runtime_error for inputs that are missing or of a
  /// wrong size.
  NamedFloats run(const NamedFloats& inputs, int threads, int64_t batch = 0) const;

 private:
  runtime::WeightFile weights_;
  std::unique_ptr<compiler::LoadedNetwork> loaded_;
};

}  // namespace halcyon::tests
