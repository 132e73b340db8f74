#pragma once
/// What the command lines of Halcyon's programs share: which words they refuse, and how they say
/// so. A mistake that the words alone show is bad usage, exit status 2.

#include <CLI/CLI.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "runtime/base/error.h"

namespace halcyon::runtime {

/// What CLI11 says, as our messages are written.
inline std::string usage_text(const CLI::ParseError& error) {
  std::string text = error.what();
  // A word in capitals is the name of an argument.
  if (text.size() > 1 && std::isupper(static_cast<unsigned char>(text[1])) == 0)
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// Takes plain decimal digits only, within the range; CLI11 by itself reads "-1" as 2^64 - 1, "010"
/// as 8, and what is too large as the largest number there is.
template <typename Number>
CLI::Validator whole_number(Number least, Number most = std::numeric_limits<Number>::max()) {
  const auto check = [=](const std::string& text) -> std::string {
    Number value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool plain = result.ec == std::errc() && std::to_string(value) == text;
    if (plain && value >= least && value <= most) return "";
    return "'" + text + "' is no whole number from " + std::to_string(least) + " to " +
           std::to_string(most);
  };
  return CLI::Validator(check, std::to_string(least) + " to " + std::to_string(most));
}

/// Refuses what is no number that a float can hold, NaN included, or not as `wanted`.
inline CLI::Validator number(const char* wanted, bool (*is_wanted)(float)) {
  const auto check = [=](const std::string& text) -> std::string {
    char* end = nullptr;
    const float value = std::strtof(text.c_str(), &end);
    if (!text.empty() && *end == '\0' && std::isfinite(value) && is_wanted(value)) return "";
    return "'" + text + "' is no number" + (*wanted == '\0' ? "" : " ") + wanted;
  };
  return CLI::Validator(check, "NUMBER");
}

/// Refuses the empty text that an unset variable of a shell leaves: it would mean that the option
/// is not given at all.
inline CLI::Validator some_path() {
  const auto check = [](const std::string& text) -> std::string {
    return text.empty() ? "the path is empty" : "";
  };
  return CLI::Validator(check, "PATH");
}

/// Takes the words at which `use` throws no UserError.
inline CLI::Validator usable_by(void (*use)(const std::string&), const std::string& name) {
  const auto check = [use](const std::string& text) -> std::string {
    try {
      use(text);
      return "";
    } catch (const UserError& e) {
      return e.what();
    }
  };
  return CLI::Validator(check, name);
}

}  // namespace halcyon::runtime
