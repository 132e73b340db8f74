/// Operators that move values as ONNX.

#include <algorithm>
#include <limits>

#include "compiler/onnx/node_export.h"
#include "dsl/enumerations.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

namespace {

/// Blocks of positions, an axis of its own for each number: the channels c, where a value lies in
/// its block b..., which block it lies in s...
struct BlockAxes {
  int64_t block;
  int axes;
  bool channels_first;  ///< c b... in the channels' number, else b... c

  /// Where the axes b_i, c and s_i stand while depth and space are apart: N b... c s..., or N c
  /// b...
  int64_t of_block(int i) const { return (channels_first ? 2 : 1) + i; }
  int64_t of_channels() const { return channels_first ? 1 : axes + 1; }
  int64_t of_space(int i) const { return axes + 2 + i; }
};

/// x [N,C,H,W] with the channels' number taken apart.
std::vector<int64_t> apart(const BlockAxes& blocks, int64_t channels,
                           const std::vector<int64_t>& space) {
  std::vector<int64_t> extents(static_cast<std::size_t>(blocks.axes), blocks.block);
  extents.insert(blocks.channels_first ? extents.begin() : extents.end(), channels);
  extents.insert(extents.end(), space.begin(), space.end());
  return extents;
}

std::vector<int64_t> space_of(const Shape& x) {
  std::vector<int64_t> extents = sample_extents(x);
  extents.erase(extents.begin());
  return extents;
}

std::string shape_with_batch(NodeExport& node, const Shape& y) {
  const std::string shape = node.step("Shape", {node.x()}, {{"end", int64_t{1}}});
  return node.step("Concat", {shape, node.model().integers(sample_extents(y))},
                   {{"axis", int64_t{0}}});
}

}  // namespace

void export_operator(const ops::Flatten&, NodeExport& node) {
  node.finish("Flatten", {node.x()}, {{"axis", int64_t{1}}});
}

void export_operator(const ops::Reshape& op, NodeExport& node) {
  node.finish_reshaped(node.x(), sample_extents(op.shape));
}

void export_operator(const ops::Concat& op, NodeExport& node) {
  node.finish("Concat", node.inputs(), {{"axis", op.axis}});
}

void export_operator(const ops::Pad& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  std::vector<int64_t> begins = {0}, ends = {0};
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    if (op.between[axis] != 0) {
      node.refuse("puts values between neighbours, for which ONNX has no word",
                  "a conv_transpose with a stride and fixed filters does the same");
    }
    begins.push_back(op.begin[axis]);
    ends.push_back(op.end[axis]);
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  std::vector<std::string> inputs = {node.x(), node.model().integers(begins)};
  if (op.mode == ops::PadMode::constant) inputs.push_back(node.model().number(op.value));
  const std::string mode(dsl::names_of(op.mode).at(static_cast<std::size_t>(op.mode)));
  node.finish("Pad", inputs, {{"mode", mode}});
}

void export_operator(const ops::Slice& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  std::vector<int64_t> starts, ends, axes, steps;
  for (int axis = 0; axis < x.rank - 1; ++axis) {
    const bool is_whole = op.begin[axis] == 0 && op.end[axis] == x[axis + 1] && op.step[axis] == 1;
    // One axis at least, so that the node says what it is.
    if (is_whole && !(axes.empty() && axis == x.rank - 2)) continue;
    starts.push_back(op.begin[axis]);
    // In front of the first position: what is negative is counted from the end there.
    ends.push_back(op.end[axis] < 0 ? std::numeric_limits<int64_t>::min() + 1 : op.end[axis]);
    axes.push_back(axis + 1);
    steps.push_back(op.step[axis]);
  }
  ModelWriter& model = node.model();
  node.finish("Slice", {node.x(), model.integers(starts), model.integers(ends),
                        model.integers(axes), model.integers(steps)});
}

void export_operator(const ops::Transpose& op, NodeExport& node) {
  std::vector<int64_t> permutation = {0};
  for (int i = 0; i < op.permutation.rank; ++i) permutation.push_back(op.permutation[i]);
  node.finish("Transpose", {node.x()}, {{"perm", permutation}});
}

