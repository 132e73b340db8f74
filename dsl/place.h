#pragma once
/// Where in the user's source a node was written, for messages.

#include "runtime/base/fixed_string.h"

namespace halcyon::dsl {

/// A file name without its folders, and a line; line 0 means unknown.
struct Place {
  FixedString file;
  int64_t line = 0;

  constexpr bool operator==(const Place&) const = default;

  /// As a default argument: the line of the call.
  static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    // The builtin, because every character would be a step of a constant evaluation.
    std::string_view path(file, __builtin_strlen(file));
    const std::size_t slash = path.find_last_of('/');
    return {FixedString(slash == path.npos ? path : path.substr(slash + 1)), line};
  }
};

}  // namespace halcyon::dsl
