#pragma once
/// What a compiled network shows to its host: names, shapes, parameters. Collected once from the
/// programs; the constant tables, the headers and the manifest all say it from here.

#include <string>
#include <vector>

#include "compiler/program.h"

namespace halcyon::compiler {

/// An input, output or target. Shapes: `extents` in memory order without the batch, `axes` their
/// letters.
struct HostValue {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> extents;
  std::string axes;
  int64_t elements = 1;
  int64_t classes = 0;
};

struct HostParameter {
  std::string name;
  Shape shape;
  Place place;
  WeightLayout layout;
  dsl::ops::Parameter definition;
};

struct Interface {
  std::string name;
  std::string target;
  std::vector<HostValue> inputs, outputs, targets;
  std::vector<std::string> losses;
  std::vector<HostParameter> parameters;
  int64_t parameter_bytes = 0;  ///< of the packed parameters
  int64_t prepared_bytes = 0;   ///< behind them, what inference computes from them
  int64_t state_bytes = 0;
  int optimizer = HALCYON_NO_OPTIMIZER;
  std::vector<std::vector<float>> constants;
};

/// `training` is null for an inference library.
Interface describe_interface(const std::string& name, const std::string& target,
                             const Program& inference, const Program* training);

}  // namespace halcyon::compiler
