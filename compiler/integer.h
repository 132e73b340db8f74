#pragma once
/// Divisions that round up, for sizes: neither argument is negative.

#include <cstdint>

namespace halcyon::compiler {

/// How many pieces of size `b` hold `a`.
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The least multiple of `unit` that is not below `value`.
constexpr int64_t round_up(int64_t value, int64_t unit) { return ceil_div(value, unit) * unit; }

}  // namespace halcyon::compiler
