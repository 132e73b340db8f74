#pragma once
/// The layers of the language. Each is a small value with a call operator, applied with `|`:
///   x | conv(64, 3, {.stride = 2, .pad = same}) | relu | max_pool(2)
/// Any function from Tensor to Tensor works as well, so blocks need no registration.

#include <concepts>
#include <vector>

#include "dsl/movement_layers.h"
#include "dsl/network.h"
#include "dsl/padding.h"
#include "dsl/pointwise_layers.h"
#include "dsl/stencil_layers.h"

namespace halcyon::dsl {

namespace detail {

constexpr FixedString member_name(const FixedString& layer, std::string_view member) {
  FixedString full = layer;
  full.append(member);
  return full;
}

/// Adds `op` behind x with a weight of its own and, where the options ask for it, a bias per
/// filter.
template <class Options>
constexpr Tensor add_weighted(Tensor x, const Op& op, const Shape& weight, int64_t filters,
                              const Options& options, const FixedString& name, Place place) {
  Network& net = x.owner();
  std::vector<Value> inputs = {
      x.value, net.parameter(member_name(name, ".weight"), weight, options.init, place).value};
  if (options.bias) {
    inputs.push_back(
        net.parameter(member_name(name, ".bias"), Shape{filters}, options.bias_init, place).value);
  }
  return net.add(op, std::move(inputs), name, place);
}

}  // namespace detail

struct ConvOptions {
  Spatial stride = 1;
  Padding pad = 0;
  Spatial dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  Initializer init = fan_in();
  Initializer bias_init = constant(0);
  FixedString name = {};
};

struct ConvLayer {
  int64_t filters;
  Spatial kernel;
  ConvOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();  // a copy: adding parameters moves the nodes
    const FixedString name = net.unique_name(options.name, "conv", place);
    const ops::Conv op = explain("conv", name, place, {&in, 1}, [&] { return resolve(in); });
    return detail::add_weighted(x, op, op.weight_shape(in), filters, options, name, place);
  }

 private:
  constexpr ops::Conv resolve(const Shape& in) const {
    rules::check_activation(in, 3, 5);
    ops::Conv op;
    op.filters = filters;
    op.groups = options.groups;
    op.kernel = detail::kernel_per_axis(kernel, in);
    op.stride = detail::per_axis("stride", options.stride, in);
    op.dilation = detail::per_axis("dilation", options.dilation, in);
    const Padding pad = detail::resolve_padding(options.pad, in, op.kernel, op.stride, op.dilation);
    op.pad_begin = pad.begin;
    op.pad_end = pad.end;
    op.check_channels(in);
    return op;
  }
};

/// Shapes: x [N,C,H,W] -> [N,filters,P,Q]; see ops::Conv.
constexpr ConvLayer conv(int64_t filters, Spatial kernel, ConvOptions options = {},
                         Place place = Place::here()) {
  return {filters, kernel, std::move(options), place};
}

struct ConvTransposeOptions {
  Spatial stride = 1;
  Padding pad = 0;  ///< cut off the output; "same": the output is input * stride
  Spatial dilation = 1;
  Spatial output_padding = 0;
  int64_t groups = 1;
  bool bias = true;
  Initializer init = fan_in();
  Initializer bias_init = constant(0);
  FixedString name = {};
};

struct ConvTransposeLayer {
  int64_t filters;
  Spatial kernel;
  ConvTransposeOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, "conv_transpose", place);
    const ops::ConvTranspose op =
        explain("conv_transpose", name, place, {&in, 1}, [&] { return resolve(in); });
    return detail::add_weighted(x, op, op.weight_shape(in), filters, options, name, place);
  }

 private:
  constexpr ops::ConvTranspose resolve(const Shape& in) const {
    rules::check_activation(in, 3, 5);
    ops::ConvTranspose op;
    op.filters = filters;
    op.groups = options.groups;
    op.kernel = detail::kernel_per_axis(kernel, in);
    op.stride = detail::per_axis("stride", options.stride, in);
    op.dilation = detail::per_axis("dilation", options.dilation, in);
    op.pad_begin = detail::per_axis("pad", options.pad.begin, in);
    op.pad_end = detail::per_axis("pad", options.pad.end, in);
    op.output_padding = detail::per_axis("output_padding", options.output_padding, in);
    op.check_channels(in);
    if (options.pad.is_same) cut_to_multiple(op, in);
    return op;
  }

  /// Source: ONNX auto_pad SAME_UPPER; the odd position is cut off the end. Where the windows leave
  /// gaps there is nothing to cut, and the output grows at the end instead.
  static constexpr void cut_to_multiple(ops::ConvTranspose& op, const Shape& in) {
    for (int axis = 0; axis < in.spatial_rank(); ++axis) {
      const int64_t total =
          op.dilation[axis] * (op.kernel[axis] - 1) + 1 + op.output_padding[axis] - op.stride[axis];
      op.pad_begin[axis] = total > 0 ? total / 2 : 0;
      op.pad_end[axis] = total > 0 ? total - total / 2 : 0;
      if (total < 0) op.output_padding[axis] -= total;
    }
  }
};

