/// Meaning and gradient of functions of one position, and the sum that undoes repeating.

#include "compiler/ops/formula.h"
#include "compiler/ops/rules.h"

namespace halcyon::compiler {

namespace {

/// Walks a tensor along the positions of a larger one: no step along the axes that it repeats.
class Repeated {
 public:
  /// Shapes: `own` aligned with `full`.
  Repeated(const Shape& own, const Shape& full) : full_(full) {
    int64_t stride = 1;
    for (int axis = full.rank - 1; axis >= 0; --axis) {
      strides_[static_cast<std::size_t>(axis)] = own[axis] == 1 ? 0 : stride;
      stride *= own[axis];
    }
  }

  /// The element that stands for `position`, a row-major number in the larger tensor.
  std::size_t operator()(std::size_t position) const {
    auto rest = static_cast<int64_t>(position);
    int64_t element = 0;
    for (int axis = full_.rank - 1; axis >= 0; --axis) {
      element += rest % full_[axis] * strides_[static_cast<std::size_t>(axis)];
      rest /= full_[axis];
    }
    return static_cast<std::size_t>(element);
  }

 private:
  Shape full_;
  std::array<int64_t, Shape::kMaxRank> strides_ = {};
};

/// The shape rule's repeated_shape for shapes whose batch is a number: parameters are those of a
/// smaller rank.
Shape repeated_shape(HostInputs in) {
  int rank = 0;
  for (const HostTensor& x : in) rank = std::max(rank, x.shape.rank);
  Shape full;
  for (int axis = 0; axis < rank; ++axis) {
    int64_t extent = 1;
    for (const HostTensor& x : in) {
      extent = std::max(extent, dsl::rules::aligned(x.shape, rank)[axis]);
    }
    full.push_back(extent);
  }
  return full;
}

/// What the gradient is computed from, as values of the graph.
std::vector<Value> values_of(const FormulaGradient& gradient, const GradientContext& context) {
  std::vector<Value> values;
  for (const FormulaGradient::Source& source : gradient.sources) {
    switch (source.from) {
      case FormulaGradient::From::dy: values.push_back(context.dy()); break;
      case FormulaGradient::From::y: values.push_back(context.y()); break;
      case FormulaGradient::From::x:
        values.push_back(context.x(static_cast<std::size_t>(source.input)));
        break;
    }
  }
  // A flat function has a gradient of zeros, whose shape is dy's.
  if (values.empty()) values.push_back(context.dy());
  return values;
}

FormulaGradient find_gradient(const ops::Pointwise& op, int input) {
  if (const auto use = dsl::read_as_function(op.function, op.formula);
      use && use->function->gradient) {
    const auto rule =
        use->function->gradient(dsl::Scalar::input(0), dsl::Scalar::input(1), use->values.data());
    if (rule) return gradient_from_result(rule->formula);
  }
  return gradient_of(op.formula, input);
}

}  // namespace

HostTensors reference(const ops::Pointwise& op, HostInputs in, int64_t) {
  HostTensor y = zeros(repeated_shape(in));
  std::vector<Repeated> elements;
  for (const HostTensor& x : in) {
    elements.emplace_back(dsl::rules::aligned(x.shape, y.shape.rank), y.shape);
  }
  std::vector<double> inputs(in.size());
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    for (std::size_t x = 0; x < in.size(); ++x) inputs[x] = in[x].values[elements[x](i)];
    y.values[i] = evaluate(op.formula, inputs);
  }
  return {y};
}

void gradient(const ops::Pointwise& op, GradientContext& context) {
  const Shape y = context.shape(context.y());
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    if (!context.wants(i)) continue;
    FormulaGradient found;
    try {
      found = find_gradient(op, static_cast<int>(i));
    } catch (const dsl::ShapeMistake& mistake) {
      context.refuse("has a gradient that is too long: " + mistake.what, mistake.hint);
    }
    const std::string suffix = context.input_count() > 1 ? "x" + std::to_string(i) : "x";
    const std::vector<Value> values = values_of(found, context);
    Value dx = values[0];
    if (!(found.formula == dsl::Scalar::input(0).formula)) {
      FixedString function = op.function;
      function.append("_grad");
      dx = context.emit(ops::Pointwise{function, found.formula}, values, suffix);
    }
    const Shape x = context.shape(context.x(i));
    if (!(x == y)) {
      const bool per_channel = x.rank == 1 && x[0] == y[1];
      const Op sum = per_channel ? Op(ops::BiasGrad{}) : Op(ops::SumTo{.shape = x});
      dx = context.emit(sum, {dx}, suffix + "_sum");
    }
    context.add_gradient(i, dx);
  }
}

HostTensors reference(const ops::SumTo& op, HostInputs in, int64_t batch) {
  const Shape& dy = in[0].shape;
  HostTensor sum = zeros(with_batch(op.shape, batch));
  const Repeated element(dsl::rules::aligned(sum.shape, dy.rank), dy);
  for (std::size_t i = 0; i < in[0].values.size(); ++i) {
    sum.values[element(i)] += in[0].values[i];
  }
  return {sum};
}

void gradient(const ops::SumTo&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
