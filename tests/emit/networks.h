#pragma once
/// Networks for the tests of emission, and how they are compiled: kernels come from the build's
/// cache.

#include <string>

#include "compiler/driver/compile.h"
#include "dsl/graph.h"

namespace halcyon::tests {

/// A padded convolution with pooling, a second one with two groups, flatten of an odd map, dense.
/// `filters` changes the first convolution.
dsl::Graph small_classifier(int64_t filters = 6);

/// One relu: no parameters, no loss.
dsl::Graph only_relu();

/// Names that are legal in a network but stand for something else in C or C++.
dsl::Graph odd_names();

/// Errors: as compiler::compile; the artifact is never empty.
compiler::Artifact compile_network(const dsl::Graph& graph, bool train,
                                   const std::string& name = "");

}  // namespace halcyon::tests
