#pragma once
/// Which outputs of a product stay in registers while their sums grow.
///
/// A tile has `pixels` outputs of `blocks` vectors of filters. Each step of the reduction loads one
/// vector of weights for each block and one number for each pixel, which is copied into all lanes,
/// and multiplies each with each:
///
///     sums[pixel][block] += weight[block] * input[pixel]       pixels * blocks multiply-adds
///
/// How fast a tile can be follows from its size: two multiply-adds and two loads start in a cycle,
/// a multiply-add takes four, and weights that outgrow a cache arrive at the next one's speed. A
/// tile at the border of the map or behind the last block computes what was computed already. The
/// best tile is the one with the fewest cycles for the whole map.

#include <cstdint>

#include "compiler/target.h"

namespace halcyon::compiler {

struct RegisterTile {
  int64_t pixels = 1;
  int64_t blocks = 1;
  bool operator==(const RegisterTile&) const = default;
};

/// A product to be cut into tiles.
struct TiledProduct {
  int64_t pixels = 1;  ///< of the axis that is cut
  int64_t blocks = 1;  ///< vectors of filters
  int64_t window = 1;  ///< sums that each pixel stands for: those that are pooled in registers
  int64_t filter_bytes = 0;  ///< weights of one block, read once for each tile
};

/// Do the sums and the operands of a step fit into the registers?
bool fits_registers(const Target& target, const TiledProduct& product, const RegisterTile& tile);

/// Whether a step takes all pixels for a block before it takes the next block. The other order
/// needs fewer registers where a tile has more pixels than blocks.
bool pixels_innermost(const Target& target, int64_t pixels, int64_t blocks);

/// Cycles of one step of the reduction.
double cycles_per_step(const Target& target, const TiledProduct& product, const RegisterTile& tile);

RegisterTile best_register_tile(const Target& target, const TiledProduct& product);

}  // namespace halcyon::compiler
