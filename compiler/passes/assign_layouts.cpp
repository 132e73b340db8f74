/// Chooses the physical form of every stored value.
///
/// Activations are cut into channel blocks of the vector width, or of the next power of two where
/// there are fewer channels. What the host holds keeps the host's order. A value that a padded
/// convolution reads gets a halo as wide as the widest padding. Weights follow from the activation
/// that they meet; gradients from their weight.

#include <algorithm>
#include <set>

#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// How far a stencil reads beyond the border, as padding.
struct StencilReach {
  Spatial pad_begin, pad_end;

  StencilReach(const Stencil& stencil, int rank) {
    for (int axis = 0; axis < rank; ++axis) {
      pad_begin.push_back(stencil.before(axis));
      pad_end.push_back(stencil.after(axis));
    }
  }
};

/// How far the tiles of a Winograd convolution read beyond the border, as padding.
struct TileReach {
  Spatial pad_begin, pad_end = 0;

  TileReach(const ops::WinogradConv& conv, const Shape& x, const Shape& y)
      : pad_begin(conv.pad_begin) {
    for (int axis = 0; axis < 2; ++axis) {
      pad_end[axis] = std::max<int64_t>(0, conv.reach_end(axis, x.spatial(axis), y.spatial(axis)));
    }
  }
};

class LayoutAssigner {
 public:
  LayoutAssigner(Program& program, const Target& target)
      : program_(program), graph_(program.graph), width_(target.vector_width) {}

  void run() {
    for (int32_t id = 0; id < graph_.node_count(); ++id) assign_activations(id);
    assign_halos();
    for (const auto& [view, source] : program_.views) show(view, source);
    // Forward weights first: gradients take their layout from the parameter that they update.
    for (int32_t id = 0; id < graph_.node_count(); ++id) assign_weights_read_by(id);
    for (const Node& node : graph_.nodes()) assign_flipped(node);
    for (int32_t id = graph_.node_count() - 1; id >= 0; --id) assign_parts_of(id);
    assign_gradients();
  }

 private:
  void assign_activations(int32_t id) {
    const Node& node = graph_.node(id);
    for (int32_t o = 0; o < static_cast<int32_t>(node.outputs.size()); ++o) {
      const Shape& shape = node.outputs[static_cast<std::size_t>(o)];
      if (!shape.has_batch()) continue;
      Layout layout{.shape = shape};
      layout.block = natural_block(layout.channels(), width_);
      if (const auto* input = std::get_if<ops::Input>(&node.op)) {
        layout.dtype = input->dtype;
        const bool one_block = input->channels_last || shape.rank == 2;
        layout.block = one_block ? layout.channels() : 1;
      }
      if (const auto* pool = std::get_if<ops::MaxPool>(&node.op); pool != nullptr && o == 1) {
        layout.dtype = pool->position_type(shape);
      }
      const auto output =
          std::find_if(graph_.outputs.begin(), graph_.outputs.end(), [&](const Output& out) {
            return out.value == Value{id, o};
          });
      if (output != graph_.outputs.end()) {
        const bool one_block = output->channels_last || shape.rank == 2;
        layout.block = one_block ? layout.channels() : 1;
      }
      if (const auto slot = program_.slots.find({id, o}); slot != program_.slots.end()) {
        layout.first_block = slot->second.first_block;
        layout.buffer_blocks =
            program_.buffer_blocks.at(static_cast<std::size_t>(slot->second.buffer));
      }
      program_.layouts[{id, o}] = layout;
    }
  }

  /// Values in one buffer have one halo: the widest that is asked for, unless one of them can have
  /// none.
  void assign_halos() {
    for (int32_t id = 0; id < graph_.node_count(); ++id) widen_halos(id);
    std::map<int32_t, std::vector<Value>> buffers;
    for (const auto& [v, slot] : program_.slots) buffers[slot.buffer].push_back(v);
    for (const auto& [buffer, members] : buffers) {
      for (Value v : members) widen_like(members.front(), program_.layouts.at(v));
      for (Value v : members) widen_like(v, program_.layouts.at(members.front()));
    }
    std::set<int32_t> without;
    for (auto& [v, layout] : program_.layouts) {
      if (halo_is_worth_it(v, layout)) continue;
      layout.before = layout.after = {};
      if (const auto slot = program_.slots.find(v); slot != program_.slots.end())
        without.insert(slot->second.buffer);
    }
    for (int32_t buffer : without) {
      for (Value v : buffers.at(buffer)) {
        program_.layouts.at(v).before = program_.layouts.at(v).after = {};
      }
    }
  }

  void widen_like(Value v, const Layout& other) {
    Layout& layout = program_.layouts.at(v);
    for (std::size_t a = 0; a < layout.before.size(); ++a) {
      layout.before[a] = std::max(layout.before[a], other.before[a]);
      layout.after[a] = std::max(layout.after[a], other.after[a]);
    }
  }

