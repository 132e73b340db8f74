#pragma once
/// The machine that code is made for, in plain numbers.

#include <cstdint>
#include <string>

namespace halcyon::compiler {

/// Enough multiply-adds to make waking another thread worth it: about 20 us on one core of 2026.
inline constexpr int64_t kMacsPerTask = 1 << 20;

/// A core's own cache where the machine cannot be asked: what most cores since 2020 have at least,
/// from Zen 2's 512 kB to Sapphire Rapids' 2 MB.
inline constexpr int64_t kUsualL2Bytes = 512 * 1024;

struct Target {
  std::string features;   ///< as Halide spells it, "x86-64-linux-avx-avx2-avx512-..."
  std::string triple;     ///< as LLVM spells it, "x86_64-unknown-linux-gnu"
  int vector_width = 16;  ///< 32-bit lanes in a register
  int vector_registers = 32;
  int64_t l2_bytes = kUsualL2Bytes;  ///< cache of one core; the build machine's own for "host"

  // The balance of one core. Bytes are those from beyond its own cache: 40 GB/s at 4 GHz were read
  // on one thread of a Zen 5 that made 258 GFLOP/s with 16 lanes, which is two of them in a cycle.
  int64_t macs_per_cycle() const { return int64_t{2} * vector_width; }
  static constexpr int64_t bytes_per_cycle = 10;
};

/// `text` is "host" or a Halide target such as "x86-64-linux-avx-avx2-fma".
/// Errors: UserError for a target that is unknown or not supported yet.
Target parse_target(const std::string& text);

/// Whether this machine has the instructions that Target::features names.
bool runs_on_this_machine(const std::string& features);

}  // namespace halcyon::compiler
