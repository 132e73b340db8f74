#pragma once
/// A short string that lives inside its object, so that it works in constant expressions on every
/// supported compiler (std::string does not on clang 14 with libstdc++ 12).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace halcyon {

/// At most kCapacity characters; longer text is cut. Invariant: bytes past `size` are zero.
struct FixedString {
  static constexpr std::size_t kCapacity = 63;

  char text[kCapacity + 1] = {};
  uint8_t size = 0;

  constexpr FixedString() = default;
  constexpr FixedString(std::string_view s) { append(s); }
  constexpr FixedString(const char* s) : FixedString(std::string_view(s)) {}

  constexpr void append(std::string_view s) {
    for (char c : s) {
      if (size < kCapacity) text[size++] = c;
    }
  }

  /// Appends a number of at least zero in decimal.
  constexpr void append(int64_t number) {
    char digits[20] = {};
    int count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    while (count > 0) append(std::string_view(&digits[--count], 1));
  }

  constexpr bool empty() const { return size == 0; }
  constexpr std::string_view view() const { return {text, size}; }
  constexpr operator std::string_view() const { return view(); }
  constexpr bool operator==(const FixedString& other) const { return view() == other.view(); }
  constexpr bool operator==(std::string_view other) const { return view() == other; }
};

}  // namespace halcyon
