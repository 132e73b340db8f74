#pragma once
/// Each kernel by itself against the reference: which one is wrong when a network is.

#include <map>
#include <string>
#include <vector>

#include "compiler/driver/comparison.h"
#include "compiler/driver/kernel_runner.h"
#include "compiler/ops/rules.h"

namespace halcyon::compiler {

/// Every kernel of the inference program, once when the parameters are known or in each call, on
/// the values that the reference has for its inputs; in order of execution. `given`: the network's
/// inputs and parameters by name, as evaluate() takes them.
std::vector<Comparison> verify_kernels(const Artifact& artifact, const LoadedNetwork& loaded,
                                       const std::map<std::string, HostTensor>& given,
                                       int64_t batch, int threads);

}  // namespace halcyon::compiler
