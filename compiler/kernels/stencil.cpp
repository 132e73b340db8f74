/// Functions of a position and its neighbours, and their gradients. Both are one expression for
/// each position, so that functions of one position behind them cost no other pass.

#include "compiler/ops/stencil.h"
#include "compiler/kernels/formula.h"
#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// Reads the neighbours of positions of `x`.
class Neighbours {
 public:
  Neighbours(const LowerContext& context, Value x, const dsl::Stencil& stencil, dsl::Border border)
      : context_(context), x_(x), stencil_(stencil), border_(border), shape_(context.shape(x)) {
    const Layout& layout = context.layout(x);
    for (int axis = 0; axis < stencil.rank; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      halo_holds_zeros_ = halo_holds_zeros_ && layout.before[a] >= stencil.before(axis) &&
                          layout.after[a] >= stencil.after(axis);
    }
  }

  /// The value of neighbour `number` of a position inside the map.
  Expr at(const Point& p, int number) const {
    Point q = p;
    Expr inside = Internal::const_true();
    const bool reads_halo = border_ == dsl::Border::zero && halo_holds_zeros_;
    for (int axis = 0; axis < stencil_.rank; ++axis) {
      const int step = stencil_.at(number)[static_cast<std::size_t>(axis)];
      const auto last = static_cast<int>(shape_.spatial(axis)) - 1;
      Expr& place = q.s[static_cast<std::size_t>(axis)];
      if (step == 0) continue;
      place += step;
      if (reads_halo) continue;
      inside = inside && (step < 0 ? place >= 0 : place <= last);
      place = step < 0 ? max(place, 0) : min(place, last);
    }
    const Expr value = context_.load(x_, q);
    return border_ == dsl::Border::edge || reads_halo ? value : select(inside, value, 0.0f);
  }

 private:
  const LowerContext& context_;
  Value x_;
  const dsl::Stencil& stencil_;
  dsl::Border border_;
  Shape shape_;
  bool halo_holds_zeros_ = true;
};

/// Zero beyond the last channel, unless `value` is zero there anyway.
void define_activation(LowerContext& context, int32_t id, const PointVars& v, Expr value,
                       bool vanishes_beyond) {
  const int channels = static_cast<int>(context.graph().node(id).outputs[0][1]);
  if (channels % context.block() != 0 && !vanishes_beyond) {
    value = select(v.point(context.block()).channel() < channels, value, 0.0f);
  }
  Func y("stencil");
  y(v.arguments()) = value;
  context.define({id, 0}, y);
}

}  // namespace

void lower(const ops::Stencil& op, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  PointVars v = LowerContext::vars(context.shape(x).spatial_rank());
  const Point p = v.point(context.block());
  const Neighbours neighbours(context, x, op.formula, op.border);
  std::vector<Expr> in;
  for (int i = 0; i < op.formula.count; ++i) in.push_back(neighbours.at(p, i));
  define_activation(context, id, v, formula_expr(op.formula.formula, in),
                    vanishes(op.formula.formula, std::vector<bool>(in.size())));
}

// Each position gathers from those that read it, in the order of the neighbours.
void lower(const ops::StencilGrad& op, LowerContext& context, int32_t id) {
  const Node& node = context.graph().node(id);
  const Value dy = node.inputs[0], x = node.inputs.back();
  const Shape map = context.shape(dy);
  PointVars v = LowerContext::vars(map.spatial_rank());
  const Neighbours neighbours(context, x, op.formula, op.border);
  const StencilDerivatives derivatives(op.formula);
  Expr sum = 0.0f;
  for (int i = 0; i < op.formula.count; ++i) {
    Point reader = v.point(context.block());
    Expr inside = Internal::const_true();
    for (int axis = 0; axis < map.spatial_rank(); ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      const int64_t begin = op.border == dsl::Border::edge ? op.formula.before(axis) : 0;
      const auto last = static_cast<int>(map.spatial(axis)) - 1;
      const Expr place = reader.s[a] - static_cast<int>(begin + op.formula.at(i)[a]);
      inside = inside && place >= 0 && place <= last;
      reader.s[a] = clamp(place, 0, last);
    }
    const FormulaGradient& derivative = derivatives.of[static_cast<std::size_t>(i)];
    std::vector<Expr> in;
    for (const FormulaGradient::Source& source : derivative.sources) {
      in.push_back(source.from == FormulaGradient::From::dy ? context.load(dy, reader)
                                                            : neighbours.at(reader, source.input));
    }
    sum += select(inside, formula_expr(derivative.formula, in), 0.0f);
  }
  define_activation(context, id, v, sum, false);
}

}  // namespace halcyon::compiler
