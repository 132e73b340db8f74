#pragma once
/// Other programs' word on a model: ONNX's checker (Debian's python3-onnx) and ONNX Runtime (the
/// npm package onnxruntime-node). Tests that need one which is not there say so and are skipped.

#include <cstdint>
#include <string>
#include <vector>

namespace halcyon::tests {

/// Why there is no checker, or no ONNX Runtime; empty if there is.
std::string missing_checker();
std::string missing_onnx_runtime();

/// What the checker finds wrong with a model file, shapes included; empty if it finds nothing.
std::string check_model(const std::string& path);

struct NamedTensor {
  std::string name;
  std::vector<int64_t> dims;
  std::vector<float> values;
};

/// Those outputs of the model; their names are letters, digits and "_.-".
/// Errors: std::runtime_error with ONNX Runtime's message, or if there is no such output.
std::vector<NamedTensor> run_onnx_runtime(const std::string& model,
                                          const std::vector<NamedTensor>& inputs,
                                          const std::vector<std::string>& outputs);

}  // namespace halcyon::tests
