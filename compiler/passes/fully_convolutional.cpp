/// A trained classifier slides over a larger picture in one run.
///
///   14x14x3 | conv 5 | max_pool 2 | flatten | dense 400 | dense 4      -> 4 scores
///   16x16x3 | conv 5 | max_pool 2 | conv 5 (400) | conv 1 (4)          -> 2 x 2 x 4 scores
///
/// A dense layer behind flatten is a convolution whose kernel is the whole map, one behind another
/// dense layer a convolution of 1x1. So wherever the small network would have been put on the
/// picture, at multiples of its stride, its answer stands in the larger output. Two rules keep it
/// so: a pool that covers the whole map becomes a window of the size that the map had, moved by one
/// position; and an operator that mixes the whole map in any other way is refused. Only what lies
/// beyond the small picture differs: layers that pad see the neighbours there instead of zeros.

#include <algorithm>
#include <map>
#include <optional>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

[[noreturn]] void refuse(const Node& node, const std::string& why, const std::string& hint) {
  throw UserError(describe(name_of(node.op), node.name, node.place) +
                      " cannot slide over a larger picture: " + why,
                  hint);
}

[[noreturn]] void refuse_whole_map(const Node& node) {
  refuse(node, "it depends on the whole map",
         "layers that look at a window or a position slide, and so do flatten with dense behind it "
         "and global pools");
}

std::string extents_text(const Shape& shape) {
  std::string text;
  for (int axis = 2; axis < shape.rank; ++axis) {
    text += (axis > 2 ? "x" : "") + std::to_string(shape[axis]);
  }
  return text;
}

bool same_extents(const Shape& a, const Shape& b) {
  if (a.rank != b.rank) return false;
  for (int axis = 2; axis < a.rank; ++axis) {
    if (a[axis] != b[axis]) return false;
  }
  return true;
}

/// The one picture that the network reads.
int32_t find_picture(const Graph& graph) {
  std::vector<int32_t> inputs;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    if (std::holds_alternative<ops::Input>(graph.node(id).op)) inputs.push_back(id);
  }
  if (inputs.size() != 1) {
    throw UserError("network '" + std::string(graph.name.view()) + "' has " +
                    std::to_string(inputs.size()) +
                    " inputs, only a network with one can slide over a larger picture");
  }
  return inputs[0];
}

/// The input's shape with the extents that the user gave.
Shape picture_shape(const Node& input, const std::vector<int64_t>& extents) {
  const Shape& own = input.outputs[0];
  const auto spatial = static_cast<std::size_t>(own.spatial_rank());
  const std::string where = describe(name_of(input.op), input.name, input.place);
  if (spatial == 0) {
    refuse(input, "it has no spatial axes",
           "only pictures, volumes and series have something to slide over");
  }
  if (extents.size() < spatial || extents.size() > spatial + 1) {
    throw UserError(where + ": " + std::to_string(extents.size()) + " numbers for a picture of " +
                        extents_text(own) + ", expected " + std::to_string(spatial) + " or " +
                        std::to_string(spatial + 1),
                    "one for each spatial axis, and the channels if you like");
  }
  Shape larger = own;
  for (std::size_t i = 0; i < spatial; ++i) larger[static_cast<int>(i) + 2] = extents[i];
  if (extents.size() > spatial && extents[spatial] != own[1]) {
    throw UserError(where + ": the picture has " + std::to_string(extents[spatial]) +
                    " channels, the network is made for " + std::to_string(own[1]));
  }
  for (int axis = 2; axis < own.rank; ++axis) {
    if (larger[axis] < own[axis]) {
      throw UserError(where + ": a picture of " + extents_text(larger) +
                          " is smaller than the one that the network is made for, " +
                          extents_text(own),
                      "each axis needs at least the network's own extent");
    }
  }
  return larger;
}

