#pragma once
/// Network and Tensor: the builder that users touch. Layers (dsl/layers.h) are applied with `|`.
///
///   constexpr Network tiny() {
///     Network net("tiny");
///     Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 1});
///     net.output("scores", x | conv(4, 3) | relu | flatten | dense(10) | softmax);
///     return net;
///   }

#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/graph.h"
#include "dsl/initializer.h"

namespace halcyon::dsl::mistakes {

[[noreturn]] inline void there_is_no_such_output(int64_t number, int64_t count) {
  throw ShapeMistake{
      "output " + std::to_string(number) + " of an operator that has " + std::to_string(count),
      "the first is 0"};
}

}  // namespace halcyon::dsl::mistakes

namespace halcyon::dsl {

class Network;

/// A symbolic value: a handle into the network that is being built.
struct Tensor {
  Network* network = nullptr;
  Value value;

  /// Errors: a tensor that came from no network.
  constexpr Network& owner() const;
  constexpr Shape shape() const;
  constexpr int64_t channels() const { return shape()[1]; }
  /// Another output of the operator that this is one of. Errors: it has no output of that number.
  constexpr Tensor output(int32_t number) const;
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
  /// Errors: a name that is no C identifier of at most 40 characters.
  constexpr explicit Network(std::string_view name, Place place = Place::here()) {
    graph_.name = name;
    explain("network", graph_.name, place, {}, [&] {
      if (!is_c_identifier(name)) mistakes::name_is_not_a_c_identifier();
    });
  }

  /// A picture. Shapes: [N,C,H,W] in the graph; in memory as `image.order` says.
  constexpr Tensor input(std::string_view name, Image image, Place place = Place::here()) {
    return source(name, place,
                  {.shape = {kBatch, image.channels, image.height, image.width},
                   .channels_last = image.order == Order::hwc});
  }

  /// Any other input; `shape` without the batch, channels first: {C}, {C,W} or {C,D,H,W}.
  constexpr Tensor input(std::string_view name, const Shape& shape, Place place = Place::here()) {
    const Shape full = with_batch(name, extents_of(shape), place);
    return source(name, place, {.shape = full, .channels_last = false});
  }

  /// The same, so that `{3, 8}` is a shape and not an Image.
  constexpr Tensor input(std::string_view name, std::initializer_list<int64_t> shape,
                         Place place = Place::here()) {
    const Shape full = with_batch(name, {shape.begin(), shape.size()}, place);
    return source(name, place, {.shape = full, .channels_last = false});
  }

  /// One class number per sample. Shapes: [N] of i32. The loss that reads it sets the number of
  /// classes.
  constexpr Tensor labels(std::string_view name, Place place = Place::here()) {
    return source(name, place, {.shape = {kBatch}, .dtype = DType::i32, .target = true});
  }

  /// Wanted values for a regression loss; `shape` without the batch.
  constexpr Tensor target(std::string_view name, const Shape& shape, Place place = Place::here()) {
    const Shape full = with_batch(name, extents_of(shape), place);
    return source(name, place, {.shape = full, .channels_last = false, .target = true});
  }

  /// A weight or bias of the given shape. Errors: given values of another number.
  constexpr Tensor parameter(const FixedString& name, const Shape& shape, const Initializer& init,
                             const Place& place = Place::here()) {
    explain("parameter", name, place, {}, [&] {
      check_name(name);
      rules::check_size(shape);
      const auto found = static_cast<int64_t>(init.given.size());
      if (init.rule == Initializer::Rule::values && found != shape.elements()) {
        mistakes::number_of_values_does_not_match(found, shape);
      }
      check_finite("its initial value", {&init.value, 1});
      check_finite("one of its values", init.given);
    });
    const Distribution drawn = resolve(init, shape);
    ops::Parameter op{
        .id = parameter_count_++, .shape = shape, .init = drawn.kind, .scale = drawn.scale};
    if (drawn.kind == ops::InitKind::values) {
      op.values = static_cast<int64_t>(graph_.constants.size());
      graph_.constants.push_back(init.given);
    }
    return add(op, {}, name, place);
  }

  /// Numbers that never change, for add, mul and the like: one per channel {C}, per position {H,W},
  /// ... They are no parameters: no training step changes them, no weight file holds them.
  /// Errors: values of another number than the shape's.
  constexpr Tensor constant(std::string_view name, const Shape& shape, std::vector<float> values,
                            Place place = Place::here()) {
    const FixedString constant_name(name);
    explain("constant", constant_name, place, {}, [&] {
      check_name(constant_name);
      rules::check_size(shape);
      const auto found = static_cast<int64_t>(values.size());
      if (found != shape.elements()) mistakes::number_of_values_does_not_match(found, shape);
      check_finite("one of its values", values);
    });
    const ops::Constant op{.shape = shape, .values = static_cast<int64_t>(graph_.constants.size())};
    graph_.constants.push_back(std::move(values));
    return add(op, {}, constant_name, place);
  }

  /// What the host receives: [N,H,W,C], or [N,C,H,W] for Order::chw.
  /// Errors: a name that another output has.
  constexpr void output(std::string_view name, Tensor x, Order order = Order::hwc,
                        Place place = Place::here()) {
    const FixedString output_name(name);
    explain("output", output_name, place, {}, [&] {
      check_name(output_name);
      check_mine(x);
      for (const Output& other : graph_.outputs) {
        if (other.name == output_name) mistakes::name_is_already_taken();
      }
    });
    const bool is_flat = graph_.shape(x.value).rank <= 2;
    graph_.outputs.push_back({output_name, x.value, is_flat || order == Order::hwc});
  }

