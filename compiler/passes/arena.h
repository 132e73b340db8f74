#pragma once
/// Packing of values with lifetimes into one block of memory. Knows nothing of networks.

#include <cstdint>
#include <vector>

namespace halcyon::compiler {

/// Alive during the steps [first_step, last_step].
struct Interval {
  int64_t size_bytes = 0;
  int32_t first_step = 0;
  int32_t last_step = 0;
};

struct Packing {
  std::vector<int64_t> offsets;  ///< one for each interval, multiples of `alignment`
  int64_t size_bytes = 0;
  int64_t lower_bound_bytes = 0;  ///< the largest sum of intervals that are alive in one step
};

/// Places one interval after the other, each into the smallest gap that fits among those it shares
/// a step with: the largest first ("greedy by size"; source: Pisarchyk and Lee 2020, "Efficient
/// memory management for deep neural net inference"), then, where that is above the lower bound, by
/// their first step, and each time with what ends at the top moved to the front, a bounded number
/// of times. The best packing wins.
Packing pack(const std::vector<Interval>& intervals, int64_t alignment);

}  // namespace halcyon::compiler
