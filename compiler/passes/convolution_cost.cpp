#include "compiler/passes/convolution_cost.h"

#include <algorithm>

#include "compiler/integer.h"
#include "compiler/layout.h"
#include "compiler/ops/winograd.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// Share of the multiply-add peak that products reach in register tiles (./x bench inference).
constexpr double kReached = 0.85;

/// Filters arrive in runs as short as a block's share of the channels: measured were 4 bytes in a
/// cycle of a Zen 3 that had other work, and 9 of a Zen 5 (512 filters of 512 channels in tiles of
/// 4 x 4, one thread, November 2026).
constexpr double kFilterBytesPerCycle = 5;

/// Compute and memory overlap, so the slower of both is what a kernel takes. The weights of a whole
/// network outgrow every cache: they come from memory once for each sample.
double bound(double compute_cycles, int64_t weight_bytes) {
  return std::max(compute_cycles, static_cast<double>(weight_bytes) / kFilterBytesPerCycle);
}

double vectors(int64_t numbers, const Target& target) {
  return static_cast<double>(ceil_div(numbers, target.vector_width));
}

/// Vector instructions of one transform of a square patch of numbers: each of `rows` results of
/// `columns` columns, then of `rows` rows, combines about two thirds of a patch, loaded and stored
/// once in each of both passes.
double transform_cycles(int64_t from, int64_t to) {
  const auto in = static_cast<double>(from), out = static_cast<double>(to);
  const double combinations = (out * in + out * out) * (2.0 / 3) * in;
  const double moves = in * in + 2 * out * in + out * out;
  return (combinations + moves) / 2;
}

bool is_all(const Spatial& numbers, int64_t value) {
  return numbers[0] == value && numbers[1] == value;
}

}  // namespace

double direct_cycles(const ops::Conv& conv, const Shape& x, const Shape& y, const Target& target) {
  const int64_t taps = conv.kernel[0] * conv.kernel[1] * (x[1] / conv.groups);
  const double steps = static_cast<double>(y.spatial(0) * y.spatial(1) * taps);
  const double compute = steps * vectors(conv.filters, target) / 2 / kReached;
  return bound(compute, taps * conv.filters * size_bytes(DType::f32));
}

double winograd_cycles(const ops::Conv& conv, const Shape& x, const Shape& y, int64_t tile,
                       const Target& target) {
  const int64_t patch = tile + conv.kernel[0] - 1;
  const int64_t tiles = ceil_div(y.spatial(0), tile) * ceil_div(y.spatial(1), tile);
  const int64_t channels = x[1] / conv.groups;
  const double count = static_cast<double>(tiles);
  const double products = count * static_cast<double>(patch * patch * channels) *
                          vectors(conv.filters, target) / 2 / kReached;
  const double transforms = count * (vectors(x[1], target) * transform_cycles(patch, patch) +
                                     vectors(conv.filters, target) * transform_cycles(patch, tile));
  const int64_t weight_bytes = patch * patch * channels * conv.filters * size_bytes(DType::f32);
  return bound(products + transforms, weight_bytes);
}

int64_t best_winograd_tile(const ops::Conv& conv, const Shape& x, const Shape& y,
                           const Target& target) {
  if (x.spatial_rank() != 2) return 0;
  const int64_t kernel = conv.kernel[0];
  const bool square = kernel == conv.kernel[1] && (kernel == 3 || kernel == 5);
  if (!square || !is_all(conv.stride, 1) || !is_all(conv.dilation, 1)) return 0;
  for (int axis = 0; axis < 2; ++axis) {
    if (std::max(conv.pad_begin[axis], conv.pad_end[axis]) >= kernel) return 0;
  }
  const int64_t width = target.vector_width;
  if (x[1] < width || conv.filters < width) return 0;
  if (conv.groups > 1 &&
      ((x[1] / conv.groups) % width != 0 || (conv.filters / conv.groups) % width != 0))
    return 0;

  int64_t best = 0;
  double fewest = direct_cycles(conv, x, y, target);
  for (int64_t tile : {2, 4}) {
    if (tile + kernel - 1 > kLongestPatch) continue;
    // Tiles must earn what more memory and less precision cost.
    const double cycles = 1.1 * winograd_cycles(conv, x, y, tile, target);
    if (cycles < fewest) {
      best = tile;
      fewest = cycles;
    }
  }
  return best;
}

}  // namespace halcyon::compiler
