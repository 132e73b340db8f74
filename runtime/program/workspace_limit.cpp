#include "runtime/program/workspace_limit.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

std::optional<uint64_t> parse_bytes(const std::string& text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number == 0 || end - unit > 1) return std::nullopt;
  if (unit == end) return number;
  const std::size_t power = std::string_view("KMG").find(
      static_cast<char>(std::toupper(static_cast<unsigned char>(*unit))));
  if (power == std::string_view::npos) return std::nullopt;
  const uint64_t factor = uint64_t{1} << (10 * (power + 1));
  if (number > std::numeric_limits<uint64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

/// "1234567 bytes (1.2 M)"
std::string bytes_text(uint64_t bytes) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%llu bytes (%.1f M)",
                static_cast<unsigned long long>(bytes), static_cast<double>(bytes) / (1 << 20));
  return text.data();
}

}  // namespace

void add_workspace_limit_to(CLI::App& command, uint64_t& limit_bytes) {
  command
      .add_option_function<std::string>(
          "--workspace-limit",
          [&limit_bytes](const std::string& text) { limit_bytes = *parse_bytes(text); },
          "bytes that the network may work in, as in 64M")
      ->check(CLI::Validator(
          [](const std::string& text) -> std::string {
            if (parse_bytes(text)) return "";
            return "'" + text + "' is no number of bytes; write 500000, 800K, 64M or 2G";
          },
          "BYTES"));
}

void check_workspace_limit(uint64_t limit_bytes, const std::string& what, int64_t batch,
                           const std::function<uint64_t(int64_t batch)>& bytes_of) {
  const uint64_t needed = bytes_of(batch);
  if (limit_bytes == 0 || needed <= limit_bytes) return;
  int64_t fits = 0;  // the largest batch within the limit
  for (int64_t step = batch / 2 + 1; step > 0; step /= 2)
    while (fits + step < batch && bytes_of(fits + step) <= limit_bytes) fits += step;
  const std::string hint =
      fits > 0    ? "a batch of " + std::to_string(fits) + " needs " + bytes_text(bytes_of(fits))
      : batch > 1 ? "even a batch of 1 needs " + bytes_text(bytes_of(1))
                  : "each further sample of a batch takes " +
                        bytes_text(bytes_of(2) - bytes_of(1)) + " more; smaller pictures take less";
  throw UserError(what + ": the workspace of batch " + std::to_string(batch) + " needs " +
                      bytes_text(needed) + ", --workspace-limit is " + bytes_text(limit_bytes),
                  hint);
}

}  // namespace halcyon::runtime
