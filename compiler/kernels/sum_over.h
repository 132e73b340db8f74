#pragma once
/// Sums over a few positions: written out where they are few, a loop whose result stays in
/// registers where they are many.

#include "compiler/lower/lower_context.h"
#include "compiler/passes/fusion_rules.h"

namespace halcyon::compiler {

using Position = std::vector<Halide::Expr>;  // one number for each axis, outermost first

inline int64_t product(const std::vector<int>& extents) {
  int64_t count = 1;
  for (int e : extents) count *= e;
  return count;
}

/// [0, extents), row-major, as constants.
inline std::vector<Position> written_positions(const std::vector<int>& extents) {
  std::vector<Position> list = {{}};
  for (int extent : extents) {
    std::vector<Position> longer;
    for (const Position& head : list) {
      for (int i = 0; i < extent; ++i) {
        longer.push_back(head);
        longer.back().push_back(i);
      }
    }
    list = longer;
  }
  return list;
}

/// The same positions as a loop, its innermost axis first in `domain`.
struct LoopPositions {
  Halide::RDom domain;
  Position position;

  explicit LoopPositions(const std::vector<int>& extents) {
    Halide::Region ranges;
    for (auto e = extents.rbegin(); e != extents.rend(); ++e) ranges.push_back({0, *e});
    domain = Halide::RDom(ranges, "window");
    for (int axis = static_cast<int>(extents.size()) - 1; axis >= 0; --axis)
      position.push_back(domain[axis]);
  }
};

/// The sum of `term` over all positions, at the place that `v` names.
template <class Term>
Halide::Expr sum_over(LowerContext& context, const PointVars& v, const std::vector<int>& extents,
                      const Term& term) {
  if (product(extents) > kMostWritten) {
    const LoopPositions loop(extents);
    Halide::Func sum("window_sum");
    sum(v.arguments()) = 0.0f;
    sum(v.arguments()) += term(loop.position);
    // Without spatial axes there is no loop to keep it in: it is computed where it is read.
    if (!v.s.empty()) context.set_accumulator(sum);
    return sum(v.arguments());
  }
  Halide::Expr sum;
  for (const Position& position : written_positions(extents)) {
    sum = sum.defined() ? sum + term(position) : term(position);
  }
  return sum;
}

}  // namespace halcyon::compiler
