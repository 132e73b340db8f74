/// Two movements in a row that are one, and movements that move nothing.
///
/// Reshapes keep only the last shape, slices of slices and transposes of transposes are composed.
/// The first of the pair stays where somebody else reads it. A reshape from or to a flat value
/// becomes flatten or unflatten, which need not copy.

#include <optional>

#include "compiler/ops/axis_map.h"
#include "compiler/ops/digits.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// Whether the values keep their row-major order.
bool is_reshape(const Op& op) {
  return std::holds_alternative<ops::Reshape>(op) || std::holds_alternative<ops::Flatten>(op) ||
         std::holds_alternative<ops::Unflatten>(op);
}

/// The operator that gives values of shape `from` the shape `to`. Where one of them is flat it is
/// an operator that later passes can make a view of.
Op reshape_op(const Shape& from, const Shape& to) {
  if (to.rank == 2) return ops::Flatten{};
  if (from.rank == 2) return ops::Unflatten{.shape = to};
  return ops::Reshape{.shape = to};
}

/// x | first | second
ops::Slice composed(const ops::Slice& first, const ops::Slice& second, const Shape& y) {
  ops::Slice slice{.begin = {}, .end = {}, .step = {}};
  for (int axis = 0; axis < y.rank - 1; ++axis) {
    const int64_t step = first.step[axis] * second.step[axis];
    const int64_t begin = first.begin[axis] + second.begin[axis] * first.step[axis];
    const int64_t last = begin + (y[axis + 1] - 1) * step;
    slice.begin.push_back(begin);
    slice.end.push_back(step > 0 ? last + 1 : last - 1);
    slice.step.push_back(step);
  }
  return slice;
}

ops::Transpose composed(const ops::Transpose& first, const ops::Transpose& second) {
  ops::Transpose transpose;
  for (int i = 0; i < second.permutation.rank; ++i) {
    transpose.permutation.push_back(first.permutation[static_cast<int>(second.permutation[i]) - 1]);
  }
  return transpose;
}

/// The one operator for both, where there is one. `x` goes into `first`, `y` comes out of `second`.
std::optional<Op> merged(const Op& first, const Op& second, const Shape& x, const Shape& y) {
  if (is_reshape(first) && is_reshape(second)) return reshape_op(x, y);
  const auto* slice = std::get_if<ops::Slice>(&first);
  const auto* next_slice = std::get_if<ops::Slice>(&second);
  if (slice != nullptr && next_slice != nullptr) return composed(*slice, *next_slice, y);
  const auto* transpose = std::get_if<ops::Transpose>(&first);
  const auto* next_transpose = std::get_if<ops::Transpose>(&second);
  if (transpose != nullptr && next_transpose != nullptr) {
    return composed(*transpose, *next_transpose);
  }
  return {};
}

bool is_idle(const Op& op, const Shape& x, const Shape& y) {
  if (x != y) return false;
  return std::visit(
      [&]<class Operator>(const Operator& o) {
        if constexpr (requires { axis_maps(o, x); }) {
          return is_identity(axis_maps(o, x));
        } else if constexpr (requires { digits_of(o, x); }) {
          return is_identity(digits_of(o, x));
        } else {
          return is_reshape(op);
        }
      },
      op);
}

}  // namespace

bool remove_idle_movements(Program& program, const PassContext&) {
  const Graph& graph = program.graph;
  Rewriter rewriter(
      graph,
      [&](int32_t, const Node& node, const Rewriter::Values& inputs, Graph&) -> Rewriter::Values {
        const bool one_to_one = inputs.size() == 1 && node.outputs.size() == 1;
        if (!one_to_one || !node.outputs[0].has_batch()) return {};
        const Shape& x = graph.shape(node.inputs[0]);
        return is_idle(node.op, x, node.outputs[0]) ? inputs : Rewriter::Values{};
      });
  if (rewriter.changed()) program.graph = rewriter.take();
  return rewriter.changed();
}

bool merge_movements(Program& program, const PassContext&) {
  Rewriter rewriter(program.graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      if (inputs.size() != 1 || node.outputs.size() != 1) return {};
                      const Shape& y = node.outputs[0];
                      const auto replaced = [&](const Op& op, Value x) -> Rewriter::Values {
                        return {{copy.add(op, {x}, node.name, node.place), 0}};
                      };
                      const Node first = copy.node(inputs[0]);  // a copy: adding moves the nodes
                      if (first.inputs.size() == 1) {
                        const Value x = first.inputs[0];
                        const std::optional<Op> both = merged(first.op, node.op, copy.shape(x), y);
                        if (both) return replaced(*both, x);
                      }
                      if (!std::holds_alternative<ops::Reshape>(node.op)) return {};
                      const Op simple = reshape_op(copy.shape(inputs[0]), y);
                      return simple == node.op ? Rewriter::Values{} : replaced(simple, inputs[0]);
                    });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_dead_nodes(program, {});
  return true;
}

}  // namespace halcyon::compiler
