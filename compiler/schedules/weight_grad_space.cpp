/// Schedules of convolutions' weight gradients; compiler/kernels/conv_gradient.cpp and
/// conv_pool_gradient.cpp say what the numbers mean.

#include <algorithm>

#include "compiler/integer.h"
#include "compiler/schedules/schedules.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

const std::vector<int64_t> kChunks = {1, 2, 3, 8};

}  // namespace

Space conv_weight_grad_space(const KernelSpec& spec) {
  const WeightLayout& weight = spec.program->weights.at(spec.region->outputs[0]);
  const int columns_axis = weight.sample.spatial_rank() - 1;
  const int64_t columns = weight.sample.shape.spatial(columns_axis);
  Space space;
  Choice& choice = space.standard;
  // One output gradient is loaded and multiplied with tile_c * tile_s inputs that come from memory.
  const int64_t sums = spec.target.vector_registers * 24 / 32;
  choice.tile_s = std::min(columns, sums);
  choice.tile_c = best_tile(weight.sample.block, std::max<int64_t>(1, sums / choice.tile_s));
  while (weight.sample.block % choice.tile_c != 0) --choice.tile_c;
  // Small weights: let tasks split the batch; large ones have tasks enough by themselves.
  choice.chunks = weight.elements() <= 64 * 1024 ? 8 : 1;
  space.parameters = {
      {&Choice::tile_s, numbers(1, std::min<int64_t>(columns, 8))},
      {&Choice::tile_c, divisors_among(numbers(1, 16), weight.sample.block)},
      {&Choice::chunks, kChunks},
  };
  return space;
}

Space conv_pool_weight_grad_space(const KernelSpec& spec) {
  const auto& grad = std::get<ops::ConvPoolWeightGrad>(spec.anchor().op);
  const int last = grad.weight.spatial_rank() - 1;
  const int64_t width = spec.target.vector_width;
  const int64_t columns = (grad.weight.spatial(last) - 1) * grad.dilation[last] + 1;
  int64_t sums = ceil_div(columns * grad.weight[1], width);  // of one filter
  for (int axis = 0; axis < last; ++axis) sums *= grad.weight.spatial(axis);
  // Eight sums hide the latency of a multiply-add; a divisor, so that no filter is done twice.
  const int64_t most = std::max<int64_t>(1, spec.target.vector_registers * 20 / 32 / sums);
  Space space;
  space.standard.tile_k = dividing_tile(grad.weight[0], most, 1);
  space.standard.chunks = 8;
  space.parameters = {{&Choice::tile_k, divisors_among(numbers(1, 4), grad.weight[0])},
                      {&Choice::chunks, kChunks}};
  return space;
}

}  // namespace halcyon::compiler