void export_operator(const ops::ChannelShuffle& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const std::vector<int64_t> space = space_of(x);
  std::vector<int64_t> groups = {op.groups, x[1] / op.groups};
  groups.insert(groups.end(), space.begin(), space.end());
  std::vector<int64_t> permutation = {0, 2, 1};
  for (int axis = 2; axis < x.rank; ++axis) permutation.push_back(axis + 1);
  const std::string sorted =
      node.step("Transpose", {node.reshaped(node.x(), groups)}, {{"perm", permutation}});
  node.finish_reshaped(sorted, sample_extents(x));
}

void export_operator(const ops::DepthToSpace& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const Shape& y = node.result();
  const bool channels_first = op.order == ops::DepthOrder::crd;
  if (x.spatial_rank() == 2) {
    return node.finish("DepthToSpace", {node.x()},
                       {{"blocksize", op.block}, {"mode", channels_first ? "CRD" : "DCR"}});
  }
  const BlockAxes blocks = {op.block, x.spatial_rank(), channels_first};
  std::vector<int64_t> permutation = {0, blocks.of_channels()};
  for (int i = 0; i < blocks.axes; ++i) {
    permutation.push_back(blocks.of_space(i));
    permutation.push_back(blocks.of_block(i));
  }
  const std::string taken = node.reshaped(node.x(), apart(blocks, y[1], space_of(x)));
  node.finish_reshaped(node.step("Transpose", {taken}, {{"perm", permutation}}), sample_extents(y));
}

void export_operator(const ops::SpaceToDepth& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const Shape& y = node.result();
  const bool channels_first = op.order == ops::DepthOrder::crd;
  if (x.spatial_rank() == 2 && !channels_first) {
    return node.finish("SpaceToDepth", {node.x()}, {{"blocksize", op.block}});
  }
  // N c s0 b0 s1 b1 ...
  std::vector<int64_t> extents = {x[1]}, in_block, of_block;
  for (int i = 0; i < x.spatial_rank(); ++i) {
    extents.push_back(y.spatial(i));
    extents.push_back(op.block);
    of_block.push_back(2 + 2 * i);
    in_block.push_back(3 + 2 * i);
  }
  std::vector<int64_t> permutation = {0};
  if (channels_first) permutation.push_back(1);
  permutation.insert(permutation.end(), in_block.begin(), in_block.end());
  if (!channels_first) permutation.push_back(1);
  permutation.insert(permutation.end(), of_block.begin(), of_block.end());
  const std::string taken = node.reshaped(node.x(), extents);
  node.finish_reshaped(node.step("Transpose", {taken}, {{"perm", permutation}}), sample_extents(y));
}

void export_operator(const ops::Resize& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const Shape& y = node.result();
  const auto word = [](auto value) {
    return std::string(dsl::names_of(value).at(static_cast<std::size_t>(value)));
  };
  const bool is_nearest = op.interpolation == ops::Interpolation::nearest;
  ModelAttributes attributes = {{"mode", word(op.interpolation)},
                                {"coordinate_transformation_mode", word(op.coordinates)}};
  if (is_nearest) {
    const bool prefers =
        op.rounding == ops::Rounding::prefer_floor || op.rounding == ops::Rounding::prefer_ceil;
    attributes.push_back({"nearest_mode", (prefers ? "round_" : "") + word(op.rounding)});
  }
  std::vector<float> scales = {1, 1};
  bool is_whole = true;  // as factors, which do not ask for the batch
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    const bool has_size = op.size[axis] != 0;
    is_whole = is_whole && (!has_size || y.spatial(axis) % x.spatial(axis) == 0);
    scales.push_back(has_size
                         ? static_cast<float>(y.spatial(axis)) / static_cast<float>(x.spatial(axis))
                         : op.scale[axis]);
  }
  if (!is_whole)
    return node.finish("Resize", {node.x(), "", "", shape_with_batch(node, y)}, attributes);
  const auto count = static_cast<int64_t>(scales.size());
  const std::string factors = node.model().fresh(std::string(node.node().name.view()) + ".scales");
  node.model().add_values(factors, {count}, scales);
  node.finish("Resize", {node.x(), "", factors}, attributes);
}

}  // namespace halcyon::compiler
