/// Schedules of dense layers; compiler/kernels/dense.cpp says what the numbers mean.

#include <algorithm>

#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

namespace {

/// Two blocks let each broadcast input feed two multiply-adds.
int64_t blocks_per_tile(const WeightLayout& weight) {
  return weight.filter_blocks() % 2 == 0 ? 2 : 1;
}

std::vector<int64_t> block_tiles(const WeightLayout& weight) {
  return divisors_among({1, 2, 4}, weight.filter_blocks());
}

}  // namespace

Space dense_space(const KernelSpec& spec) {
  const WeightLayout& weight = spec.program->weights.at(spec.anchor().inputs[1]);
  Space space;
  space.standard.tile_k = blocks_per_tile(weight);
  space.standard.tile_n = space.standard.tile_k == 2 ? 8 : 12;
  if (spec.target.vector_registers <= 16) space.standard.tile_n /= 2;
  space.parameters = {{&Choice::tile_k, block_tiles(weight)}, {&Choice::tile_n, {1, 2, 3, 4, 8}}};
  return space;
}

Space dense_weight_grad_space(const KernelSpec& spec) {
  const WeightLayout& weight = spec.program->weights.at(spec.region->outputs[0]);
  const int64_t elements = weight.sample.sample_elements();
  Space space;
  space.standard.tile_k = blocks_per_tile(weight);
  const int64_t most = (space.standard.tile_k == 2 ? 8 : 16) * spec.target.vector_registers / 32;
  space.standard.tile_c = std::min(std::max<int64_t>(most, 4), elements);
  space.parameters = {{&Choice::tile_k, block_tiles(weight)},
                      {&Choice::tile_c, numbers(1, std::min<int64_t>(elements, 16))}};
  return space;
}

}  // namespace halcyon::compiler
