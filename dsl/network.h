#pragma once
/// Network and Tensor: the builder that users touch. Layers (dsl/layers.h) are applied with `|`.
///
///   constexpr Network tiny() {
///     Network net("tiny");
///     Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 1});
///     net.output("scores", x | conv(4, 3) | relu | flatten | dense(10) | softmax);
///     return net;
///   }

#include <string_view>
#include <utility>
#include <vector>

#include "dsl/graph.h"
#include "dsl/initializer.h"

namespace halcyon::dsl {

class Network;

/// A symbolic value: a handle into the network that is being built.
struct Tensor {
  Network* network = nullptr;
  Value value;

  constexpr Shape shape() const;
  constexpr int64_t channels() const { return shape()[1]; }
};

/// How the host keeps pictures in memory: channels last (HWC) or first (CHW).
enum class Order { hwc, chw };

struct Image {
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 1;
  Order order = Order::hwc;
};

class Network {
 public:
  constexpr explicit Network(std::string_view name) {
    if (!is_c_identifier(name)) mistakes::name_is_not_a_c_identifier(FixedString(name).text);
    graph_.name = name;
  }

  /// A picture. Shapes: [N,C,H,W] in the graph; in memory as `image.order` says.
  constexpr Tensor input(std::string_view name, Image image, Place place = Place::here()) {
    return source(name, place,
                  {.shape = {kBatch, image.channels, image.height, image.width},
                   .channels_last = image.order == Order::hwc});
  }

  /// Any other input; `shape` without the batch, channels first: {C}, {C,W} or {C,D,H,W}.
  constexpr Tensor input(std::string_view name, const Shape& shape, Place place = Place::here()) {
    return source(name, place, {.shape = with_batch(shape), .channels_last = false});
  }

  /// One class number per sample. Shapes: [N] of i32. The loss that reads it sets the number of
  /// classes.
  constexpr Tensor labels(std::string_view name, Place place = Place::here()) {
    return source(name, place, {.shape = {kBatch}, .dtype = DType::i32, .target = true});
  }

  /// Wanted values for a regression loss; `shape` without the batch.
  constexpr Tensor target(std::string_view name, const Shape& shape, Place place = Place::here()) {
    return source(name, place,
                  {.shape = with_batch(shape), .channels_last = false, .target = true});
  }

  /// A weight or bias of the given shape. Errors: given values of another number.
  constexpr Tensor parameter(std::string_view name, const Shape& shape, Initializer init,
                             Place place = Place::here()) {
    const Distribution drawn = resolve(init, shape);
    ops::Parameter op{
        .id = parameter_count_++, .shape = shape, .init = drawn.kind, .scale = drawn.scale};
    if (drawn.kind == ops::InitKind::values) {
      const auto found = static_cast<int64_t>(init.given.size());
      if (found != shape.elements()) {
        mistakes::number_of_values_does_not_match(found, shape.elements());
      }
      op.values = static_cast<int64_t>(graph_.constants.size());
      graph_.constants.push_back(std::move(init.given));
    }
    return add(op, {}, FixedString(name), place);
  }

  constexpr void output(std::string_view name, Tensor x) {
    check_mine(x);
    graph_.outputs.push_back({FixedString(name), x.value});
  }

  /// A loss to minimise; heads beside the main one carry their own weight.
  constexpr void loss(std::string_view name, Tensor x, float weight = 1) {
    check_mine(x);
    graph_.losses.push_back({FixedString(name), x.value, weight});
  }

  /// For layers: appends a node and returns its first output.
  constexpr Tensor add(Op op, std::vector<Value> inputs, FixedString name, Place place) {
    return {this, {graph_.add(std::move(op), std::move(inputs), name, place), 0}};
  }

  /// `given`, or "conv1", "conv2", ... where no name is given. Errors: a given name that is taken.
  constexpr FixedString unique_name(const FixedString& given, std::string_view kind) {
    if (!given.empty()) {
      for (const FixedString& taken : given_names_) {
        if (taken == given) mistakes::name_is_already_taken(given.text);
      }
      given_names_.push_back(given);
      return given;
    }
    for (auto& [known, count] : counters_) {
      if (known == kind) return numbered(kind, ++count);
    }
    counters_.push_back({kind, 1});
    return numbered(kind, 1);
  }

  constexpr Graph& graph() { return graph_; }
  constexpr const Graph& graph() const { return graph_; }

  // What a paper's table holds, for static_assert.

  constexpr int64_t parameter_count() const { return graph_.parameter_count(); }
  constexpr int64_t macs() const { return graph_.macs(); }

  /// Shape of the layer of that name, [N,C,H,W]; rank 0 when there is none.
  constexpr Shape shape(std::string_view layer) const {
    for (const Node& n : graph_.nodes()) {
      if (n.name == layer && !n.outputs.empty()) return n.outputs[0];
    }
    return {};
  }

  /// Number of values of the parameters named "layer.*".
  constexpr int64_t parameters(std::string_view layer) const {
    int64_t count = 0;
    for (const Node& n : graph_.nodes()) {
      const auto* p = std::get_if<ops::Parameter>(&n.op);
      const std::string_view name = n.name;
      if (p != nullptr && name.size() > layer.size() && name.substr(0, layer.size()) == layer &&
          name[layer.size()] == '.') {
        count += p->shape.elements();
      }
    }
    return count;
  }

 private:
  struct Counter {
    std::string_view kind;
    int64_t count;
  };

  static constexpr bool is_c_identifier(std::string_view name) {
    if (name.empty() || name.size() > 40) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      const bool digit = c >= '0' && c <= '9';
      if (!letter && !(digit && i > 0)) return false;
    }
    return true;
  }

  static constexpr Shape with_batch(const Shape& shape) {
    Shape full = {kBatch};
    for (int axis = 0; axis < shape.rank; ++axis) full.push_back(shape[axis]);
    return full;
  }

  static constexpr FixedString numbered(std::string_view kind, int64_t number) {
    FixedString name(kind);
    name.append(number);
    return name;
  }

  constexpr Tensor source(std::string_view name, Place place, ops::Input op) {
    return add(op, {}, unique_name(FixedString(name), name), place);
  }

  constexpr void check_mine(const Tensor& x) const {
    if (x.network != this) mistakes::tensors_of_different_networks();
  }

  Graph graph_;
  std::vector<Counter> counters_;
  std::vector<FixedString> given_names_;
  int64_t parameter_count_ = 0;
};

constexpr Shape Tensor::shape() const { return network->graph().shape(value); }

}  // namespace halcyon::dsl
