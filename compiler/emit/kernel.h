#pragma once
/// One kernel from its description to object code.

#include <cstddef>
#include <string>
#include <vector>

#include "compiler/emit/frame.h"
#include "compiler/lower/kernel_spec.h"

namespace halcyon::compiler {

struct KernelObject {
  std::string symbol;             ///< "halcyon_k_<hash of the description>"
  std::vector<std::byte> object;  ///< a relocatable object file that defines `symbol` alone
  Scratch scratch;
};

/// The symbol a kernel will have: equal kernels have equal symbols.
std::string kernel_symbol(const KernelSpec& spec);

/// Lowers, schedules and compiles. Threads: may run for different kernels at once.
/// Errors: InternalError where Halide or LLVM refuse.
KernelObject compile_kernel(const KernelSpec& spec);

}  // namespace halcyon::compiler
