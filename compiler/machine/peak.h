#pragma once
/// What this machine can do at best, measured in the running process: multiply-adds in registers,
/// and reading memory. Machines differ from day to day, so a benchmark measures its own peak and
/// reports shares of it.

#include <string>

namespace halcyon::machine {

/// The widest instructions the multiply-add measurement uses here: "avx512", "avx2" (with fma),
/// "sse2" or "portable".
std::string peak_instructions();

/// Single-precision multiply-adds on values in registers, `threads` threads at once; the best of
/// several windows. Units: 1e9 operations a second, a multiply-add counted as two.   Cost:
/// `seconds`, about.
double peak_gflops(int threads, double seconds = 0.3);

/// Reads of a buffer much larger than the caches (but at most 1 GiB), each thread its own part; the
/// best of several passes.   Units: 1e9 bytes a second.   Errors: std::bad_alloc.   Cost:
/// `seconds`, about, and filling the buffer.
double peak_read_gb_per_s(int threads, double seconds = 0.5);

}  // namespace halcyon::machine
