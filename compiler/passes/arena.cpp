#include "compiler/passes/arena.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "compiler/integer.h"

namespace halcyon::compiler {

namespace {

bool share_a_step(const Interval& a, const Interval& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

int64_t largest_live_sum(const std::vector<Interval>& intervals, int64_t alignment) {
  int64_t largest = 0;
  for (const Interval& at : intervals) {
    int64_t sum = 0;
    for (const Interval& other : intervals) {
      if (other.first_step <= at.first_step && at.first_step <= other.last_step) {
        sum += round_up(other.size_bytes, alignment);
      }
    }
    largest = std::max(largest, sum);
  }
  return largest;
}

/// In that order, each into the smallest gap that fits.
Packing pack_in_order(const std::vector<Interval>& intervals, int64_t alignment,
                      const std::vector<std::size_t>& order) {
  Packing packing;
  packing.offsets.assign(intervals.size(), 0);
  std::vector<std::size_t> placed;  // sorted by offset
  for (std::size_t i : order) {
    const int64_t size = round_up(intervals[i].size_bytes, alignment);
    int64_t best_offset = -1;
    int64_t best_gap = std::numeric_limits<int64_t>::max();
    int64_t end = 0;  // of everything met so far
    for (std::size_t p : placed) {
      if (!share_a_step(intervals[i], intervals[p])) continue;
      const int64_t gap = packing.offsets[p] - end;
      if (gap >= size && gap < best_gap) {
        best_gap = gap;
        best_offset = end;
      }
      end = std::max(end, packing.offsets[p] + round_up(intervals[p].size_bytes, alignment));
    }
    packing.offsets[i] = best_offset >= 0 ? best_offset : end;
    packing.size_bytes = std::max(packing.size_bytes, packing.offsets[i] + size);
    const auto behind = std::upper_bound(
        placed.begin(), placed.end(), packing.offsets[i],
        [&](int64_t offset, std::size_t p) { return offset < packing.offsets[p]; });
    placed.insert(behind, i);
  }
  return packing;
}

}  // namespace

Packing pack(const std::vector<Interval>& intervals, int64_t alignment) {
  const int64_t lower_bound = largest_live_sum(intervals, alignment);
  std::vector<std::size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto larger = [&](std::size_t a, std::size_t b) {
    return intervals[a].size_bytes > intervals[b].size_bytes;
  };
  const auto earlier = [&](std::size_t a, std::size_t b) {
    return intervals[a].first_step < intervals[b].first_step;
  };
  Packing best;
  best.size_bytes = std::numeric_limits<int64_t>::max();
  const auto try_orders = [&](int tries) {
    for (int i = 0; i < tries && best.size_bytes > lower_bound; ++i) {
      const Packing now = pack_in_order(intervals, alignment, order);
      if (now.size_bytes < best.size_bytes) best = now;
      const auto highest = std::find_if(order.begin(), order.end(), [&](std::size_t at) {
        const int64_t size = round_up(intervals[at].size_bytes, alignment);
        return now.offsets[at] + size == now.size_bytes;
      });
      if (highest != order.end()) std::rotate(order.begin(), highest, highest + 1);
    }
  };
  constexpr int kTries = 50;
  std::stable_sort(order.begin(), order.end(), larger);
  try_orders(kTries);
  std::stable_sort(order.begin(), order.end(), larger);
  std::stable_sort(order.begin(), order.end(), earlier);
  try_orders(kTries);
  best.lower_bound_bytes = lower_bound;
  return best;
}

}  // namespace halcyon::compiler
