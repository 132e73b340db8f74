#pragma once
/// The header of a safetensors file: JSON of one fixed form.
///
///     {"__metadata__": {"key": "text"}, "conv1.bias": {"dtype": "F32", "shape": [8],
///     "data_offsets": [0, 32]}}

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace halcyon::runtime {

/// What the header says about a tensor. The form is checked, the values are not.
struct SafetensorsEntry {
  std::string name, dtype;
  std::vector<int64_t> shape;
  std::vector<uint64_t> offsets;  ///< begin and end of its data, behind the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
  std::string problem;  ///< empty, or what is wrong; the rest is then incomplete
};

inline constexpr const char* kSafetensorsMetadata = "__metadata__";
inline constexpr std::size_t kSafetensorsMaxRank = 32;

/// Never throws for anything `text` may hold, and costs no more than its length.
SafetensorsHeader parse_safetensors_header(std::string_view text);

/// The same way back, without padding.
/// Errors: InternalError for text that is not UTF-8.
std::string format_safetensors_header(const SafetensorsHeader& header);

}  // namespace halcyon::runtime
