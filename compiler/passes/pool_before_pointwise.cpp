/// A mean of sums is the sum of means: conv 1x1, average_pool -> average_pool, conv 1x1.
///
/// The convolution then has one multiplication for each window of the pool instead of one for each
/// position: a fourth for windows of 2 x 2, as in DenseNet's transitions. Only where the pool
/// counts no padding, for there a bias would be averaged with zeros.

#include "compiler/passes/fusion_rules.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

bool is_all(const Spatial& numbers, int rank, int64_t value) {
  for (int axis = 0; axis < rank; ++axis) {
    if (numbers[axis] != value) return false;
  }
  return true;
}

bool makes_smaller(const ops::AveragePool& pool, int rank) {
  return is_all(pool.pad_begin, rank, 0) && is_all(pool.pad_end, rank, 0) && !pool.ceil &&
         !is_all(pool.stride, rank, 1);
}

}  // namespace

bool pool_before_pointwise(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  const auto users = users_of(graph);
  Rewriter rewriter(graph, Rewriter::VisitNow([&](int32_t id, const Rewriter::Now& now,
                                                  Graph& copy) -> Rewriter::Values {
                      const Node& node = graph.node(id);
                      const auto* pool = std::get_if<ops::AveragePool>(&node.op);
                      if (pool == nullptr) return {};
                      const Value map = node.inputs[0];
                      const Node& before = graph.node(map);
                      const auto* conv = std::get_if<ops::Conv>(&before.op);
                      const int rank = node.outputs[0].spatial_rank();
                      if (conv == nullptr || !is_pointwise(*conv, before.outputs[0]) ||
                          !makes_smaller(*pool, rank))
                        return {};
                      if (users.at(map).size() != 1 || is_result(graph, map)) return {};
                      std::vector<Value> inputs;
                      for (const Value input : before.inputs) inputs.push_back(now.at(input));
                      inputs[0] = {copy.add(*pool, {inputs[0]}, node.name, node.place), 0};
                      return {{copy.add(*conv, inputs, before.name, before.place), 0}};
                    }));
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_unneeded(program.graph);
  return true;
}

}  // namespace halcyon::compiler
