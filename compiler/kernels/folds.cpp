#include "compiler/kernels/folds.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Element `i` of a Func's value: one that has a single value is no tuple.
Expr element(const Func& f, const std::vector<Expr>& args, int i) {
  if (f.outputs() == 1) return f(args);
  return f(args)[i];
}

std::vector<Expr> expressions(const std::vector<Var>& vars) { return {vars.begin(), vars.end()}; }

/// f(args) = 0; f(args) += terms
void define_sums(Func& f, const std::vector<Var>& args, const std::vector<Expr>& terms) {
  const std::vector<Expr> at = expressions(args);
  if (terms.size() == 1) {
    f(at) = 0.0f;
    f(at) += terms[0];
    return;
  }
  const std::vector<Expr> zeros(terms.size(), Expr(0.0f));
  f(at) = Tuple(zeros);
  std::vector<Expr> sums;
  for (std::size_t i = 0; i < terms.size(); ++i)
    sums.push_back(f(at)[static_cast<int>(i)] + terms[i]);
  f(at) = Tuple(sums);
}

}  // namespace

std::vector<int> spatial_extents(const Shape& shape) {
  std::vector<int> extents;
  for (int axis = 0; axis < shape.spatial_rank(); ++axis)
    extents.push_back(static_cast<int>(shape.spatial(axis)));
  return extents;
}

int64_t lane_count(const LowerContext& context, int64_t channels) {
  int64_t lanes = 1;
  while (lanes < channels && lanes < context.vector_width()) lanes *= 2;
  return lanes;
}

void schedule_lanes(Func f, int64_t block, int width) {
  const Var lane = f.args()[0];
  vectorise_channels(f, lane, block, width);
  if (!f.has_update_definition()) return;
  std::vector<VarOrRVar> order = {lane};
  for (const RVar& r : f.rvars()) order.emplace_back(r);
  Stage update = f.update();
  update.reorder(order);
  vectorise_channels(update, lane, block, width);
}

MapSums::MapSums(const std::vector<Var>& args, const std::vector<int>& extents, const Terms& terms)
    : args_(args) {
  if (extents.empty()) {
    terms_ = terms({});
    return;
  }
  const RDom column(0, extents.back(), "column");
  if (extents.size() == 1) {
    total_ = Func("map_sum");
    define_sums(total_, args, terms({column.x}));
    return;
  }
  std::vector<Var> row_args = args;
  std::vector<Expr> position;
  Halide::Region ranges;
  for (std::size_t axis = 0; axis + 1 < extents.size(); ++axis) {
    row_args.emplace_back("row" + std::to_string(axis));
    position.push_back(row_args.back());
    ranges.insert(ranges.begin(), {0, extents[axis]});
  }
  position.push_back(column.x);
  rows_ = Func("row_sum");
  define_sums(rows_, row_args, terms(position));

  const RDom row(ranges, "row");
  std::vector<Expr> at = expressions(args);
  for (int axis = static_cast<int>(ranges.size()) - 1; axis >= 0; --axis) at.push_back(row[axis]);
  std::vector<Expr> parts;
  for (int i = 0; i < rows_.outputs(); ++i) parts.push_back(element(rows_, at, i));
  total_ = Func("map_sum");
  define_sums(total_, args, parts);
}

Expr MapSums::operator[](int sum) const {
  if (!total_.defined()) return terms_[static_cast<std::size_t>(sum)];
  return element(total_, expressions(args_), sum);
}

void MapSums::schedule_at(const Func& out, const Var& at, int64_t block, int width) {
  if (!total_.defined()) return;
  total_.compute_at(out, at);
  schedule_lanes(total_, block, width);
  if (!rows_.defined()) return;
  rows_.compute_at(total_, total_.rvars()[0]);
  schedule_lanes(rows_, block, width);
}

ChannelFold::ChannelFold(const LowerContext& context, const PointVars& v, int64_t channels,
                         Fold fold, const Term& term)
    : lanes_("lanes"), all_("all") {
  const int64_t lanes = lane_count(context, channels);
  const Expr nothing = fold == Fold::sum ? Expr(0.0f) : Float(32).min();
  const auto join = [&](const Expr& a, const Expr& b) {
    return fold == Fold::sum ? a + b : max(a, b);
  };
  for (auto s = v.s.rbegin(); s != v.s.rend(); ++s) args_.push_back(*s);
  args_.push_back(v.n);

  const RDom block(0, static_cast<int>((channels + lanes - 1) / lanes), "block");
  const Var lane("lane");
  const Point p{lane, block.x, {v.s.begin(), v.s.end()}, v.n, lanes};
  Expr value = term(p);
  if (channels % lanes != 0) {
    value = select(p.channel() < static_cast<int>(channels), value, nothing);
  }
  std::vector<Expr> lane_args = {lane};
  lane_args.insert(lane_args.end(), args_.begin(), args_.end());
  lanes_(lane_args) = nothing;
  lanes_(lane_args) = join(lanes_(lane_args), value);

  const RDom each(0, static_cast<int>(lanes), "each");
  lane_args[0] = each.x;
  all_(args_) = nothing;
  all_(args_) = join(all_(args_), lanes_(lane_args));
}

void ChannelFold::schedule_at(const Func& out, const VarOrRVar& at) {
  const Var lane = lanes_.args()[0];
  const LoopLevel level(out, at);
  all_.compute_at(level);
  lanes_.compute_at(level).vectorize(lane);
  lanes_.update().reorder(lane, lanes_.rvars()[0]).vectorize(lane);
}

SoftmaxFolds::SoftmaxFolds(const LowerContext& context, Value x, const PointVars& v)
    : largest(context, v, context.shape(x)[1], Fold::largest,
              [&](const Point& p) { return context.load(x, p); }),
      sum(context, v, context.shape(x)[1], Fold::sum,
          [&](const Point& p) { return exp(context.load(x, p) - largest.value()); }) {}

void SoftmaxFolds::schedule_at(const Func& out, const VarOrRVar& at) {
  largest.schedule_at(out, at);
  sum.schedule_at(out, at);
}

Var schedule_positions(LowerContext& context) {
  Func& out = context.output();
  const PointVars v = context.output_vars();
  const Layout layout = context.output_layout();
  vectorise_channels(out, v.ci, layout.block, context.vector_width());
  std::vector<VarOrRVar> order = {v.ci, v.cb};
  order.insert(order.end(), v.s.rbegin(), v.s.rend());
  order.emplace_back(v.n);
  out.reorder(order);
  // Small samples are not worth waking a thread.
  constexpr int64_t kSmallSample = 4 * 1024;
  if (layout.sample_elements() >= kSmallSample) {
    if (layout.spatial_rank() > 1) {
      parallelise(out, {v.s.front(), v.n});
    } else {
      out.parallel(v.n);
    }
  }
  return v.s.empty() ? v.n : v.x();
}

}  // namespace halcyon::compiler
