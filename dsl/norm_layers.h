#pragma once
/// Layers that reduce and normalise, applied with `|` as those of dsl/layers.h.

#include "dsl/layers.h"

namespace halcyon::dsl {

/// A layer that is one operator on one tensor.
template <class Op>
struct OperatorLayer {
  Op op;
  FixedString name;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    return net.add(op, {x.value}, net.unique_name(name, Op::name, place), place);
  }
};

struct ReduceOptions {
  bool keep_dims = true;
  FixedString name = {};
};

/// Over the axes of that number: 1 is the channels, 2 the outermost spatial axis; see ops::Reduce.
constexpr OperatorLayer<ops::Reduce> reduce(ops::ReduceKind kind,
                                            std::initializer_list<int64_t> axes,
                                            ReduceOptions options = {},
                                            Place place = Place::here()) {
  ops::Reduce op{.kind = kind, .axes = {}, .keep_dims = options.keep_dims};
  for (int64_t axis : axes) {
    // There are never that many: the shape rule finds what is wrong with them.
    if (op.axes.rank < Shape::kMaxRank) op.axes.push_back(axis);
  }
  return {op, options.name, place};
}

struct GlobalPoolLayer {
  ops::ReduceKind kind;
  ReduceOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    ops::Reduce op{.kind = kind, .axes = {}, .keep_dims = options.keep_dims};
    for (int axis = 2; axis < x.shape().rank; ++axis) op.axes.push_back(axis);
    Network& net = x.owner();
    return net.add(op, {x.value}, net.unique_name(options.name, "pool", place), place);
  }
};

/// Mean of each channel. Shapes: x [N,C,H,W] -> [N,C,1,1], or [N,C] with {.keep_dims = false}
constexpr GlobalPoolLayer global_average_pool(ReduceOptions options = {},
                                              Place place = Place::here()) {
  return {ops::ReduceKind::mean, options, place};
}

/// Maximum of each channel. Shapes: as global_average_pool.
constexpr GlobalPoolLayer global_max_pool(ReduceOptions options = {}, Place place = Place::here()) {
  return {ops::ReduceKind::max, options, place};
}

struct NormOptions {
  float epsilon = 1e-5f;
  float momentum = 0.1f;  ///< batch norm only: weight of a new batch in the running statistics
  Initializer init = constant(1);
  Initializer bias_init = constant(0);
  FixedString name = {};
};

namespace detail {

/// A parameter that a training step moves by itself: no optimizer touches it.
constexpr Tensor running_statistic(Network& net, const FixedString& name, int64_t channels,
                                   float start, const Place& place) {
  const Tensor statistic = net.parameter(name, Shape{channels}, constant(start), place);
  ops::Parameter op = std::get<ops::Parameter>(net.graph().node(statistic.value).op);
  op.trainable = false;
  net.graph().replace_op(statistic.value.node, op);
  return statistic;
}

struct ScaleAndShift {
  Tensor gamma, beta;
};

constexpr ScaleAndShift scale_and_shift(Network& net, const FixedString& name, int64_t channels,
                                        const NormOptions& options, const Place& place) {
  return {net.parameter(member_name(name, ".weight"), Shape{channels}, options.init, place),
          net.parameter(member_name(name, ".bias"), Shape{channels}, options.bias_init, place)};
}

}  // namespace detail

struct BatchNormLayer {
  NormOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, "batch_norm", place);
    explain("batch_norm", name, place, {&in, 1}, [&] { rules::check_activation(in, 2, 5); });
    const auto [gamma, beta] = detail::scale_and_shift(net, name, in[1], options, place);
    const Tensor mean =
        detail::running_statistic(net, detail::member_name(name, ".running_mean"), in[1], 0, place);
    const Tensor variance =
        detail::running_statistic(net, detail::member_name(name, ".running_var"), in[1], 1, place);
    const ops::BatchNorm op{.epsilon = options.epsilon, .momentum = options.momentum};
    return net.add(op, {x.value, gamma.value, beta.value, mean.value, variance.value}, name, place);
  }
};

/// Normalises each channel by the running statistics, and in a training step by those of the batch,
/// unless its running statistics are frozen. Parameters: weight, bias, running_mean, running_var.
/// Shapes: x [N,C,...] -> as x; see ops::BatchNorm.
constexpr BatchNormLayer batch_norm(NormOptions options = {}, Place place = Place::here()) {
  return {std::move(options), place};
}