class Slider {
 public:
  Slider(const Graph& graph, const Shape& picture) : graph_(graph), picture_(picture) {
    for (int32_t id = 0; id < graph.node_count(); ++id) {
      find_flattened(id);
      find_kernel(id);
    }
  }

  Graph run() {
    Rewriter rewriter(graph_, [&](int32_t id, const Node& node, const Rewriter::Values& inputs,
                                  Graph& copy) { return slide(id, node, inputs, copy); });
    for (const Output& o : graph_.outputs) {
      if (!flattened_.contains(o.value)) continue;
      refuse(graph_.node(o.value),
             "the output '" + std::string(o.name.view()) + "' is a flattened map",
             "make the map the output");
    }
    return rewriter.take();
  }

 private:
  // ---- what becomes of flattened maps and of the weights that read them

  /// Remembers which values are maps that stand in a row, through functions of one position.
  void find_flattened(int32_t id) {
    const Node& node = graph_.node(id);
    if (std::holds_alternative<ops::Flatten>(node.op)) {
      const Shape& map = graph_.shape(node.inputs[0]);
      if (map.elements() > map[1]) flattened_[{id, 0}] = map;
    } else if (std::holds_alternative<ops::Pointwise>(node.op)) {
      for (Value v : node.inputs) {
        if (flattened_.contains(v)) flattened_[{id, 0}] = flattened_.at(v);
      }
    }
  }

  /// The filters that a dense layer's weight [K,C*R*S] is: [K,C,R,S].
  void find_kernel(int32_t id) {
    const Node& node = graph_.node(id);
    const auto* dense = std::get_if<ops::Dense>(&node.op);
    if (dense == nullptr) return;
    const Value weight = node.inputs[1];
    if (!std::holds_alternative<ops::Parameter>(graph_.node(weight).op)) {
      refuse(node, "its weight is computed", "give it a weight that is a parameter");
    }
    Shape filters = {dense->units, graph_.shape(node.inputs[0])[1]};
    for (int axis = 2; axis < picture_.rank; ++axis) filters.push_back(1);
    if (const auto map = flattened_.find(node.inputs[0]); map != flattened_.end()) {
      filters = map->second;
      filters[0] = dense->units;
    }
    const auto [known, is_new] = kernels_.emplace(weight, filters);
    if (!is_new && !(known->second == filters)) {
      refuse(node, "its weight is shared with a layer that reads another map",
             "give each layer a weight of its own");
    }
  }

  // ---- one node after the other

  Rewriter::Values slide(int32_t id, const Node& node, const Rewriter::Values& inputs,
                         Graph& copy) const {
    const auto replace = [&](const Op& op, const Rewriter::Values& read) -> Rewriter::Values {
      return {{copy.add(op, read, node.name, node.place), 0}};
    };
    if (const auto* input = std::get_if<ops::Input>(&node.op)) {
      ops::Input larger = *input;
      larger.shape = picture_;
      return replace(larger, {});
    }
    if (const auto* parameter = std::get_if<ops::Parameter>(&node.op)) {
      return slide_parameter({id, 0}, *parameter, replace);
    }
    if (is_weight(node)) return {};
    if (std::holds_alternative<ops::Flatten>(node.op)) return inputs;
    if (const auto* dense = std::get_if<ops::Dense>(&node.op)) {
      const Shape& filters = kernels_.at(node.inputs[1]);
      ops::Conv conv{.filters = dense->units, .kernel = {}};
      for (int axis = 2; axis < filters.rank; ++axis) conv.kernel.push_back(filters[axis]);
      return replace(conv, inputs);
    }
    refuse_flattened(node);
    if (const auto* slice = std::get_if<ops::Slice>(&node.op)) {
      return replace(slid_slice(*slice, node, copy.shape(inputs[0])), inputs);
    }
    const std::optional<Op> op = slid(node);
    if (!op) refuse_whole_map(node);
    check_extents(node, inputs, copy);
    return replace(*op, inputs);
  }