  template <class Window>
  void widen(Value x, const Window& window) {
    Layout& layout = program_.layouts.at(x);
    for (int axis = 0; axis < layout.spatial_rank(); ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      layout.before[a] = std::max(layout.before[a], window.pad_begin[axis]);
      layout.after[a] = std::max(layout.after[a], window.pad_end[axis]);
    }
  }

  void widen_halos(int32_t id) {
    const Node& node = graph_.node(id);
    if (const auto* conv = std::get_if<ops::Conv>(&node.op)) widen(node.inputs[0], *conv);
    if (const auto* grad = std::get_if<ops::ConvWeightGrad>(&node.op)) widen(node.inputs[0], *grad);
    if (const auto* conv = std::get_if<ops::WinogradConv>(&node.op)) {
      widen(node.inputs[0], TileReach(*conv, graph_.shape(node.inputs[0]), node.outputs[0]));
    }
    const auto* stencil = std::get_if<ops::Stencil>(&node.op);
    if (stencil != nullptr && stencil->border == Border::zero) {
      widen(node.inputs[0], StencilReach(stencil->formula, node.outputs[0].spatial_rank()));
    }
  }

  /// A halo is worth storing where it is small. A kernel pads by itself what is mostly halo, what
  /// the host holds and what is flattened, which must be dense.
  bool halo_is_worth_it(Value v, const Layout& layout) const {
    const Op& op = graph_.node(v).op;
    bool dense =
        std::holds_alternative<ops::Input>(op) || std::holds_alternative<ops::Unflatten>(op);
    for (const auto& [view, source] : program_.views) dense = dense || source == v;
    const int64_t inside =
        layout.blocks() * layout.block * (layout.shape.elements() / layout.channels());
    return !dense && 4 * layout.sample_elements() < 9 * inside;
  }

  /// A flattened value keeps the form of its map; a dense layer behind which a map is seen writes
  /// the map's form.
  void show(Value view, Value source) {
    if (std::holds_alternative<ops::Unflatten>(graph_.node(view).op)) {
      program_.layouts[source] = program_.layouts.at(view);
    } else {
      program_.layouts[view] = program_.layouts.at(program_.stored(source));
    }
  }

  /// The layout of a weight whose filters are samples of `x` cut to [channels, kernel].
  WeightLayout conv_weight(const Shape& weight, const Layout& x, int64_t groups) const {
    WeightLayout layout;
    layout.filters = weight[0];
    layout.filter_block = natural_block(weight[0], width_);
    layout.sample.shape = weight;
    layout.sample.shape[0] = kBatch;
    layout.sample.block = groups == 1 || weight[1] % x.block == 0 ? x.block : weight[1];
    return layout;
  }

  WeightLayout dense_weight(int64_t units, const Layout& x) const {
    return {.filters = units, .filter_block = natural_block(units, width_), .sample = x.alone()};
  }

  WeightLayout bias(int64_t filters) const {
    WeightLayout layout;
    layout.filters = filters;
    layout.filter_block = natural_block(filters, width_);
    layout.sample.shape = {kBatch, 1};
    return layout;
  }

  /// A parameter that is repeated along the batch of `y`: it lies as a single sample of y would.
  WeightLayout repeated(const Shape& parameter, const Shape& y) const {
    WeightLayout layout;
    layout.sample.shape = rules::aligned(parameter, y.rank);
    layout.sample.shape[0] = kBatch;
    layout.sample.block = natural_block(layout.sample.channels(), width_);
    return layout;
  }

  void set_weight(Value v, const WeightLayout& layout) {
    const auto [it, is_new] = program_.weights.emplace(v, layout);
    if (!is_new && !(it->second == layout)) {
      throw UserError(describe("parameter", graph_.node(v).name, graph_.node(v).place) +
                          " is shared by layers that need it in different layouts: " +
                          to_string(it->second) + " and " + to_string(layout),
                      "give each layer a parameter of its own");
    }
  }

