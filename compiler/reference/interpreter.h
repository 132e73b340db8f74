#pragma once
/// Runs a graph node by node with the reference rules: the measure for everything that is compiled.
/// Slow, and keeps every value; never part of a shipped program.

#include <cstdint>
#include <map>
#include <string>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

/// The value of every output of every node. Update and MoveStatistics have none.
/// `given`: a tensor for each input, target and parameter, by node name; other names are ignored.
/// Errors: UserError for a batch below 1, a missing tensor or one of another shape.
std::map<Value, HostTensor> evaluate(const Graph& graph,
                                     const std::map<std::string, HostTensor>& given, int64_t batch);

HostTensor value_of(const Graph& graph, const ops::Constant& constant);

/// Uniform in [-1, 1), in steps of 2^-20, so that single precision holds each value exactly.
/// The same seed gives the same values everywhere.
HostTensor random_tensor(const Shape& shape, int64_t batch, uint64_t seed);

/// Class numbers in [0, classes). Shapes: [batch]
HostTensor random_labels(int64_t classes, int64_t batch, uint64_t seed);

}  // namespace halcyon::compiler