/// Shapes: x [N,C,H,W] -> [N,filters,P,Q]; see ops::ConvTranspose.
constexpr ConvTransposeLayer conv_transpose(int64_t filters, Spatial kernel,
                                            ConvTransposeOptions options = {},
                                            Place place = Place::here()) {
  return {filters, kernel, std::move(options), place};
}

struct DenseOptions {
  bool bias = true;
  Initializer init = fan_in();
  Initializer bias_init = constant(0);
  FixedString name = {};
};

struct DenseLayer {
  int64_t units;
  DenseOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, "dense", place);
    explain("dense", name, place, {&in, 1}, [&] {
      if (in.rank != 2) mistakes::dense_needs_flat_input(in.rank);
      rules::check_positive("units", units);
    });
    return detail::add_weighted(x, ops::Dense{.units = units}, Shape{units, in[1]}, units, options,
                                name, place);
  }
};

/// Shapes: x [N,C] -> [N,units]; see ops::Dense.
constexpr DenseLayer dense(int64_t units, DenseOptions options = {}, Place place = Place::here()) {
  return {units, std::move(options), place};
}

struct PoolOptions {
  Spatial stride = 0;  ///< 0: as large as the kernel
  Padding pad = 0;
  Spatial dilation = 1;
  bool ceil = false;           ///< rounds the number of windows up
  bool count_padding = false;  ///< average only
  FixedString name = {};
};

template <class Op>
struct PoolLayer {
  Spatial kernel;
  PoolOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, "pool", place);
    const Op op = explain(Op::name, name, place, {&in, 1}, [&] { return resolve(in); });
    return net.add(op, {x.value}, name, place);
  }

 private:
  constexpr Op resolve(const Shape& in) const {
    rules::check_activation(in, 3, 5);
    Op op;
    op.kernel = detail::per_axis("kernel", kernel, in);
    const bool default_stride = options.stride == Spatial(0);
    op.stride = detail::per_axis("stride", default_stride ? kernel : options.stride, in);
    op.dilation = detail::per_axis("dilation", options.dilation, in);
    const Padding pad = detail::resolve_padding(options.pad, in, op.kernel, op.stride, op.dilation);
    op.pad_begin = pad.begin;
    op.pad_end = pad.end;
    op.ceil = options.ceil;
    if constexpr (requires { op.count_padding; }) op.count_padding = options.count_padding;
    return op;
  }
};

/// Shapes: x [N,C,H,W] -> [N,C,P,Q]; see ops::MaxPool.
constexpr PoolLayer<ops::MaxPool> max_pool(Spatial kernel, PoolOptions options = {},
                                           Place place = Place::here()) {
  return {kernel, options, place};
}

/// Shapes: x [N,C,H,W] -> [N,C,P,Q]; see ops::AveragePool.
constexpr PoolLayer<ops::AveragePool> average_pool(Spatial kernel, PoolOptions options = {},
                                                   Place place = Place::here()) {
  return {kernel, options, place};
}

/// A layer without attributes, written without parentheses: `x | flatten`.
template <class Op>
struct PlainLayer {
  constexpr Tensor operator()(Tensor x, FixedString name = {}, Place place = Place::here()) const {
    Network& net = x.owner();
    return net.add(Op{}, {x.value}, net.unique_name(name, Op::name, place), place);
  }
};

inline constexpr PlainLayer<ops::Flatten> flatten;
inline constexpr PlainLayer<ops::Softmax> softmax;

template <class Op>
struct NamedLayer {
  PlainLayer<Op> layer;
  FixedString name;
  Place place;
  constexpr Tensor operator()(Tensor x) const { return layer(x, name, place); }
};

/// The same under a name of the node's own: `x | named(flatten, "features")`.
template <class Op>
constexpr NamedLayer<Op> named(PlainLayer<Op> layer, const FixedString& name,
                               Place place = Place::here()) {
  return {layer, name, place};
}

