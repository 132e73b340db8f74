/// Meaning and gradient of functions of a position and its neighbours.
///
/// A neighbour at offset o is read by the position that lies o before it. So the gradient is the
/// stencil turned around: dx[p] is the sum over all neighbours of what the position p - o makes of
/// dy there.

#include "compiler/ops/stencil.h"

#include <algorithm>
#include <optional>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

namespace {

using Position = std::array<int64_t, 3>;

/// One channel of one sample, of one to three spatial axes; those that are missing stand in front.
class Map {
 public:
  explicit Map(const Shape& shape) {
    for (int axis = 0; axis < shape.spatial_rank(); ++axis) {
      extents_[index(axis, shape.spatial_rank())] = shape.spatial(axis);
    }
  }

  int64_t positions() const { return extents_[0] * extents_[1] * extents_[2]; }

  Position position(int64_t number) const {
    return {number / (extents_[1] * extents_[2]), number / extents_[2] % extents_[1],
            number % extents_[2]};
  }

  /// Row-major number of the position `steps` away, nothing outside of the map.
  std::optional<int64_t> at(const Position& p, const Position& steps) const {
    int64_t number = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const int64_t place = p[axis] + steps[axis];
      if (place < 0 || place >= extents_[axis]) return std::nullopt;
      number = number * extents_[axis] + place;
    }
    return number;
  }

  /// The same, or the nearest position.
  int64_t nearest(const Position& p, const Position& steps) const {
    int64_t number = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const int64_t place = std::clamp<int64_t>(p[axis] + steps[axis], 0, extents_[axis] - 1);
      number = number * extents_[axis] + place;
    }
    return number;
  }

  static std::size_t index(int axis, int rank) { return static_cast<std::size_t>(axis + 3 - rank); }

 private:
  Position extents_ = {1, 1, 1};
};

/// The steps to each neighbour, and how far they reach to lower positions.
struct Steps {
  std::vector<Position> to;
  Position before = {};

  explicit Steps(const dsl::Stencil& stencil) : to(stencil.count) {
    for (int axis = 0; axis < stencil.rank; ++axis) {
      const std::size_t a = Map::index(axis, stencil.rank);
      before[a] = stencil.before(axis);
      for (int i = 0; i < stencil.count; ++i) {
        to[static_cast<std::size_t>(i)][a] = stencil.at(i)[static_cast<std::size_t>(axis)];
      }
    }
  }
};

/// What a position sees around it; `x` is its channel.
std::vector<double> neighbours(const Map& map, const Steps& steps, dsl::Border border,
                               const double* x, const Position& p) {
  std::vector<double> values;
  for (const Position& to : steps.to) {
    const std::optional<int64_t> inside = map.at(p, to);
    if (border == dsl::Border::edge) {
      values.push_back(x[map.nearest(p, to)]);
    } else {
      values.push_back(inside ? x[*inside] : 0);
    }
  }
  return values;
}

}  // namespace

StencilDerivatives::StencilDerivatives(const dsl::Stencil& stencil) {
  for (int i = 0; i < stencil.count; ++i) of.push_back(gradient_from_inputs(stencil.formula, i));
}

bool StencilDerivatives::read_x() const {
  return std::any_of(of.begin(), of.end(), [](const FormulaGradient& derivative) {
    return std::any_of(derivative.sources.begin(), derivative.sources.end(),
                       [](const auto& source) { return source.from == FormulaGradient::From::x; });
  });
}

HostTensors reference(const ops::Stencil& op, HostInputs in, int64_t) {
  const Map map(in[0].shape);
  const Steps steps(op.formula);
  HostTensor y = zeros(in[0].shape);
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const auto number = static_cast<int64_t>(i) % map.positions();
    const double* const channel = in[0].values.data() + (static_cast<int64_t>(i) - number);
    y.values[i] = evaluate(op.formula.formula,
                           neighbours(map, steps, op.border, channel, map.position(number)));
  }
  return {y};
}

void gradient(const ops::Stencil& op, GradientContext& context) {
  std::optional<StencilDerivatives> derivatives;
  try {
    derivatives.emplace(op.formula);
  } catch (const dsl::ShapeMistake& mistake) {
    context.refuse("has a gradient that is too long: " + mistake.what, mistake.hint);
  }
  std::vector<Value> inputs = {context.dy()};
  if (derivatives->read_x()) inputs.push_back(context.x(0));
  ops::StencilGrad back;
  back.function = op.function;
  back.function.append("_grad");
  back.formula = op.formula;
  back.border = op.border;
  if (op.border == dsl::Border::zero) {
    return context.add_gradient(0, context.emit(back, inputs, "x"));
  }
  const Shape x = context.shape(context.x(0));
  ops::Pad border{.begin = {0}, .end = {0}, .between = 0, .mode = ops::PadMode::edge};
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    border.begin.push_back(op.formula.before(axis));
    border.end.push_back(op.formula.after(axis));
  }
  const Value with_border = context.emit(back, inputs, "border");
  context.add_gradient(0,
                       context.emit(ops::PadGrad{.input = x, .pad = border}, {with_border}, "x"));
}

// From each position to those that it reads.
HostTensors reference(const ops::StencilGrad& op, HostInputs in, int64_t) {
  const HostTensor &dy = in[0], &x = in.back();
  const Map map(dy.shape);
  HostTensor dx = zeros(detail::output_shape(op, in.first(1)));
  const Map wide(dx.shape);
  const Steps steps(op.formula);
  const StencilDerivatives derivatives(op.formula);
  for (std::size_t i = 0; i < dy.values.size(); ++i) {
    const int64_t number = static_cast<int64_t>(i) % map.positions();
    const int64_t channel = static_cast<int64_t>(i) / map.positions();
    const Position p = map.position(number);
    const std::vector<double> around =
        neighbours(map, steps, op.border, x.values.data() + channel * map.positions(), p);
    for (std::size_t n = 0; n < steps.to.size(); ++n) {
      Position to = steps.to[n];
      for (std::size_t axis = 0; axis < 3 && op.border == dsl::Border::edge; ++axis) {
        to[axis] += steps.before[axis];
      }
      const std::optional<int64_t> target = wide.at(p, to);
      if (!target) continue;
      std::vector<double> inputs;
      for (const FormulaGradient::Source& source : derivatives.of[n].sources) {
        inputs.push_back(source.from == FormulaGradient::From::dy
                             ? dy.values[i]
                             : around[static_cast<std::size_t>(source.input)]);
      }
      dx.values[static_cast<std::size_t>(channel * wide.positions() + *target)] +=
          evaluate(derivatives.of[n].formula, inputs);
    }
  }
  return {dx};
}

void gradient(const ops::StencilGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
