#pragma once
/// The two rules that stand beside an operator's shape rule: what it means, and what its gradient
/// is.
///
/// `reference` computes one operator with plain loops and double accumulation: slow, and what every
/// kernel is held against. `gradient` appends ordinary nodes that compute the gradients of one
/// node's inputs. Neither knows Halide. The rules of dsl/ops/pool.h lie in compiler/ops/pool.cpp,
/// and so on; README.md tells how one is added.

#include <array>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/graph.h"
#include "runtime/base/abi.h"

namespace halcyon::compiler {

using dsl::Graph;
using dsl::Node;
using dsl::Op;
using dsl::Spatial;
using dsl::Value;
namespace ops = dsl::ops;

/// A tensor on the build machine. Row-major; labels and argmax are numbers like any other.
struct HostTensor {
  Shape shape;  ///< all extents are numbers, the batch too
  std::vector<double> values;
};
using HostTensors = std::vector<HostTensor>;
using HostInputs = std::span<const HostTensor>;

/// The shape with the number in place of kBatch.
inline Shape with_batch(Shape shape, int64_t batch) {
  if (shape.has_batch()) shape[0] = batch;
  return shape;
}

/// Zeros of a shape whose extents are all numbers.
inline HostTensor zeros(const Shape& shape) {
  return {shape, std::vector<double>(static_cast<std::size_t>(shape.elements()))};
}

/// What one node's gradient rule may see and do. Backward nodes are named "grad.<node>.<suffix>"
/// and carry the place of the forward node.
class GradientContext {
 public:
  /// `wanted`: one per input. `dy`: one per output; a Value{} where no gradient arrives.
  GradientContext(Graph& graph, int32_t node, std::vector<bool> wanted, std::vector<Value> dy,
                  float loss_weight)
      : graph_(graph),
        node_(node),
        wanted_(std::move(wanted)),
        dy_(std::move(dy)),
        loss_weight_(loss_weight) {}

  std::size_t input_count() const { return graph_.node(node_).inputs.size(); }
  Value x(std::size_t input) const { return graph_.node(node_).inputs.at(input); }
  Value y(int32_t output = 0) const { return {node_, output}; }
  Value dy(std::size_t output = 0) const { return dy_.at(output); }
  /// A copy: emitting moves the nodes.
  Shape shape(Value v) const { return graph_.shape(v); }
  /// The node that computes a value, until the next one is emitted.
  const Node& node(Value v) const { return graph_.node(v); }
  /// False for inputs that no trainable parameter stands behind: nothing is computed for them.
  bool wants(std::size_t input) const { return wanted_.at(input); }
  /// For losses, which have no dy: the factor of this one in the total.
  float loss_weight() const { return loss_weight_; }

  Value emit(const Op& op, std::vector<Value> inputs, std::string_view suffix) {
    const Node& forward = graph_.node(node_);
    const dsl::Place place = forward.place;
    FixedString name("grad.");
    name.append(forward.name.view());
    name.append(".");
    name.append(suffix);
    return {graph_.add(op, std::move(inputs), name, place), 0};
  }
  /// Several gradients of one input are summed.
  void add_gradient(std::size_t input, Value gradient) { gradients_.emplace_back(input, gradient); }
  const std::vector<std::pair<std::size_t, Value>>& gradients() const { return gradients_; }

  /// For what cannot be differentiated, found between a trainable parameter and a loss: UserError.
  [[noreturn]] void refuse(
      const std::string& what = "has no gradient",
      const std::string& hint =
          "it stands between a trainable parameter and a loss; use the "
          "layers of dsl/layers.h, or freeze the parameters in front of it") const {
    const Node& n = graph_.node(node_);
    throw UserError(dsl::describe(dsl::name_of(n.op), n.name, n.place) + " " + what, hint);
  }