  /// A loss to minimise; heads beside the main one carry their own weight.
  /// Errors: x that is not one number, a name that another loss has.
  constexpr void loss(std::string_view name, Tensor x, float weight = 1,
                      Place place = Place::here()) {
    const FixedString loss_name(name);
    explain("loss", loss_name, place, {}, [&] {
      check_name(loss_name);
      check_mine(x);
      if (x.shape().rank != 0) mistakes::loss_must_be_a_scalar(x.shape());
      check_finite("its weight", {&weight, 1});
      for (const Loss& other : graph_.losses) {
        if (other.name == loss_name) mistakes::name_is_already_taken();
      }
    });
    graph_.losses.push_back({loss_name, x.value, weight});
  }

  /// For layers: appends a node and returns its first output.
  constexpr Tensor add(const Op& op, std::vector<Value> inputs, const FixedString& name,
                       const Place& place) {
    return {this, {graph_.add(op, std::move(inputs), name, place), 0}};
  }

  /// `given`, or "conv1", "conv2", ... where no name is given.
  /// Errors: a given name that is taken or not usable.
  constexpr FixedString unique_name(const FixedString& given, std::string_view kind,
                                    Place place = {}) {
    if (!given.empty()) {
      explain(kind, given, place, {}, [&] {
        check_name(given);
        if (is_given(given) || is_counted(given)) mistakes::name_is_already_taken();
      });
      given_names_.push_back(given);
      return given;
    }
    int64_t& count = counter(kind);
    FixedString name = numbered(kind, ++count);
    while (is_given(name)) name = numbered(kind, ++count);
    return name;
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

  /// Number of trainable values of the parameters named "layer.*".
  constexpr int64_t parameters(std::string_view layer) const {
    int64_t count = 0;
    for (const Node& n : graph_.nodes()) {
      const auto* p = std::get_if<ops::Parameter>(&n.op);
      const std::string_view name = n.name;
      if (p != nullptr && p->trainable && name.size() > layer.size() &&
          name.substr(0, layer.size()) == layer && name[layer.size()] == '.') {
        count += p->shape.elements();
      }
    }
    return count;
  }

 private:
  struct Counter {
    FixedString kind;
    int64_t count;
  };

  constexpr int64_t& counter(std::string_view kind) {
    for (Counter& known : counters_) {
      if (known.kind == kind) return known.count;
    }
    counters_.push_back({kind, 0});
    return counters_.back().count;
  }

  constexpr bool is_given(const FixedString& name) const {
    for (const FixedString& taken : given_names_) {
      if (taken == name) return true;
    }
    return false;
  }

  // Whether a layer without a name has got this one, as in "conv3".
  constexpr bool is_counted(const FixedString& name) const {
    for (const auto& [kind, count] : counters_) {
      if (!name.view().starts_with(kind.view())) continue;
      for (int64_t number = 1; number <= count; ++number) {
        if (numbered(kind, number) == name) return true;
      }
    }
    return false;
  }

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

  // A FixedString that is full may have been cut, so that is too long.
  static constexpr void check_name(const FixedString& name) {
    bool usable = !name.empty() && name.size < FixedString::kCapacity;
    const char* const end = name.text + name.size;
    for (const char* c = name.text; usable && c != end; ++c) {
      usable = *c >= ' ' && *c <= '~' && *c != '"' && *c != '\\';
    }
    if (!usable) mistakes::name_is_not_usable();
  }

  // No value of a formula or a parameter may spoil everything behind it.
  static constexpr void check_finite(const char* what, std::span<const float> values) {
    for (const float value : values) {
      if (!is_finite(value)) mistakes::value_is_not_finite(what);
    }
  }

  static constexpr std::span<const int64_t> extents_of(const Shape& shape) {
    return {shape.extents.data(), static_cast<std::size_t>(shape.rank)};
  }

  static constexpr Shape with_batch(std::string_view name, std::span<const int64_t> extents,
                                    Place place) {
    explain("input", name, place, {}, [&] {
      if (extents.size() > 4) {
        mistakes::input_has_wrong_rank(static_cast<int64_t>(extents.size()), 0, 4);
      }
    });
    Shape full = {kBatch};
    for (int64_t extent : extents) full.push_back(extent);
    return full;
  }

  static constexpr FixedString numbered(std::string_view kind, int64_t number) {
    FixedString name(kind);
    name.append(number);
    return name;
  }

  constexpr Tensor source(std::string_view name, Place place, ops::Input op) {
    const FixedString input_name(name);
    explain("input", input_name, place, {}, [&] { check_name(input_name); });
    return add(op, {}, unique_name(input_name, "input", place), place);
  }

  constexpr void check_mine(const Tensor& x) const {
    if (x.network != this) mistakes::tensors_of_different_networks();
  }

  Graph graph_;
  std::vector<Counter> counters_;
  std::vector<FixedString> given_names_;
  int64_t parameter_count_ = 0;
};

constexpr Network& Tensor::owner() const {
  if (network == nullptr) mistakes::tensor_of_no_network();
  return *network;
}

constexpr Shape Tensor::shape() const { return owner().graph().shape(value); }

constexpr Tensor Tensor::output(int32_t number) const {
  const auto count = static_cast<int64_t>(owner().graph().node(value).outputs.size());
  if (number < 0 || number >= count) mistakes::there_is_no_such_output(number, count);
  return {network, {value.node, number}};
}

}  // namespace halcyon::dsl
