#pragma once
/// Sums over the spatial axes, and maxima and sums over the channels of a position: what kernels
/// that reduce are made of. The channels of a block stay apart in the lanes of a vector as long as
/// they can.

#include <functional>

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

/// One or more sums over all positions of a map: of its rows first, then of the rows' sums, which
/// loses less to rounding than one long sum. Without spatial axes it is the term itself.
class MapSums {
 public:
  /// The terms at a position, outermost axis first.
  using Terms = std::function<std::vector<Halide::Expr>(const std::vector<Halide::Expr>& position)>;

  /// `args`: what the sums are functions of, channel in block first. `extents`: outermost first.
  MapSums(const std::vector<Halide::Var>& args, const std::vector<int>& extents,
          const Terms& terms);

  Halide::Expr operator[](int sum) const;
  void schedule_at(const Halide::Func& out, const Halide::Var& at, int64_t block, int width);

 private:
  std::vector<Halide::Var> args_;
  std::vector<Halide::Expr> terms_;  // where there is nothing to sum
  Halide::Func rows_, total_;
};

enum class Fold { sum, largest };

/// A fold over the channels of each position. Lanes beyond the last channel are left out.
class ChannelFold {
 public:
  using Term = std::function<Halide::Expr(const Point&)>;

  ChannelFold(const LowerContext& context, const PointVars& v, int64_t channels, Fold fold,
              const Term& term);

  /// At the position of `v`.
  Halide::Expr value() const { return all_(args_); }
  /// Computes it at each position of the output.
  void schedule_at(const Halide::Func& out, const Halide::VarOrRVar& at);

 private:
  std::vector<Halide::Expr> args_;
  Halide::Func lanes_, all_;
};

/// max and sum of exp(x - max) over the channels of each position.
struct SoftmaxFolds {
  ChannelFold largest, sum;

  SoftmaxFolds(const LowerContext& context, Value x, const PointVars& v);
  void schedule_at(const Halide::Func& out, const Halide::VarOrRVar& at);
};

/// Loops of a kernel that folds over channels: position by position, so that a position's folds are
/// done once. Returns the loop in which they are computed.
Halide::Var schedule_positions(LowerContext& context);

/// Spatial extents, outermost first.
std::vector<int> spatial_extents(const Shape& shape);

/// The first argument in vectors, innermost; then the loops of a reduction.
void schedule_lanes(Halide::Func f, int64_t block, int width);

/// As many channels as are worth a vector.
int64_t lane_count(const LowerContext& context, int64_t channels);

}  // namespace halcyon::compiler
