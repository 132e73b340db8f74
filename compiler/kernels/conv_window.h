#pragma once
/// What the kernels around convolution share: where a window reads, an input with its zeros, and
/// how the output is cut into tasks.

#include <vector>

#include "compiler/lower/lower_context.h"

namespace halcyon::compiler {

/// How a convolution's window moves over its input.
struct ConvWindow {
  dsl::Spatial stride, dilation, pad_begin, pad_end;
};

/// Of Conv, ConvWeightGrad and the like.
template <class Op>
ConvWindow window_of(const Op& op) {
  return {op.stride, op.dilation, op.pad_begin, op.pad_end};
}

/// Where output `s` of a window reads with tap `taps`, along each axis (outermost first).
std::vector<Halide::Expr> window_position(const ConvWindow& window,
                                          const std::vector<Halide::Expr>& s,
                                          const std::vector<Halide::Expr>& taps);

/// Channel `c` in block `cb` of a filter's sample, as a position in x: a filter sees the channels
/// of its group alone. `ki` and `kb` are the filter's; the sample is the output.
Point group_channel(const LowerContext& context, Value x, int64_t groups,
                    const WeightLayout& weight, const Halide::Expr& ki, const Halide::Expr& kb,
                    const Halide::Expr& c, const Halide::Expr& cb);

/// The input with the zeros that its stored halo lacks. Where the halo is stored this is the buffer
/// itself; otherwise a task copies what it needs of it into scratch memory, so that the zeros never
/// leave the cache.
class PaddedInput {
 public:
  PaddedInput(LowerContext& context, Value x, const ConvWindow& window);

  Halide::Expr operator()(const Point& p) const;

 private:
  Halide::Expr read(const Point& p) const;  ///< within the input

  const LowerContext& context_;
  Value x_;
  Halide::Func copy_;
};

/// Makes the copy of a padded input at the begin of each task, which computes `outputs` positions
/// along each axis and reads `channel_blocks` blocks; 0: all of them.
void schedule_padded_input(LowerContext& context, const Halide::LoopLevel& task,
                           const ConvWindow& window, const Shape& weight,
                           const std::vector<int64_t>& outputs, int64_t channel_blocks = 0);

/// Splits the loops `y` and channel block of the output into tasks. Appends the loops that stay
/// inside to `order`; returns those over tasks, innermost first.
std::vector<Halide::Var> split_tasks(LowerContext& context, const Halide::Var& k,
                                     std::vector<Halide::VarOrRVar>& order);

}  // namespace halcyon::compiler
