#pragma once
/// Everything a kernel is made from, detached from its network: two regions with equal text are one
/// kernel.

#include <string>
#include <vector>

#include "compiler/passes/fusion_rules.h"
#include "compiler/program.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// A kernel's pointer argument.
struct KernelArgument {
  enum class Kind {
    value,       ///< a stored value of the program
    parameters,  ///< the trainable part of the parameter block
    gradients,   ///< their gradients, in the same order
    state,       ///< slot `slot` of the optimizer's state
    hyper,       ///< the optimizer's numbers, see hyper.h
    step,        ///< u32: the seed's low and high half, then the step's, see kernels/dropout.cpp
  };
  Kind kind = Kind::value;
  Value value;
  int64_t slot = 0;
};

struct KernelArguments {
  std::vector<KernelArgument> inputs;
  std::vector<KernelArgument> outputs;
};

/// In the order in which a kernel takes them.
KernelArguments kernel_arguments(const Program& program, const Region& region);

struct KernelSpec {
  const Program* program = nullptr;
  const Region* region = nullptr;
  Target target;
  Choice choice;
  std::vector<KernelArgument> inputs;
  std::vector<KernelArgument> outputs;

  int32_t anchor_id() const { return anchor_of(program->graph, *region); }
  const Node& anchor() const { return program->graph.node(anchor_id()); }
  int64_t macs() const;       ///< per sample
  std::string label() const;  ///< "conv1+pool1+relu1"
  /// What the machine code depends on, and nothing else: the key of the object cache.
  std::string text() const;
};

/// The kernel of one region, scheduled as the region says.
KernelSpec make_kernel_spec(const Program& program, const Region& region, const Target& target);

}  // namespace halcyon::compiler
