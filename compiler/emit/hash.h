#pragma once
/// Content hashes for cache keys, symbols and files.

#include <span>
#include <string>
#include <string_view>

namespace halcyon::compiler {

/// XXH3, 128 bits, as 32 hexadecimal digits.
std::string hash_bytes(std::span<const std::byte> bytes);
std::string hash_text(std::string_view text);

}  // namespace halcyon::compiler
