#pragma once
/// The machine that code is made for, in plain numbers.

#include <cstdint>
#include <string>

namespace halcyon::compiler {

struct Target {
  std::string features;   ///< as Halide spells it, "x86-64-linux-avx-avx2-avx512-..."
  std::string triple;     ///< as LLVM spells it, "x86_64-unknown-linux-gnu"
  int vector_width = 16;  ///< 32-bit lanes in a register
  int vector_registers = 32;
};

/// `text` is "host" or a Halide target such as "x86-64-linux-avx-avx2-fma".
/// Errors: UserError for a target that is unknown or not supported yet.
Target parse_target(const std::string& text);

/// Whether this machine has the instructions that Target::features names.
bool runs_on_this_machine(const std::string& features);

}  // namespace halcyon::compiler