  void assign_weights_read_by(int32_t id) {
    const Node& node = graph_.node(id);
    const auto layout_of = [&](Value v) { return program_.layouts.at(v); };
    // One number for each channel or filter: a bias, or what a normalisation reads.
    for (Value v : node.inputs) {
      const Shape& shape = graph_.shape(v);
      if (shape.rank == 1 && !shape.has_batch()) set_weight(v, bias(shape[0]));
    }
    if (const auto* conv = std::get_if<ops::Conv>(&node.op)) {
      set_weight(node.inputs[1], conv_weight(graph_.shape(node.inputs[1]),
                                             layout_of(node.inputs[0]), conv->groups));
    }
    if (const auto* conv = std::get_if<ops::WinogradConv>(&node.op)) {
      set_weight(node.inputs[1], conv_weight(graph_.shape(node.inputs[1]),
                                             layout_of(node.inputs[0]), conv->groups));
    }
    if (const auto* dense = std::get_if<ops::Dense>(&node.op)) {
      WeightLayout layout = dense_weight(dense->units, layout_of(node.inputs[0]));
      // The gradient towards a flattened map is written in the map's own order.
      const Layout& y = layout_of({id, 0});
      if (y.spatial_rank() > 0) {
        layout.filters = y.sample_elements();
        layout.filter_block =
            y.block;  // divides the map, so that no sample is written past its end
      }
      check_transposed(node.inputs[1], y);
      set_weight(node.inputs[1], layout);
    }
    if (std::holds_alternative<ops::Pointwise>(node.op) && node.outputs[0].has_batch()) {
      for (Value v : node.inputs) {
        const Shape& shape = graph_.shape(v);
        if (!shape.has_batch() && shape.rank > 1) set_weight(v, repeated(shape, node.outputs[0]));
      }
    }
  }

  /// Position by position: what is computed from parameters alone has the layout of all its parts.
  bool has_layout_of_parts(const Op& op) const {
    return std::holds_alternative<ops::Pointwise>(op) || std::holds_alternative<ops::Copy>(op);
  }

  /// From readers, which know the layout that they need, to what they read.
  void assign_parts_of(int32_t id) {
    const Node& node = graph_.node(id);
    const auto known = program_.weights.find({id, 0});
    if (known == program_.weights.end()) return;
    const WeightLayout layout = known->second;
    if (std::holds_alternative<ops::ScaleFilters>(node.op)) set_weight(node.inputs[0], layout);
    if (std::holds_alternative<ops::WinogradFilters>(node.op)) {
      // Filters of the window's size, cut into the blocks of the transformed ones.
      WeightLayout own = layout;
      own.filters = graph_.shape(node.inputs[0])[0];
      own.sample.shape = graph_.shape(node.inputs[0]);
      own.sample.shape[0] = kBatch;
      set_weight(node.inputs[0], own);
    }
    for (Value part : node.inputs) {
      if (has_layout_of_parts(node.op)) set_weight(part, layout);
      if (!std::holds_alternative<ops::StackFilters>(node.op)) continue;
      WeightLayout own = layout;
      own.filters = graph_.shape(part)[0];
      own.filter_block = natural_block(own.filters, width_);
      set_weight(part, own);
    }
  }

  /// A transposed weight has the order of the map that its forward layer read: the result must have
  /// it too.
  void check_transposed(Value weight, const Layout& y) const {
    const Node& node = graph_.node(weight);
    if (!std::holds_alternative<ops::TransposeMatrix>(node.op)) return;
    const Layout& forward = program_.weights.at(node.inputs[0]).sample;
    if (forward.spatial_rank() == 0 || forward == y.alone()) return;
    throw InternalError("assign_layouts: " + describe("transpose_matrix", node.name, node.place) +
                        " gives " + to_string(forward) + ", its reader writes " + to_string(y));
  }

  /// The filter of a transposed convolution may be read by nothing else: then it has the form in
  /// which the convolution that leads back would read it.
  void assign_flipped(const Node& node) {
    const auto* flip = std::get_if<ops::FlipFilter>(&node.op);
    if (flip == nullptr || program_.weights.contains(node.inputs[0])) return;
    Layout y{.shape = {kBatch, node.outputs[0][0]}};
    y.block = natural_block(y.channels(), width_);
    set_weight(node.inputs[0], conv_weight(graph_.shape(node.inputs[0]), y, flip->groups));
  }

  /// Update reads parameters, then their gradients: each pair shares a layout.
  void assign_gradients() {
    for (const Node& node : graph_.nodes()) {
      if (!std::holds_alternative<ops::Update>(node.op)) continue;
      const std::size_t count = node.inputs.size() / 2;
      for (std::size_t i = 0; i < count; ++i) {
        set_gradient(node.inputs[count + i], program_.weights.at(node.inputs[i]));
      }
    }
  }

  /// The parts of a sum of gradients have its layout.
  void set_gradient(Value v, const WeightLayout& layout) {
    set_weight(v, layout);
    const Node& node = graph_.node(v);
    if (!has_layout_of_parts(node.op)) return;
    for (Value part : node.inputs) set_gradient(part, layout);
  }

  Program& program_;
  const Graph& graph_;
  int64_t width_;
};

}  // namespace

bool assign_layouts(Program& program, const PassContext& context) {
  program.layouts.clear();
  program.weights.clear();
  LayoutAssigner(program, context.target).run();
  return true;
}

}  // namespace halcyon::compiler