 private:
  Graph& graph_;
  int32_t node_;
  std::vector<bool> wanted_;
  std::vector<Value> dy_;
  float loss_weight_;
  std::vector<std::pair<std::size_t, Value>> gradients_;
};

// Both rules of every operator.
//
// reference: inputs in, one tensor per output. Shapes of the inputs are those the shape rule
// accepted. Sources and Update compute no value: InternalError. MoveStatistics gives what it leaves
// in its first two inputs, RandomMask what it does in step 1 with seed 0. Errors of losses:
// UserError for a label that is no class.
//
// gradient: nodes are appended for wanted inputs alone. Operators that only differentiate makes
// refuse (UserError).
#define HALCYON_RULES(Operator)                                              \
  HostTensors reference(const ops::Operator&, HostInputs in, int64_t batch); \
  void gradient(const ops::Operator&, GradientContext& context);
HALCYON_OPERATORS(HALCYON_RULES)
#undef HALCYON_RULES

// The constraint keeps an operator from converting to Op, which would hide a missing rule.
HostTensors reference(const std::same_as<Op> auto& op, HostInputs in, int64_t batch) {
  return std::visit([&](const auto& o) { return reference(o, in, batch); }, op);
}

/// One step of the optimizer on one parameter; `state` has Update::state_slots() blocks.
/// Source: PyTorch's SGD, RMSprop and Adam; see update.cpp.
void update_reference(ops::Optimizer optimizer, const halcyon_hyper& hyper, std::vector<double>& p,
                      const std::vector<double>& g, std::span<std::vector<double>> state);

/// RandomMask in any step, with any seed; see halcyon_hyper.
HostTensor random_mask_reference(const ops::RandomMask& op, const HostTensor& x, uint64_t seed,
                                 int64_t step);

/// Takes a copy of the operator: emitting moves the node it came from.
void gradient(std::same_as<Op> auto op, GradientContext& context) {
  std::visit([&](const auto& o) { gradient(o, context); }, op);
}

namespace detail {

/// The shape rule asked with the batch as a symbol, answered with it as a number.
/// `in[0]` is an activation, the others are parameters.
template <class Op>
Shape output_shape(const Op& op, HostInputs in) {
  dsl::Shapes shapes;
  for (const HostTensor& t : in) shapes.push_back(t.shape);
  shapes[0][0] = kBatch;
  return with_batch(op.infer(shapes)[0], in[0].shape[0]);
}

/// Values of one channel of one sample: 1 where there are no spatial axes.
inline int64_t positions(const Shape& shape) {
  int64_t product = 1;
  for (int axis = 0; axis < shape.spatial_rank(); ++axis) product *= shape.spatial(axis);
  return product;
}

/// One tap of a sliding window that meets the input and not its padding; row-major positions.
struct Tap {
  std::size_t output, tap, input;
};

/// A window that slides over the spatial axes of x and makes those of y.
struct Window {
  Shape x, y;
  Spatial kernel = 1, stride = 1, dilation = 1, pad_begin = 0;
};

/// All taps of all windows: by output position, then by tap. One, two or three spatial axes.
inline std::vector<Tap> window_taps(const Window& window) {
  // The axes that are missing stand in front with an extent of one.
  std::array<int64_t, 3> x = {1, 1, 1}, y = x, kernel = x, stride = x, dilation = x, pad = {};
  const int rank = window.x.spatial_rank();
  for (int axis = 0; axis < rank; ++axis) {
    const auto a = static_cast<std::size_t>(axis + 3 - rank);
    x[a] = window.x.spatial(axis);
    y[a] = window.y.spatial(axis);
    kernel[a] = window.kernel[axis];
    stride[a] = window.stride[axis];
    dilation[a] = window.dilation[axis];
    pad[a] = window.pad_begin[axis];
  }
  const auto coordinates = [](int64_t position, const std::array<int64_t, 3>& extents) {
    return std::array<int64_t, 3>{position / (extents[1] * extents[2]),
                                  position / extents[2] % extents[1], position % extents[2]};
  };
  std::vector<Tap> taps;
  for (int64_t output = 0; output < y[0] * y[1] * y[2]; ++output) {
    const std::array<int64_t, 3> p = coordinates(output, y);
    for (int64_t tap = 0; tap < kernel[0] * kernel[1] * kernel[2]; ++tap) {
      const std::array<int64_t, 3> r = coordinates(tap, kernel);
      int64_t input = 0;
      bool inside = true;
      for (std::size_t a = 0; a < 3; ++a) {
        const int64_t i = p[a] * stride[a] + r[a] * dilation[a] - pad[a];
        inside = inside && i >= 0 && i < x[a];
        input = input * x[a] + i;
      }
      if (inside) {
        taps.push_back({static_cast<std::size_t>(output), static_cast<std::size_t>(tap),
                        static_cast<std::size_t>(input)});
      }
    }
  }
  return taps;
}

}  // namespace detail
}  // namespace halcyon::compiler
