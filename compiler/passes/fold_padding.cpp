/// pad, conv -> conv with more padding: a kernel pads as it reads, so no padded copy is made. The
/// same for a mean that counts its padding, or has none. Only zeros around the spatial axes; the
/// maximum of a window is another matter, since max_pool never takes its padding.

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// A border of zeros around the spatial axes alone?
bool is_zero_border(const ops::Pad& pad, const Shape& x) {
  if (pad.mode != ops::PadMode::constant || pad.value != 0) return false;
  if (pad.begin[0] != 0 || pad.end[0] != 0) return false;
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    if (pad.between[axis] != 0) return false;
  }
  return true;
}

template <class Window>
Window with_border(Window window, const ops::Pad& pad, const Shape& x) {
  Spatial begin, end;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    begin.push_back(window.pad_begin[axis] + pad.begin[axis + 1]);
    end.push_back(window.pad_end[axis] + pad.end[axis + 1]);
  }
  window.pad_begin = begin;
  window.pad_end = end;
  return window;
}

/// May the mean take the border as its own padding? Its rule wants every window to meet the input.
bool can_take(const ops::AveragePool& pool, const ops::Pad& pad, const Shape& x) {
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const bool pads = pool.pad_begin[axis] > 0 || pool.pad_end[axis] > 0;
    if (pads && !pool.count_padding) return false;
    const int64_t reach = pool.dilation[axis] * (pool.kernel[axis] - 1);
    if (pool.pad_begin[axis] + pad.begin[axis + 1] > reach ||
        pool.pad_end[axis] + pad.end[axis + 1] > reach) {
      return false;
    }
    // A dilated window may step over a small input.
    if (pool.dilation[axis] > x.spatial(axis)) return false;
  }
  return true;
}

}  // namespace

bool fold_padding(Program& program, const PassContext&) {
  Rewriter rewriter(
      program.graph,
      [&](int32_t, const Node& node, const Rewriter::Values& inputs,
          Graph& copy) -> Rewriter::Values {
        if (inputs.empty()) return {};
        const Node border = copy.node(inputs[0]);
        const auto* pad = std::get_if<ops::Pad>(&border.op);
        if (pad == nullptr) return {};
        const Shape x = copy.shape(border.inputs[0]);
        if (!is_zero_border(*pad, x)) return {};
        Rewriter::Values list = inputs;
        list[0] = border.inputs[0];
        if (const auto* conv = std::get_if<ops::Conv>(&node.op)) {
          return {{copy.add(with_border(*conv, *pad, x), list, node.name, node.place), 0}};
        }
        const auto* mean = std::get_if<ops::AveragePool>(&node.op);
        if (mean == nullptr || !can_take(*mean, *pad, x)) return {};
        ops::AveragePool pool = with_border(*mean, *pad, x);
        pool.count_padding = true;
        // In ceil mode a window may start in the border, but not in padding.
        if (pool.infer({x}) != node.outputs) return {};
        return {{copy.add(pool, list, node.name, node.place), 0}};
      });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_dead_nodes(program, {});
  return true;
}

}  // namespace halcyon::compiler
