#pragma once
/// Compiled code held against the reference meaning, on random parameters and inputs.
///
/// The reference runs on the network as the user wrote it, before any pass, so a wrong pass shows
/// as well as a wrong kernel. Gradients are read off one step of plain SGD with rate 1: p - p' is
/// the gradient. Then each kernel of inference alone, on what the reference gives it.

#include <string>
#include <vector>

#include "compiler/driver/comparison.h"
#include "compiler/driver/compile.h"

namespace halcyon::compiler {

struct VerifyOptions {
  int64_t batch = 3;
  std::vector<int64_t> calls;  ///< batches of the calls that share the samples; empty: one call
  int threads = 1;
  uint64_t seed = 1;
  bool gradients = true;  ///< where the network has a loss
  bool kernels = false;   ///< each of inference by itself, too
};

/// Outputs, then losses, gradients and statistics, then kernels. Errors: as compile().
std::vector<Comparison> verify_network(const dsl::Graph& graph,
                                       const CompileOptions& compile_options,
                                       const VerifyOptions& options);

}  // namespace halcyon::compiler