/// What stands to the right of `|`: converting a layer notes the user's line.
template <class Op>
struct PlacedLayer {
  Place place;
  constexpr PlacedLayer(PlainLayer<Op>, Place here = Place::here()) : place(here) {}
};

constexpr Tensor operator|(Tensor x, PlacedLayer<ops::Flatten> layer) {
  return flatten(x, {}, layer.place);
}
constexpr Tensor operator|(Tensor x, PlacedLayer<ops::Softmax> layer) {
  return softmax(x, {}, layer.place);
}

template <class Layer>
concept PlaceAware = requires(const Layer& l) {
  []<class Op>(const PlainLayer<Op>&) {}(l);
};

template <class Layer>
requires(!PlaceAware<Layer> && std::is_invocable_r_v<Tensor, const Layer&, Tensor>) constexpr Tensor
operator|(Tensor x, const Layer& layer) {
  return layer(x);
}

/// Any operator of the list on tensors, for what no layer says: its first output.
///   apply(ops::Pad{.begin = {0, 1, 1}, .end = {0, 1, 1}, .between = {0, 1, 1}}, {x})
/// Errors: no tensor, tensors of different networks.
constexpr Tensor apply(const Op& op, const std::vector<Tensor>& list, FixedString name = {},
                       Place place = Place::here()) {
  explain(name_of(op), name, place, {}, [&] {
    if (list.empty()) mistakes::wrong_number_of_inputs(0, 1, 1024);
    for (const Tensor& t : list) {
      if (t.network != list[0].network) mistakes::tensors_of_different_networks();
    }
  });
  std::vector<Value> inputs;
  for (const Tensor& t : list) inputs.push_back(t.value);
  Network& net = list[0].owner();
  return net.add(op, std::move(inputs), net.unique_name(name, name_of(op), place), place);
}

/// Joins tensors along an axis: 1 is the channels, 2 the first spatial axis.
/// Shapes: [N,C_i,H,W] -> [N,sum C_i,H,W] for axis 1
constexpr Tensor concat(const std::vector<Tensor>& list, int64_t axis, FixedString name = {},
                        Place place = Place::here()) {
  return apply(ops::Concat{.axis = axis}, list, name, place);
}

/// Joins tensors along the channels.
constexpr Tensor concat(const std::vector<Tensor>& list, FixedString name = {},
                        Place place = Place::here()) {
  return concat(list, 1, name, place);
}

namespace detail {

template <class Op>
constexpr Tensor pair(Tensor a, Tensor b, FixedString name, Place place) {
  explain(Op::name, name, place, {}, [&] {
    if (a.network != b.network) mistakes::tensors_of_different_networks();
  });
  Network& net = a.owner();
  return net.add(Op{}, {a.value, b.value}, net.unique_name(name, Op::name, place), place);
}

/// The input that class numbers come from.
constexpr ops::Input labels_of(const Op& op, int64_t classes) {
  const auto* source = std::get_if<ops::Input>(&op);
  if (source == nullptr || source->dtype != DType::i32) mistakes::labels_must_be_integers();
  if (source->classes != 0 && source->classes != classes) {
    mistakes::labels_have_other_classes(classes, source->classes);
  }
  return *source;
}

}  // namespace detail

/// Mean over the batch of -log softmax(scores)[label]. Shapes: scores [N,C], labels [N] -> []
/// Tells the labels how many classes there are. Errors: labels that are no class numbers, or of
/// another number of classes in another loss.
constexpr Tensor softmax_cross_entropy(Tensor scores, Tensor labels, FixedString name = {},
                                       Place place = Place::here()) {
  const Tensor loss = detail::pair<ops::SoftmaxCrossEntropy>(scores, labels, name, place);
  Graph& graph = scores.owner().graph();
  const Node& source = graph.node(labels.value);
  ops::Input known = explain(ops::SoftmaxCrossEntropy::name, graph.node(loss.value).name, place, {},
                             [&] { return detail::labels_of(source.op, scores.channels()); });
  known.classes = scores.channels();
  graph.replace_op(labels.value.node, known);
  return loss;
}

/// Mean over the batch and all values of (x - target)^2. Shapes: x, target alike -> []
constexpr Tensor mean_square(Tensor x, Tensor target, FixedString name = {},
                             Place place = Place::here()) {
  return detail::pair<ops::MeanSquare>(x, target, name, place);
}

}  // namespace halcyon::dsl
