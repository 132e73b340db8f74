#include "compiler/kernels/conv_window.h"

namespace halcyon::compiler {

using namespace Halide;

std::vector<Expr> window_position(const ConvWindow& window, const std::vector<Expr>& s,
                                  const std::vector<Expr>& taps) {
  std::vector<Expr> position;
  for (std::size_t axis = 0; axis < s.size(); ++axis) {
    const int a = static_cast<int>(axis);
    position.push_back(s[axis] * static_cast<int>(window.stride[a]) +
                       taps[axis] * static_cast<int>(window.dilation[a]) -
                       static_cast<int>(window.pad_begin[a]));
  }
  return position;
}

Point group_channel(const LowerContext& context, Value x, int64_t groups,
                    const WeightLayout& weight, const Expr& ki, const Expr& kb, const Expr& c,
                    const Expr& cb) {
  const int64_t group_filters = weight.filters / groups;
  const int64_t group_channels = context.shape(x)[1] / groups;
  const int64_t block = context.layout(x).block;
  const int64_t filter_block = weight.filter_block;
  if (group_filters == 1 && group_channels == 1 && filter_block == block)
    return {ki, kb, {}, Expr(), block};
  Expr group;
  if (group_filters % filter_block == 0) {
    group = kb / static_cast<int>(group_filters / filter_block);  // one group for the whole vector
  } else {
    group = min(kb * static_cast<int>(filter_block) + ki, static_cast<int>(weight.filters) - 1) /
            static_cast<int>(group_filters);
  }
  if (weight.sample.block == block && group_channels % block == 0)
    return {c, group * static_cast<int>(group_channels / block) + cb, {}, Expr(), block};
  const Expr channel =
      group * static_cast<int>(group_channels) + cb * static_cast<int>(weight.sample.block) + c;
  return {channel % static_cast<int>(block), channel / static_cast<int>(block), {}, Expr(), block};
}

PaddedInput::PaddedInput(LowerContext& context, Value x, const ConvWindow& window)
    : context_(context), x_(x) {
  const Layout& layout = context.layout(x);
  const int rank = layout.spatial_rank();
  // What the region computes itself has no halo.
  const bool own = context.is_defined(x);
  bool stored = true;
  for (int axis = 0; axis < rank; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    stored = stored && (own ? 0 : layout.before[a]) >= window.pad_begin[axis] &&
             (own ? 0 : layout.after[a]) >= window.pad_end[axis];
  }
  if (stored) return;
  PointVars v = LowerContext::vars(rank);
  Point p = v.point(layout.block);
  Expr inside = Internal::const_true();
  for (int axis = 0; axis < rank; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const int extent = static_cast<int>(layout.shape.spatial(axis));
    inside = inside && p.s[a] >= 0 && p.s[a] < extent;
    p.s[a] = clamp(p.s[a], 0, extent - 1);
  }
  copy_ = Func("padded");
  copy_(v.arguments()) = select(inside, read(p), 0.0f);
  context.set_padded_input(copy_);
}

Expr PaddedInput::operator()(const Point& p) const {
  return copy_.defined() ? Expr(copy_(p.arguments())) : read(p);
}

Expr PaddedInput::read(const Point& p) const {
  if (context_.is_defined(x_)) return context_.func(x_)(p.arguments());
  return context_.image(x_)(p.arguments());
}

void schedule_padded_input(LowerContext& context, const LoopLevel& task, const ConvWindow& window,
                           const Shape& weight, const std::vector<int64_t>& outputs,
                           int64_t channel_blocks) {
  Func& copy = context.padded_input();
  if (!copy.defined()) return;
  const Layout& layout = context.layout(context.spec().anchor().inputs[0]);
  const std::vector<Var> args = copy.args();
  copy.compute_at(task);
  vectorise_channels(copy, args[0], layout.block, context.vector_width());
  // Scratch memory has a fixed size: what a task reads, though it may leave out rows of padding.
  copy.bound(args[0], 0, static_cast<int>(layout.block));
  const Var& cb = args[args.size() - 2];
  if (channel_blocks == 0) {
    copy.bound(cb, 0, static_cast<int>(layout.blocks()));
  } else {
    copy.bound_extent(cb, static_cast<int>(channel_blocks));
  }
  for (int axis = 0; axis < layout.spatial_rank(); ++axis) {
    const int64_t extent = (outputs[static_cast<std::size_t>(axis)] - 1) * window.stride[axis] +
                           (weight.spatial(axis) - 1) * window.dilation[axis] + 1;
    copy.bound_extent(args[static_cast<std::size_t>(layout.spatial_rank() - axis)],
                      static_cast<int>(extent));
  }
}

std::vector<Var> split_tasks(LowerContext& context, const Var& k, std::vector<VarOrRVar>& order) {
  const PointVars& v = context.output_vars();
  const int rank = static_cast<int>(v.s.size());
  // Rows that the region computes itself hold all channels: a task then computes all filters.
  const bool all_filters = context.own_rows().defined();
  std::vector<Var> tasks = {v.n};
  if (!all_filters) tasks.insert(tasks.begin(), k);
  Var yo("yo"), yi("yi");
  const int64_t rows = context.choice().rows_per_task;
  if (rank > 1 && rows < context.output_layout().shape.spatial(rank - 2)) {
    const Var y = v.s[static_cast<std::size_t>(rank - 2)];
    context.output().split(y, yo, yi, static_cast<int>(rows), TailStrategy::ShiftInwards);
    order.push_back(yi);
    tasks.insert(tasks.begin(), yo);
  } else if (rank > 1) {
    order.push_back(v.s[static_cast<std::size_t>(rank - 2)]);
  }
  if (rank > 2) order.push_back(v.s[0]);
  if (all_filters) order.push_back(k);
  return tasks;
}

}  // namespace halcyon::compiler
