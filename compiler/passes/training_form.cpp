/// Some layers do not mean the same while a network learns. As written they say what they mean
/// afterwards; here they become what a training step computes.
///
///   y = dropout(x)                           y = random_mask(x)
///
///   y = batch_norm(x, g, b, mean, variance)  m, v = moments(x)           of each sample, then
///                                            m', v' = batch_moments(m, v)    of all of them
///                                            move_statistics(mean, variance, m', v')
///                                            y = batch_norm(x, g, b, m', v')
///
/// mean and variance are parameters that no loss reads any more, so no optimizer touches them; the
/// step itself moves them, in graph order, and inference finds them moved.

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

FixedString member_name(const Node& node, std::string_view member) {
  FixedString name = node.name;
  name.append(member);
  return name;
}

Value with_batch_statistics(const Graph& graph, const Node& node, const Rewriter::Values& inputs,
                            Graph& copy) {
  const auto& op = std::get<ops::BatchNorm>(node.op);
  const Shape& x = graph.shape(node.inputs[0]);
  const auto add = [&](const Op& added, std::vector<Value> in, std::string_view member) {
    return copy.add(added, std::move(in), member_name(node, member), node.place);
  };
  const int32_t samples = add(ops::Moments{}, {inputs[0]}, ".moments");
  const int32_t batch = add(ops::BatchMoments{}, {{samples, 0}, {samples, 1}}, ".batch_moments");
  const ops::MoveStatistics move{.momentum = op.momentum, .positions = x.elements() / x[1]};
  add(move, {inputs[3], inputs[4], {batch, 0}, {batch, 1}}, ".move_statistics");
  return {add(op, {inputs[0], inputs[1], inputs[2], {batch, 0}, {batch, 1}}, ""), 0};
}

}  // namespace

Graph training_form(const Graph& graph, const std::vector<bool>& frozen) {
  const auto is_free_parameter = [&](Value v) {
    return std::holds_alternative<ops::Parameter>(graph.node(v).op) &&
           !frozen.at(static_cast<std::size_t>(v.node));
  };
  int64_t masks = 0;
  Rewriter rewriter(
      graph,
      [&](int32_t, const Node& node, const Rewriter::Values& inputs,
          Graph& copy) -> Rewriter::Values {
        if (const auto* dropout = std::get_if<ops::Dropout>(&node.op)) {
          const ops::RandomMask mask{.probability = dropout->probability, .stream = masks++};
          const Node before = copy.node(inputs[0]);  // a copy: adding moves the nodes
          // A mask counts values in row-major order, so it may stand in front of a flatten: a dense
          // layer behind it still sees the map, as it does in inference.
          if (std::holds_alternative<ops::Flatten>(before.op)) {
            const int32_t masked = copy.add(mask, before.inputs, node.name, node.place);
            return {{copy.add(before.op, {{masked, 0}}, before.name, before.place), 0}};
          }
          return {{copy.add(mask, inputs, node.name, node.place), 0}};
        }
        const bool moves = std::holds_alternative<ops::BatchNorm>(node.op) &&
                           is_free_parameter(node.inputs[3]) && is_free_parameter(node.inputs[4]);
        if (!moves) return {};
        return {with_batch_statistics(graph, node, inputs, copy)};
      });
  return rewriter.take();
}

}  // namespace halcyon::compiler
