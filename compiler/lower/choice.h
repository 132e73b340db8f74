#pragma once
/// How one kernel is scheduled: the numbers that a schedule may vary, by name. Knows no operator.

#include <cstdint>
#include <string>

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
  int64_t chunks =
      0;  ///< weight gradients: parts of the batch that are summed apart, then in order

  bool operator==(const Choice&) const = default;
};

/// "tile_x=7 tile_k=2"
inline std::string to_string(const Choice& choice) {
  std::string text;
  const auto put = [&](const char* name, int64_t value) {
    if (value != 0)
      text += (text.empty() ? "" : " ") + std::string(name) + "=" + std::to_string(value);
  };
  put("tile_x", choice.tile_x);
  put("pixels", choice.pixels);
  put("tile_k", choice.tile_k);
  put("tile_c", choice.tile_c);
  put("tile_s", choice.tile_s);
  put("tile_n", choice.tile_n);
  put("unroll_c", choice.unroll_c);
  put("lead_tile_x", choice.lead_tile_x);
  put("lead_tile_k", choice.lead_tile_k);
  put("rows_per_task", choice.rows_per_task);
  put("chunks", choice.chunks);
  return text;
}

}  // namespace halcyon::compiler
