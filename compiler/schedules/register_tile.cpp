#include "compiler/schedules/register_tile.h"

#include <algorithm>

#include "compiler/integer.h"

namespace halcyon::compiler {

namespace {

constexpr int64_t kMostBlocks = 6;

/// Registers that a step needs beside its sums: the operands of the inner loop, and one of the
/// outer.
int64_t operands(int64_t pixels, int64_t blocks) { return std::min(pixels, blocks) + 1; }

/// With 32 registers more sums than this lose the broadcast inputs: 14 x 2 was measured at 90
/// GFLOP/s where 7 x 2 reached 267 (one thread of a Zen 5, 2026).
constexpr int64_t kMostSumsOfManyRegisters = 24;

}  // namespace

bool fits_registers(const Target& target, const TiledProduct& product, const RegisterTile& tile) {
  const int64_t pixels = tile.pixels * product.window;
  const int64_t sums = pixels * tile.blocks;
  // A single block takes its inputs straight from memory.
  if (tile.blocks == 1) return sums <= target.vector_registers - 4;
  if (sums > kMostSumsOfManyRegisters) return false;
  return sums + operands(pixels, tile.blocks) <= target.vector_registers;
}

bool pixels_innermost(const Target& target, int64_t pixels, int64_t blocks) {
  return pixels * blocks + pixels + 1 <= target.vector_registers;
}

double cycles_per_step(const Target& target, const TiledProduct& product,
                       const RegisterTile& tile) {
  constexpr double kLatency = 4;
  const int64_t pixels = tile.pixels * product.window;
  const double multiply_adds = 0.5 * static_cast<double>(pixels * tile.blocks);
  const double loads = 0.5 * static_cast<double>(pixels + tile.blocks);
  // A single block shares its inputs with no other: with 16 registers it was measured at 45 to 75 %
  // of larger tiles (one thread of a Zen 3, November 2026).
  const double alone = target.vector_registers <= 16 ? 0.65 : 0.95;
  const double compute =
      std::max({multiply_adds, loads, kLatency}) / (tile.blocks == 1 ? alone : 1.0);

  // A vector of weights in each cycle from the core's own cache, half of one from beyond.
  const bool near = tile.blocks * product.filter_bytes <= target.l2_bytes;
  const double weights = static_cast<double>(tile.blocks) * (near ? 1.0 : 2.0);
  return std::max(compute, weights);
}

RegisterTile best_register_tile(const Target& target, const TiledProduct& product) {
  RegisterTile best;
  double fewest = 0;
  for (int64_t blocks = 1; blocks <= std::min(product.blocks, kMostBlocks); ++blocks) {
    for (int64_t pixels = 1; pixels <= product.pixels; ++pixels) {
      const RegisterTile tile{pixels, blocks};
      if (!fits_registers(target, product, tile)) break;
      const double cycles =
          cycles_per_step(target, product, tile) *
          static_cast<double>(ceil_div(product.pixels, pixels) * ceil_div(product.blocks, blocks));
      // Of equals the first with the fewest blocks and the most pixels: it reads the weights least
      // often.
      const bool same_blocks = blocks == best.blocks;
      if (fewest == 0 || cycles < fewest || (cycles == fewest && same_blocks)) {
        best = tile;
        fewest = cycles;
      }
    }
  }
  // Where one tile is too large even alone, as for a large window that is pooled.
  return best;
}

}  // namespace halcyon::compiler
