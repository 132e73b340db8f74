/// Products of two computed matrices: rows of the result in the lanes of a vector, one value of the
/// second factor broadcast to all of them.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

void lower(const ops::MatMul& op, LowerContext& context, int32_t id) {
  const std::vector<Value> in = context.graph().node(id).inputs;
  const auto summed = static_cast<int>(context.shape(in[0])[op.transpose_a ? 1 : 2]);
  const auto rows = static_cast<int>(context.graph().node(id).outputs[0][1]);
  PointVars v = LowerContext::vars(1);
  const Point p = v.point(context.block());
  RDom c(0, summed, "c");
  // The rows of a matrix are its channels. A row beyond the last reads another one's numbers.
  const Expr row = min(p.channel(), rows - 1);
  const Expr a = op.transpose_a ? context.load(in[0], {0, c.x, {row}, p.n, 1})
                                : context.load(in[0], {p.ci, p.cb, {c.x}, p.n, p.block});
  const Expr b = op.transpose_b ? context.load(in[1], {0, v.x(), {c.x}, p.n, 1})
                                : context.load(in[1], {0, c.x, {v.x()}, p.n, 1});
  Func product("product"), y("matmul");
  product(v.arguments()) += a * b;
  y(v.arguments()) = select(p.channel() < rows, product(v.arguments()), 0.0f);
  context.define({id, 0}, y);
  context.make_output();
  Func& out = context.output();
  vectorise_channels(out, v.ci, context.block(), context.vector_width());
  const Var task = parallelise(out, {v.cb, v.n});
  product.compute_at(out, v.x());
  vectorise_channels(product, v.ci, context.block(), context.vector_width());
  product.update().reorder(v.ci, c.x);
  vectorise_channels(product.update(), v.ci, context.block(), context.vector_width());
}

void schedule(const ops::MatMul&, LowerContext&) {}  // where the sum is at hand

}  // namespace halcyon::compiler
