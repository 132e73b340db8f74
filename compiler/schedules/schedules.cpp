#include "compiler/schedules/schedules.h"

#include <algorithm>

#include "compiler/integer.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

Space schedule_space(const KernelSpec& spec) {
  const Op& op = spec.anchor().op;
  if (std::holds_alternative<ops::Conv>(op)) return conv_space(spec);
  if (std::holds_alternative<ops::WinogradConv>(op)) return winograd_space(spec);
  if (std::holds_alternative<ops::Dense>(op)) return dense_space(spec);
  if (std::holds_alternative<ops::ConvWeightGrad>(op)) return conv_weight_grad_space(spec);
  if (std::holds_alternative<ops::ConvPoolWeightGrad>(op)) return conv_pool_weight_grad_space(spec);
  if (std::holds_alternative<ops::DenseWeightGrad>(op)) return dense_weight_grad_space(spec);
  return {};
}

int64_t best_tile(int64_t extent, int64_t most) {
  most = std::clamp<int64_t>(most, 1, extent);
  int64_t best = most;
  for (int64_t tile = most; tile > most / 2; --tile) {
    const auto computed = [&](int64_t t) { return round_up(extent, t); };
    if (computed(tile) < computed(best)) best = tile;
  }
  return best;
}

int64_t dividing_tile(int64_t extent, int64_t most, int64_t step) {
  int64_t best = 0;
  for (int64_t tile = step; tile <= std::min(most, extent); tile += step) {
    if (extent % tile == 0) best = tile;
  }
  return best;
}

std::vector<int64_t> divisors_among(const std::vector<int64_t>& values, int64_t number) {
  std::vector<int64_t> list;
  for (int64_t value : values) {
    if (number % value == 0) list.push_back(value);
  }
  return list;
}

}  // namespace halcyon::compiler
