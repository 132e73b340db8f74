#pragma once
/// Takes one line of text apart, for parsers of hostile input. Every failure names the line, what
/// was expected and what stands there.

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/error.h"
#include "runtime/base/fixed_string.h"

namespace halcyon::compiler {

/// Errors: UserError from everything that is named fail or expect, and from the readers.
class Scanner {
 public:
  Scanner(std::string_view line, std::string where) : rest_(line), where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const {
    throw UserError(where_ + ": " + message, hint);
  }
  [[noreturn]] void fail_expected(const std::string& expected) {
    fail("expected " + expected + ", found " + found());
  }

  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  void expect_end() {
    if (!at_end()) fail_expected("the end of the line");
  }

  bool accept(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) fail_expected("'" + std::string(token) + "'");
  }

  /// Letters, digits and _; empty where there are none.
  std::string_view word() {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest_.size() && is_word_character(rest_[size])) ++size;
    return take(size);
  }

  /// A text in quotation marks, of at most that many characters.
  std::string_view quoted_text(const std::string& what, std::size_t at_most) {
    if (!accept("\"")) fail_expected(what + " in quotation marks");
    const std::size_t size = rest_.find('"');
    if (size == rest_.npos) fail(what + " has no closing quotation mark");
    if (size > at_most) {
      fail(what + " has " + std::to_string(size) + " characters, expected at most " +
           std::to_string(at_most));
    }
    const std::string_view text = take(size);
    rest_.remove_prefix(1);
    return text;
  }
  FixedString quoted(const std::string& what) {
    return FixedString(quoted_text(what, FixedString::kCapacity));
  }
  const std::string& where() const { return where_; }

  int64_t integer(const std::string& what, int64_t at_least, int64_t at_most) {
    skip_blanks();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error == std::errc::invalid_argument) fail_expected(what);
    const std::string_view digits = take(static_cast<std::size_t>(end - rest_.data()));
    if (error != std::errc{} || value < at_least || value > at_most) {
      fail(what + " is " + std::string(digits) + ", expected " + std::to_string(at_least) + " to " +
           std::to_string(at_most));
    }
    return value;
  }

  /// Whether number() would find one, perhaps a wrong one.
  bool next_is_number() {
    skip_blanks();
    const std::size_t first = rest_.starts_with('-') ? 1 : 0;
    return first < rest_.size() &&
           (rest_[first] == '.' || (rest_[first] >= '0' && rest_[first] <= '9'));
  }

  /// A finite f32: hexadecimal as `print` writes it, or decimal.
  float number(const std::string& what) {
    skip_blanks();
    std::size_t size = 0;
    while (size < rest_.size() && belongs_to_number(size)) ++size;
    if (size == 0) fail_expected(what);
    const std::string_view text = take(size);
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    const bool hexadecimal = digits.starts_with("0x");
    if (hexadecimal) digits.remove_prefix(2);
    float value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value,
                        hexadecimal ? std::chars_format::hex : std::chars_format::general);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.starts_with('-') ||
        !std::isfinite(value)) {
      fail(what + " is '" + shorten(text) + "', expected a finite number of type f32");
    }
    return negative ? -value : value;
  }

 private:
  static bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  static bool is_sign(char c) { return c == '-' || c == '+'; }
  static bool is_exponent(char c) { return c == 'e' || c == 'E' || c == 'p' || c == 'P'; }

  // A sign stands in front or behind the letter of an exponent; any other is between two numbers.
  bool belongs_to_number(std::size_t i) const {
    if (!is_sign(rest_[i])) return is_word_character(rest_[i]) || rest_[i] == '.';
    return i == 0 || is_exponent(rest_[i - 1]) || is_sign(rest_[i - 1]);
  }

  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }

  std::string_view take(std::size_t size) {
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  // Fit for a terminal: short, and printable characters only.
  static std::string shorten(std::string_view text) {
    constexpr std::size_t kShown = 24;
    std::string shown(text.substr(0, kShown));
    for (char& c : shown) {
      if (c < ' ' || c > '~') c = '?';
    }
    return text.size() > kShown ? shown + "..." : shown;
  }

  std::string found() { return at_end() ? "the end of the line" : "'" + shorten(rest_) + "'"; }

  std::string_view rest_;
  std::string where_;
};

}  // namespace halcyon::compiler
