#pragma once
/// The machine that code is made for, in plain numbers; knows nothing of Halide.

#include <cstdint>
#include <string>

namespace halcyon::compiler {

struct Target {
  std::string name;                   ///< canonical: "x86-64-linux-avx512"
  std::string features;               ///< as Halide spells it, "x86-64-linux-avx-avx2-..."
  int vector_width = 16;              ///< 32-bit lanes in a register
  int vector_registers = 32;
  int64_t l1_bytes = 32 * 1024;
  int64_t l2_bytes = 1024 * 1024;
  int threads = 2;                    ///< cores to make work for; results do not depend on it
};

/// `text` is "host" or a Halide target string such as "x86-64-linux-avx2-fma".
/// Errors: UserError for an unknown name.
Target parse_target(const std::string& text);

}  // namespace halcyon::compiler
