#pragma once
/// Weights as part of a graph.

#include <cstdint>
#include <string>

#include "dsl/graph.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

/// Puts the values of a safetensors file in place of the initialisers, so that they are linked in.
/// Errors: UserError for missing, foreign or wrongly shaped tensors, and values that are not
/// finite.
void embed_weights(dsl::Graph& graph, const std::string& path);

/// The same from memory; `source` is what messages call it.
void embed_weights(dsl::Graph& graph, const runtime::WeightFile& file, const std::string& source);

/// The same with the values that a network starts with: those of runtime::Network::initialize.
void embed_random_weights(dsl::Graph& graph, uint64_t seed);

}  // namespace halcyon::compiler
