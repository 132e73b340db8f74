/// Meaning and gradient of reductions.

#include <limits>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {
namespace {

// For each value of x, in row-major order, the result that it is reduced to.
std::vector<std::size_t> results_of(const Shape& x, const Shape& axes) {
  std::vector<std::size_t> results(static_cast<std::size_t>(x.elements()));
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t result = 0, stride = 1;
    for (int axis = x.rank - 1; axis >= 0; --axis) {
      const int64_t at = rest % x[axis];
      rest /= x[axis];
      if (dsl::rules::is_reduced(axes, axis)) continue;
      result += at * stride;
      stride *= x[axis];
    }
    results[i] = static_cast<std::size_t>(result);
  }
  return results;
}

// How many values become one.
double reduced_count(const Shape& x, const Shape& axes) {
  double count = 1;
  for (int i = 0; i < axes.rank; ++i) count *= static_cast<double>(x[static_cast<int>(axes[i])]);
  return count;
}

// The first largest or smallest value of each result.
std::vector<std::size_t> first_best(ops::ReduceKind kind, const std::vector<double>& x,
                                    const std::vector<std::size_t>& results, std::size_t count) {
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> best(count, kNone);
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::size_t& b = best[results[i]];
    if (b == kNone || (kind == ops::ReduceKind::max ? x[i] > x[b] : x[i] < x[b])) b = i;
  }
  return best;
}

}  // namespace

HostTensors reference(const ops::Reduce& op, HostInputs in, int64_t) {
  const HostTensor& x = in[0];
  HostTensor y = zeros(detail::output_shape(op, in));
  const std::vector<std::size_t> results = results_of(x.shape, op.axes);
  if (op.kind == ops::ReduceKind::max || op.kind == ops::ReduceKind::min) {
    const auto best = first_best(op.kind, x.values, results, y.values.size());
    for (std::size_t i = 0; i < best.size(); ++i) y.values[i] = x.values[best[i]];
    return {y};
  }
  for (std::size_t i = 0; i < results.size(); ++i) y.values[results[i]] += x.values[i];
  if (op.kind == ops::ReduceKind::mean) {
    for (double& v : y.values) v /= reduced_count(x.shape, op.axes);
  }
  return {y};
}

void gradient(const ops::Reduce& op, GradientContext& context) {
  const ops::ReduceGrad grad{.kind = op.kind,
                             .axes = op.axes,
                             .keep_dims = op.keep_dims,
                             .input = context.shape(context.x(0))};
  std::vector<Value> inputs = {context.dy()};
  if (grad.reads_input()) inputs.push_back(context.x(0));
  context.add_gradient(0, context.emit(grad, inputs, "x"));
}

HostTensors reference(const ops::ReduceGrad& op, HostInputs in, int64_t batch) {
  HostTensor dx = zeros(with_batch(op.input, batch));
  const std::vector<double>& dy = in[0].values;
  const std::vector<std::size_t> results = results_of(dx.shape, op.axes);
  if (op.reads_input()) {
    const auto best = first_best(op.kind, in[1].values, results, dy.size());
    for (std::size_t i = 0; i < best.size(); ++i) dx.values[best[i]] = dy[i];
    return {dx};
  }
  const double divisor = op.kind == ops::ReduceKind::mean ? reduced_count(dx.shape, op.axes) : 1;
  for (std::size_t i = 0; i < results.size(); ++i) dx.values[i] = dy[results[i]] / divisor;
  return {dx};
}

void gradient(const ops::ReduceGrad&, GradientContext& context) { context.refuse(); }

}  // namespace halcyon::compiler