struct GroupNormLayer {
  bool each_channel;  ///< a group of its own; `groups` does not count then
  int64_t groups;
  std::string_view kind;
  NormOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, kind, place);
    explain(kind, name, place, {&in, 1}, [&] {
      rules::check_activation(in, 2, 5);
      if (!each_channel) rules::check_groups(in, groups);
    });
    const auto [gamma, beta] = detail::scale_and_shift(net, name, in[1], options, place);
    int32_t moments =
        net.add(ops::Moments{}, {x.value}, detail::member_name(name, ".moments"), place).value.node;
    if (!each_channel && groups != in[1]) {
      moments = net.add(ops::GroupMoments{.groups = groups}, {{moments, 0}, {moments, 1}},
                        detail::member_name(name, ".group_moments"), place)
                    .value.node;
    }
    return net.add(ops::Normalize{.epsilon = options.epsilon},
                   {x.value, gamma.value, beta.value, {moments, 0}, {moments, 1}}, name, place);
  }
};

/// Normalises each group of channels of each sample by its own mean and variance.
/// Shapes: x [N,C,...] -> as x; see ops::Normalize. Errors: channels that groups do not divide.
constexpr GroupNormLayer group_norm(int64_t groups, NormOptions options = {},
                                    Place place = Place::here()) {
  return {false, groups, "group_norm", std::move(options), place};
}

/// Normalises each channel of each sample by its own mean and variance over the spatial axes.
constexpr GroupNormLayer instance_norm(NormOptions options = {}, Place place = Place::here()) {
  return {true, 0, "instance_norm", std::move(options), place};
}

/// Normalises each sample by its mean and variance over channels and spatial axes; weight and bias
/// are per channel.
constexpr GroupNormLayer layer_norm(NormOptions options = {}, Place place = Place::here()) {
  return {false, 1, "layer_norm", std::move(options), place};
}

struct L2NormalizeOptions {
  float epsilon = 1e-12f;
  FixedString name = {};
};

/// Divides the channels of each position by their Euclidean length; see ops::L2Normalize.
constexpr OperatorLayer<ops::L2Normalize> l2_normalize(L2NormalizeOptions options = {},
                                                       Place place = Place::here()) {
  return {{.epsilon = options.epsilon}, options.name, place};
}

struct ResponseNormOptions {
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1;
  ops::Neighbours across = ops::Neighbours::channels;
  FixedString name = {};
};

/// Divides by a power of the neighbours' mean square; see ops::LocalResponseNorm.
constexpr OperatorLayer<ops::LocalResponseNorm> local_response_norm(
    int64_t size, ResponseNormOptions options = {}, Place place = Place::here()) {
  return {{.size = size,
           .alpha = options.alpha,
           .beta = options.beta,
           .bias = options.bias,
           .across = options.across},
          options.name,
          place};
}

/// x - log(sum exp(x)) over the channels of each position; see ops::LogSoftmax.
constexpr OperatorLayer<ops::LogSoftmax> log_softmax(FixedString name = {},
                                                     Place place = Place::here()) {
  return {{}, name, place};
}

/// In a training step sets values to zero with that probability and divides the others by one minus
/// it; otherwise the identity. See ops::RandomMask.
constexpr OperatorLayer<ops::Dropout> dropout(float probability = 0.5f, FixedString name = {},
                                              Place place = Place::here()) {
  return {{.probability = probability}, name, place};
}

struct MatMulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  FixedString name = {};
};

/// The product of each sample's matrices. Shapes: a [N,R,C], b [N,C,K] -> [N,R,K]; see ops::MatMul.
constexpr Tensor matmul(Tensor a, Tensor b, MatMulOptions options = {},
                        Place place = Place::here()) {
  Network& net = a.owner();
  const FixedString name = net.unique_name(options.name, "matmul", place);
  explain("matmul", name, place, {}, [&] {
    if (a.network != b.network) mistakes::tensors_of_different_networks();
  });
  const ops::MatMul op{.transpose_a = options.transpose_a, .transpose_b = options.transpose_b};
  return net.add(op, {a.value, b.value}, name, place);
}

}  // namespace halcyon::dsl
