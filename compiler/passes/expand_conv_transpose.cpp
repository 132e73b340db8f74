/// conv_transpose becomes an ordinary convolution of stride 1.
///
/// y[h] = sum over r of spread[h + pad_begin - r*dilation] * weight[r], where `spread` is x with
/// stride - 1 zeros between neighbours and output_padding zeros behind the last. With the taps
/// reversed that is a convolution whose padding is dilation*(kernel-1) minus the forward padding;
/// where that is negative, `spread` is cut instead.

#include <algorithm>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

FixedString part_name(const Node& node, const char* part) {
  FixedString name = node.name;
  name.append(part);
  return name;
}

Value expand(const ops::ConvTranspose& op, const Node& node, const Rewriter::Values& inputs,
             Graph& copy) {
  const Shape x = copy.shape(inputs[0]);
  ops::Conv conv{.filters = op.filters,
                 .kernel = op.kernel,
                 .dilation = op.dilation,
                 .pad_begin = Spatial(),
                 .pad_end = Spatial(),
                 .groups = op.groups};
  ops::Pad spread{.begin = 0, .end = {0}, .between = {0}};
  ops::Slice cut{.begin = {0}, .end = {x[1]}, .step = 1};
  bool spreads = false;
  bool cuts = false;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const int64_t reach = op.dilation[axis] * (op.kernel[axis] - 1);
    const int64_t pad_begin = reach - op.pad_begin[axis];
    const int64_t pad_end = reach - op.pad_end[axis];
    const int64_t extent = (x.spatial(axis) - 1) * op.stride[axis] + 1 + op.output_padding[axis];
    spread.between.push_back(op.stride[axis] - 1);
    spread.end.push_back(op.output_padding[axis]);
    spreads = spreads || extent != x.spatial(axis);
    cut.begin.push_back(std::max<int64_t>(-pad_begin, 0));
    cut.end.push_back(extent - std::max<int64_t>(-pad_end, 0));
    cuts = cuts || pad_begin < 0 || pad_end < 0;
    conv.pad_begin.push_back(std::max<int64_t>(pad_begin, 0));
    conv.pad_end.push_back(std::max<int64_t>(pad_end, 0));
  }
  Rewriter::Values list = inputs;
  const auto move = [&](const Op& movement, const char* part) {
    list[0] = {copy.add(movement, {list[0]}, part_name(node, part), node.place), 0};
  };
  if (spreads) move(spread, ".spread");
  if (cuts) move(cut, ".cut");
  const ops::FlipFilter flip{.groups = op.groups};
  list[1] = {copy.add(flip, {inputs[1]}, part_name(node, ".flip"), node.place), 0};
  return {copy.add(conv, list, node.name, node.place), 0};
}

}  // namespace

bool expand_conv_transpose(Program& program, const PassContext&) {
  Rewriter rewriter(program.graph,
                    [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                        Graph& copy) -> Rewriter::Values {
                      const auto* op = std::get_if<ops::ConvTranspose>(&node.op);
                      if (op == nullptr) return {};
                      return {expand(*op, node, inputs, copy)};
                    });
  if (rewriter.changed()) program.graph = rewriter.take();
  return rewriter.changed();
}

}  // namespace halcyon::compiler
