#pragma once
/// Numbers as people read them.

#include <cstdint>
#include <string>

namespace halcyon::compiler {

/// "1,234,567"
inline std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

/// 1024 bytes are a kB, and what has begun counts.
inline std::string kilobytes(int64_t bytes) { return grouped((bytes + 1023) / 1024); }

}  // namespace halcyon::compiler
