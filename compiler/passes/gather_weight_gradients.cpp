/// The weight gradient of a convolution in front of a max pool, without the map between them.
///
/// A pooled gradient belongs to one output of the convolution, which argmax names; the others have
/// none. With pools of 2x2 that leaves a quarter of the multiplications, and often nobody needs the
/// scattered map then:
///
///   d = max_pool_grad(dp, argmax)                  dw = conv_pool_weight_grad(x, dp, argmax)
///   dw = conv_weight_grad(x, d)            ->

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// A gathered sum takes its vectors from the input, a window's columns times its channels; with
/// more channels than this, a filter's own vectors do as well and need no address for each.
constexpr int64_t kMostChannels = 16;

bool is(const Spatial& numbers, int64_t value, int rank) {
  for (int axis = 0; axis < rank; ++axis) {
    if (numbers[axis] != value) return false;
  }
  return true;
}

bool pays(const ops::ConvWeightGrad& grad, const ops::MaxPoolGrad& pool, const Shape& x) {
  if (grad.groups != 1 || x[1] > kMostChannels || x.spatial_rank() != 2) return false;
  if (!is(pool.pad_begin, 0, 2) || !is(pool.pad_end, 0, 2) || !is(pool.dilation, 1, 2) || pool.ceil)
    return false;
  return pool.stride[0] * pool.stride[1] > 1;
}

}  // namespace

bool gather_weight_gradients(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  Rewriter rewriter(
      graph,
      [&](int32_t, const Node& node, const Rewriter::Values& inputs,
          Graph& copy) -> Rewriter::Values {
        const auto* grad = std::get_if<ops::ConvWeightGrad>(&node.op);
        if (grad == nullptr) return {};
        const auto* pool = std::get_if<ops::MaxPoolGrad>(&graph.node(node.inputs[1]).op);
        if (pool == nullptr || !pays(*grad, *pool, graph.shape(node.inputs[0]))) return {};
        const ops::ConvPoolWeightGrad gathered{.weight = grad->weight,
                                               .stride = grad->stride,
                                               .dilation = grad->dilation,
                                               .pad_begin = grad->pad_begin,
                                               .pad_end = grad->pad_end,
                                               .pool_kernel = pool->kernel,
                                               .pool_stride = pool->stride};
        const std::vector<Value> pooled = copy.node(inputs[1]).inputs;
        return {{copy.add(gathered, {inputs[0], pooled[0], pooled[1]}, node.name, node.place), 0}};
      });
  if (rewriter.changed()) program.graph = rewriter.take();
  return rewriter.changed();
}

}  // namespace halcyon::compiler