  /// Computed from parameters alone.
  bool is_weight(const Node& node) const {
    return std::none_of(node.inputs.begin(), node.inputs.end(),
                        [&](Value v) { return graph_.shape(v).has_batch(); });
  }

  template <class Replace>
  Rewriter::Values slide_parameter(Value v, const ops::Parameter& op,
                                   const Replace& replace) const {
    const auto kernel = kernels_.find(v);
    if (kernel == kernels_.end()) return {};
    const auto others =
        std::count_if(graph_.nodes().begin(), graph_.nodes().end(), [&](const Node& reader) {
          return !std::holds_alternative<ops::Dense>(reader.op) &&
                 std::find(reader.inputs.begin(), reader.inputs.end(), v) != reader.inputs.end();
        });
    if (others > 0) {
      refuse(graph_.node(v), "more than dense layers read it",
             "give each layer a weight of its own");
    }
    ops::Parameter filters = op;
    filters.file_shape = op.shape;
    filters.shape = kernel->second;
    return replace(filters, {});
  }

  /// Of a map in a row only functions of one position slide: what else reads it would take the
  /// positions of the larger map for more channels.
  void refuse_flattened(const Node& node) const {
    for (Value v : node.inputs) {
      const auto map = flattened_.find(v);
      if (map == flattened_.end()) continue;
      bool slides = std::holds_alternative<ops::Pointwise>(node.op);
      for (Value other : node.inputs) {
        const auto beside = flattened_.find(other);
        slides = slides && (beside == flattened_.end() ? graph_.shape(other).elements() == 1
                                                       : beside->second == map->second);
      }
      if (!slides) {
        refuse(node, "it reads a flattened map of " + extents_text(map->second),
               "only dense layers and functions of one position may stand behind flatten");
      }
    }
  }

  /// The operator that does on the larger map what `node` does on its own, or nothing.
  std::optional<Op> slid(const Node& node) const {
    return std::visit([&](const auto& op) { return slid(op, node); }, node.op);
  }

  template <class Operator>
  std::optional<Op> slid(const Operator& op, const Node& node) const {
    constexpr bool kLooksAtPositionsOrWindows =
        is_one_of<Operator, ops::Softmax, ops::LogSoftmax, ops::L2Normalize, ops::BatchNorm,
                  ops::ChannelShuffle, ops::Conv, ops::ConvTranspose, ops::DepthToSpace,
                  ops::SpaceToDepth, ops::Stencil>;
    if constexpr (std::is_base_of_v<ops::PoolWindow, Operator>) {
      return slid_pool(op, shape_of(node));
    } else if constexpr (std::is_same_v<Operator, ops::Reduce>) {
      return slid_reduction(op, node);
    } else if constexpr (std::is_same_v<Operator, ops::Pointwise>) {
      return repeats_whole_maps(node) ? std::nullopt : std::optional<Op>(op);
    } else if constexpr (std::is_same_v<Operator, ops::Concat>) {
      return op.axis == 1 ? std::optional<Op>(op) : std::nullopt;
    } else if constexpr (is_one_of<Operator, ops::Pad, ops::LocalResponseNorm>) {
      return shape_of(node).rank > 2 ? std::optional<Op>(op) : std::nullopt;
    } else if constexpr (std::is_same_v<Operator, ops::Resize>) {
      const bool by_scale = op.size == Spatial(0);
      return by_scale && op.coordinates != ops::Coordinates::align_corners ? std::optional<Op>(op)
                                                                           : std::nullopt;
    } else if constexpr (kLooksAtPositionsOrWindows) {
      return op;
    } else {
      return std::nullopt;
    }
  }

  template <class T, class... Others>
  static constexpr bool is_one_of = (std::is_same_v<T, Others> || ...);

  const Shape& shape_of(const Node& node) const { return graph_.shape(node.inputs[0]); }

