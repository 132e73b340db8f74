#include "compiler/schedules/register_tile.h"

#include <gtest/gtest.h>

#include <ostream>

namespace halcyon::compiler {

void PrintTo(const RegisterTile& tile, std::ostream* out) {
  *out << tile.pixels << " x " << tile.blocks;
}

namespace {

Target with_registers(int registers, int lanes) {
  Target target;
  target.vector_registers = registers;
  target.vector_width = lanes;
  return target;
}

const Target kAvx512 = with_registers(32, 16);
const Target kAvx2 = with_registers(16, 8);

TEST(RegisterTile, TakesSevenOfFourteenPixelsAndTwoBlocksOf32Registers) {
  EXPECT_EQ(best_register_tile(kAvx512, {.pixels = 14, .blocks = 8}), (RegisterTile{7, 2}));
}

TEST(RegisterTile, KeepsSumsAndOperandsWithin16Registers) {
  for (int64_t pixels : {1, 2, 3, 5, 7, 13, 14, 28, 56, 112}) {
    for (int64_t blocks : {1, 2, 3, 4, 5, 6, 8, 12}) {
      const TiledProduct product{.pixels = pixels, .blocks = blocks};
      const RegisterTile tile = best_register_tile(kAvx2, product);
      EXPECT_TRUE(fits_registers(kAvx2, product, tile)) << pixels << " x " << blocks;
      EXPECT_LE(tile.pixels, pixels);
      EXPECT_LE(tile.blocks, blocks);
    }
  }
}

TEST(RegisterTile, HidesTheLatencyOfMultiplyAddsWhereThereIsEnoughToDo) {
  for (const Target& target : {kAvx512, kAvx2}) {
    const RegisterTile tile = best_register_tile(target, {.pixels = 56, .blocks = 8});
    EXPECT_GE(tile.pixels * tile.blocks, 8);
    EXPECT_GE(tile.blocks, 2);
  }
}

TEST(RegisterTile, CountsAllSumsOfAPooledWindow) {
  const TiledProduct product{.pixels = 28, .blocks = 4, .window = 4};
  const RegisterTile tile = best_register_tile(kAvx2, product);
  EXPECT_LE(tile.pixels * 4 * tile.blocks, 12);
}

TEST(RegisterTile, ReadsFiltersThatOutgrowTheCacheForMorePixels) {
  Target target = kAvx2;
  target.l2_bytes = 256 * 1024;
  const TiledProduct small{.pixels = 56, .blocks = 16, .filter_bytes = 16 * 1024};
  TiledProduct large = small;
  large.filter_bytes = 4 * target.l2_bytes;
  EXPECT_LE(best_register_tile(target, large).blocks, best_register_tile(target, small).blocks);
  EXPECT_GT(cycles_per_step(target, large, {3, 4}), cycles_per_step(target, small, {3, 4}));
}

// 6 pixels and 2 blocks: all pixels of a block would need 6 operands beside 12 sums.
TEST(RegisterTile, TakesBlocksInnermostWhereTheyNeedFewerRegisters) {
  EXPECT_FALSE(pixels_innermost(kAvx2, 6, 2));
  EXPECT_TRUE(pixels_innermost(kAvx2, 3, 4));
  EXPECT_TRUE(pixels_innermost(kAvx512, 7, 2));
}

}  // namespace
}  // namespace halcyon::compiler
