/// Operators that compute each position from one position of each input, and the loop order of
/// kernels that are nothing else: memory bounds them, so one pass, whole vectors, all threads.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// define_elementwise for gradients of parameters, which have no batch: all of one layout, so
/// element by element.
template <class Formula>
void define_on_weights(LowerContext& context, int32_t id, const char* name,
                       const Formula& formula) {
  Var ki("ki"), j("j"), kb("kb");
  std::vector<Expr> in;
  for (Value x : context.graph().node(id).inputs) {
    in.push_back(context.is_defined(x) ? context.func(x)(ki, j, kb)
                                       : context.flat_weight(x)(ki, j, kb));
  }
  Func y(name);
  y(ki, j, kb) = formula(in);
  context.define({id, 0}, y);
  context.set_output(y);
}

/// Defines node `id` as `formula` of its inputs, position by position.
template <class Formula>
void define_elementwise(LowerContext& context, int32_t id, const char* name,
                        const Formula& formula) {
  const Node& node = context.graph().node(id);
  if (!node.outputs[0].has_batch()) return define_on_weights(context, id, name, formula);
  PointVars v = LowerContext::vars(node.outputs[0].spatial_rank());
  const Point p = v.point(context.block());
  std::vector<Expr> in;
  for (Value x : node.inputs) in.push_back(context.load(x, p));
  Func y(name);
  y(v.arguments()) = formula(in);
  context.define({id, 0}, y);
}

}  // namespace

void lower(const ops::Relu&, LowerContext& context, int32_t id) {
  define_elementwise(context, id, "relu",
                     [](const std::vector<Expr>& in) { return max(in[0], 0.0f); });
}

void lower(const ops::ReluGrad&, LowerContext& context, int32_t id) {
  define_elementwise(context, id, "relu_grad",
                     [](const std::vector<Expr>& in) { return select(in[1] > 0.0f, in[0], 0.0f); });
}

void lower(const ops::Copy&, LowerContext& context, int32_t id) {
  define_elementwise(context, id, "copy", [](const std::vector<Expr>& in) { return in[0]; });
}

void lower(const ops::Add&, LowerContext& context, int32_t id) {
  define_elementwise(context, id, "add", [](const std::vector<Expr>& in) { return in[0] + in[1]; });
}

void schedule_elementwise(LowerContext& context) {
  Func& out = context.output();
  if (!context.shape(context.spec().region->outputs[0]).has_batch()) {
    out.vectorize(out.args()[0]);
    return;
  }
  PointVars v = context.output_vars();
  const Layout layout = context.output_layout();
  if (layout.block == 1 && layout.spatial_rank() > 0) {
    out.vectorize(v.x(), context.vector_width(), TailStrategy::GuardWithIf);
  } else {
    vectorise_channels(out, v.ci, layout.block, context.vector_width());
    if (layout.spatial_rank() > 0 && layout.shape.spatial(layout.spatial_rank() - 1) > 1) {
      out.unroll(v.x(), 2, TailStrategy::GuardWithIf);
    }
  }
  if (Func& window = context.accumulator(); window.defined()) {
    window.compute_at(out, v.x());
    vectorise_channels(window, v.ci, layout.block, context.vector_width());
    vectorise_channels(window.update(), v.ci, layout.block, context.vector_width());
  }
  // Small samples are not worth waking a thread for each channel block.
  constexpr int64_t kSmallSample = 4 * 1024;
  if (layout.sample_elements() >= kSmallSample) {
    parallelise(out, {v.cb, v.n});
  } else if (layout.sample_elements() >= kSmallSample / 16) {
    out.parallel(v.n, 8, TailStrategy::GuardWithIf);
  }
}

}  // namespace halcyon::compiler