  /// A pool that covers its whole map moves by one position: it has no stride of its own.
  template <class Pool>
  static Pool slid_pool(Pool pool, const Shape& x) {
    bool covers = true;
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      covers = covers && pool.reach(axis) + 1 == x.spatial(axis) && pool.pad_begin[axis] == 0 &&
               pool.pad_end[axis] == 0;
    }
    if (covers) pool.stride = 1;
    return pool;
  }

  /// A mean or maximum over spatial axes is a window as large as they were.
  std::optional<Op> slid_reduction(const ops::Reduce& op, const Node& node) const {
    const Shape& x = shape_of(node);
    const bool channels_alone = op.axes.rank == 1 && op.axes[0] == 1;
    if (channels_alone) return op.keep_dims ? std::optional<Op>(op) : std::nullopt;
    if (rules::is_reduced(op.axes, 1)) return std::nullopt;
    // Axes that are left out must leave [N,C].
    if (!op.keep_dims && node.outputs[0].rank != 2) return std::nullopt;
    ops::PoolWindow window;
    window.stride = 1;
    window.kernel = Spatial();
    for (int axis = 2; axis < x.rank; ++axis) {
      window.kernel.push_back(rules::is_reduced(op.axes, axis) ? x[axis] : 1);
    }
    if (op.kind == ops::ReduceKind::mean) return ops::AveragePool{window};
    if (op.kind == ops::ReduceKind::max) return ops::MaxPool{window};
    return std::nullopt;
  }

  /// A slice keeps its distance from both borders.
  ops::Slice slid_slice(const ops::Slice& op, const Node& node, const Shape& larger) const {
    const Shape& x = shape_of(node);
    ops::Slice slid{.begin = SampleAxes(), .end = SampleAxes(), .step = SampleAxes()};
    for (int axis = 1; axis < larger.rank; ++axis) {
      const bool is_there = axis < x.rank;  // scores have become a map
      const int64_t own = is_there ? x[axis] : 1;
      const int64_t step = is_there ? op.step[axis - 1] : 1;
      if (axis > 1 && step < 0) refuse_whole_map(node);
      slid.begin.push_back(is_there ? op.begin[axis - 1] : 0);
      slid.end.push_back((is_there ? op.end[axis - 1] : 1) + larger[axis] - own);
      slid.step.push_back(step);
    }
    return slid;
  }

  /// True where one value stands for a whole map, as a gate does, or where a parameter has a value
  /// for each position.
  bool repeats_whole_maps(const Node& node) const {
    const Shape& y = node.outputs[0];
    for (Value v : node.inputs) {
      const Shape& x = graph_.shape(v);
      const Shape own = rules::aligned(x, y.rank);
      for (int axis = 2; axis < y.rank; ++axis) {
        if (own[axis] != (x.has_batch() ? y[axis] : 1)) return true;
      }
    }
    return false;
  }

  /// Maps of the same extents in the small network must have them in the large one, too.
  void check_extents(const Node& node, const Rewriter::Values& inputs, const Graph& copy) const {
    const Shape* first = nullptr;
    for (Value v : inputs) {
      const Shape& x = copy.shape(v);
      if (!x.has_batch()) continue;
      if (first == nullptr) first = &x;
      if (!same_extents(*first, x)) {
        refuse(node,
               "its inputs become maps of " + extents_text(*first) + " and " + extents_text(x),
               "they come from layers that move by different strides");
      }
    }
  }

  const Graph& graph_;
  const Shape picture_;
  std::map<Value, Shape> flattened_;  ///< the map that stands in a row
  std::map<Value, Shape> kernels_;    ///< of dense weights: as filters
};

}  // namespace

Graph fully_convolutional(const Graph& graph, const std::vector<int64_t>& extents) {
  Program program;
  program.graph = graph;
  drop_training(program, {});
  remove_dead_nodes(program, {});
  const int32_t input = find_picture(program.graph);
  const Shape picture = picture_shape(program.graph.node(input), extents);
  if (picture == program.graph.node(input).outputs[0]) return graph;
  return Slider(program.graph, picture).run();
}

}  // namespace halcyon::compiler
