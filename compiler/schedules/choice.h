#pragma once
/// How one kernel is scheduled: the numbers that a schedule may vary, by name. Knows no operator.

#include <cstdint>
#include <string>
#include <string_view>

namespace halcyon::compiler {

/// 0 means "not used by this kernel". A choice changes speed and, at most, rounding.
struct Choice {
  int64_t tile_x = 0;    ///< outputs along the innermost spatial axis kept in registers
  int64_t pixels = 0;    ///< convolutions: neighbouring outputs in one vector; tile_x counts each
  int64_t tile_k = 0;    ///< output channel blocks kept in registers
  int64_t tile_c = 0;    ///< weight gradients: input channels kept in registers
  int64_t tile_s = 0;    ///< weight gradients: kernel columns kept in registers
  int64_t tile_n = 0;    ///< dense layers: samples kept in registers
  int64_t unroll_c = 0;  ///< steps of the innermost reduction loop that are written out
  int64_t lead_tile_x = 0;    ///< tile_x and tile_k of a 1x1 convolution whose rows the kernel's
  int64_t lead_tile_k = 0;    ///< own reads
  int64_t rows_per_task = 0;  ///< output rows in one parallel task
  /// Winograd: 1 where the parallel tasks are tiles of filters, which share an input.
  int64_t filter_tasks = 0;
  /// Weight gradients: parts of the batch that are summed apart, then in order.
  int64_t chunks = 0;

  bool operator==(const Choice&) const = default;
};

/// A number of a choice and what texts call it.
struct ChoiceField {
  std::string_view name;
  int64_t Choice::*member;
};

inline constexpr ChoiceField kChoiceFields[] = {
    {"tile_x", &Choice::tile_x},
    {"pixels", &Choice::pixels},
    {"tile_k", &Choice::tile_k},
    {"tile_c", &Choice::tile_c},
    {"tile_s", &Choice::tile_s},
    {"tile_n", &Choice::tile_n},
    {"unroll_c", &Choice::unroll_c},
    {"lead_tile_x", &Choice::lead_tile_x},
    {"lead_tile_k", &Choice::lead_tile_k},
    {"rows_per_task", &Choice::rows_per_task},
    {"filter_tasks", &Choice::filter_tasks},
    {"chunks", &Choice::chunks},
};

/// "tile_x=7 tile_k=2"
inline std::string to_string(const Choice& choice) {
  std::string text;
  for (const ChoiceField& field : kChoiceFields) {
    const int64_t value = choice.*field.member;
    if (value == 0) continue;
    text += text.empty() ? "" : " ";
    text += std::string(field.name) + "=" + std::to_string(value);
  }
  return text;
}

}  // namespace halcyon::compiler
