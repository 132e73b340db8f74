/// Meaning and gradient of the operators that keep the values' order, and of joining.

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

// Tensors on the host are row-major, so C, H, W order is already there.
HostTensors reference(const ops::Flatten&, HostInputs in, int64_t) {
  HostTensor y = in[0];
  y.shape = {in[0].shape[0], in[0].shape.elements() / in[0].shape[0]};
  return {y};
}

void gradient(const ops::Flatten&, GradientContext& context) {
  const ops::Unflatten back{.shape = context.shape(context.x(0))};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::Unflatten& op, HostInputs in, int64_t batch) {
  return {{with_batch(op.shape, batch), in[0].values}};
}

void gradient(const ops::Unflatten&, GradientContext& context) {
  context.add_gradient(0, context.emit(ops::Flatten{}, {context.dy()}, "x"));
}

HostTensors reference(const ops::Reshape& op, HostInputs in, int64_t batch) {
  return {{with_batch(op.shape, batch), in[0].values}};
}

void gradient(const ops::Reshape&, GradientContext& context) {
  const ops::Reshape back{.shape = context.shape(context.x(0))};
  context.add_gradient(0, context.emit(back, {context.dy()}, "x"));
}

HostTensors reference(const ops::Concat& op, HostInputs in, int64_t) {
  const auto axis = static_cast<int>(op.axis);
  Shape shape = in[0].shape;
  for (const HostTensor& t : in.subspan(1)) shape[axis] += t.shape[axis];
  // Of each input a run of values that belong together follows the run of the one before it.
  int64_t runs = 1;
  for (int outer = 0; outer < axis; ++outer) runs *= shape[outer];
  HostTensor y{shape, {}};
  for (int64_t run = 0; run < runs; ++run) {
    for (const HostTensor& t : in) {
      const auto length = static_cast<int64_t>(t.values.size()) / runs;
      const auto first = t.values.begin() + run * length;
      y.values.insert(y.values.end(), first, first + length);
    }
  }
  return {y};
}

void gradient(const ops::Concat& op, GradientContext& context) {
  const auto axis = static_cast<int>(op.axis);
  int64_t begin = 0;
  for (std::size_t i = 0; i < context.input_count(); ++i) {
    const Shape x = context.shape(context.x(i));
    ops::Slice slice{.begin = {}, .end = {}, .step = 1};
    for (int a = 1; a < x.rank; ++a) {
      slice.begin.push_back(a == axis ? begin : 0);
      slice.end.push_back(slice.begin[a - 1] + x[a]);
    }
    begin += x[axis];
    if (!context.wants(i)) continue;
    std::string suffix = "x";
    suffix += std::to_string(i);
    context.add_gradient(i, context.emit(slice, {context.dy()}, suffix));
  }
}

}  // namespace halcyon::compiler
