#pragma once
/// The types that numbers have in files, as safetensors spells them, and the bytes that arrays of
/// them take.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace halcyon::runtime {

struct ElementType {
  std::string_view name;
  uint64_t bytes;
};
inline constexpr std::array<ElementType, 15> kElementTypes{{{"BOOL", 1},
                                                            {"U8", 1},
                                                            {"I8", 1},
                                                            {"F8_E4M3", 1},
                                                            {"F8_E5M2", 1},
                                                            {"U16", 2},
                                                            {"I16", 2},
                                                            {"F16", 2},
                                                            {"BF16", 2},
                                                            {"U32", 4},
                                                            {"I32", 4},
                                                            {"F32", 4},
                                                            {"U64", 8},
                                                            {"I64", 8},
                                                            {"F64", 8}}};

/// 0 for a type that is not known.
constexpr uint64_t element_bytes(std::string_view type) {
  const auto* found = std::ranges::find(kElementTypes, type, &ElementType::name);
  return found == kElementTypes.end() ? 0 : found->bytes;
}

/// Of a dense array. nullopt when they do not fit int64_t, or a dimension is negative.
constexpr std::optional<uint64_t> array_bytes(std::span<const int64_t> shape, uint64_t of_element) {
  constexpr auto kLimit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  uint64_t size = of_element;
  for (const int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    const auto factor = static_cast<uint64_t>(extent);
    if (factor != 0 && size > kLimit / factor) return std::nullopt;
    size *= factor;
  }
  return size;
}

}  // namespace halcyon::runtime
