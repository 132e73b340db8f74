/// Convolutions that take fewer cycles in Winograd tiles get the operators that compute them so:
///
///   conv(x, w, b)  ->  winograd_conv(x, winograd_filters(w), b)
///
/// The transformed filters follow from parameters alone and are computed once. The result differs
/// by more than the order of additions, so that a user may ask for exact kernels.

#include "compiler/layout.h"
#include "compiler/passes/convolution_cost.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

class AlgorithmChooser {
 public:
  AlgorithmChooser(const Graph& graph, const Target& target)
      : graph_(graph), target_(target), of_parameters_(parameter_nodes(graph)) {}

  Rewriter::Values choose(const Node& node, const Rewriter::Values& inputs, Graph& copy) const {
    const auto* conv = std::get_if<ops::Conv>(&node.op);
    if (conv == nullptr || std::holds_alternative<ops::Input>(graph_.node(node.inputs[0]).op))
      return {};
    if (!of_parameters_[static_cast<std::size_t>(node.inputs[1].node)]) return {};
    const Shape& x = graph_.shape(node.inputs[0]);
    const int64_t tile = best_winograd_tile(*conv, x, node.outputs[0], target_);
    if (tile == 0) return {};

    const int64_t block = natural_block(conv->filters, target_.vector_width);
    FixedString name = node.name;
    name.append(".winograd");
    Rewriter::Values in = inputs;
    in[1] = {
        copy.add(ops::WinogradFilters{.tile = tile, .block = block}, {inputs[1]}, name, node.place),
        0};
    const ops::WinogradConv tiled{.filters = conv->filters,
                                  .kernel = conv->kernel[0],
                                  .tile = tile,
                                  .block = block,
                                  .pad_begin = conv->pad_begin,
                                  .pad_end = conv->pad_end,
                                  .groups = conv->groups};
    return {{copy.add(tiled, in, node.name, node.place), 0}};
  }

 private:
  const Graph& graph_;
  const Target& target_;
  std::vector<bool> of_parameters_;
};

}  // namespace

bool choose_algorithms(Program& program, const PassContext& context) {
  if (context.exact) return false;
  const AlgorithmChooser chooser(program.graph, context.target);
  Rewriter rewriter(program.graph, [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                                       Graph& copy) { return chooser.choose(node, inputs, copy); });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_unneeded(program.graph);
  return true;
}

}  // namespace halcyon::compiler
