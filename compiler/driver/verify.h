#pragma once
/// Compiled code held against the reference meaning, on random parameters and inputs.
///
/// The reference runs on the network as the user wrote it, before any pass, so a wrong pass shows
/// as well as a wrong kernel. Gradients are read off one step of plain SGD with rate 1: p - p' is
/// the gradient.

#include <string>
#include <vector>

#include "compiler/driver/compile.h"

namespace halcyon::compiler {

struct VerifyOptions {
  int64_t batch = 3;
  int threads = 1;
  uint64_t seed = 1;
  bool gradients = true;  ///< where the network has a loss
};

/// One compared tensor.
struct Comparison {
  std::string what;          ///< "output scores", "loss loss", "gradient conv1.weight",
                             ///< "statistic bn1.running_mean"
  double largest_error = 0;  ///< absolute
  double largest_value = 0;  ///< of the reference, absolute
  double resolution = 0;     ///< what rounding alone does to a gradient that is read off parameters
  bool finite = true;

  /// Error beyond the resolution, relative to the largest value, but at least to 1e-6.
  double relative() const;
};

/// Errors: as compile().
std::vector<Comparison> verify_network(const dsl::Graph& graph,
                                       const CompileOptions& compile_options,
                                       const VerifyOptions& options);

}  // namespace halcyon::compiler
