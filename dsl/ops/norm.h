#pragma once
/// Normalisation by mean and variance: of the whole batch (batch norm), or of one sample's groups
/// of channels (instance, layer and group norm). Both are y = (x - mean) / sqrt(variance + epsilon)
/// * gamma + beta; they differ in whose mean and variance they are given.

#include "dsl/ops/op.h"

namespace halcyon::dsl::rules {

constexpr void check_above_zero(const char* attribute, float value) {
  if (!(value > 0)) mistakes::number_must_be_above_zero(attribute, static_cast<double>(value));
}

constexpr void check_groups(const Shape& x, int64_t groups) {
  rules::check_positive("groups", groups);
  if (x[1] % groups != 0) mistakes::channels_not_divisible_into_groups(x[1], groups);
}

/// One number for each channel.
constexpr void check_per_channel(const char* what, const Shape& found, int64_t channels) {
  if (!(found == Shape{channels})) mistakes::not_one_value_per_channel(what, found, channels);
}

/// One number for each sample and group of channels.
constexpr void check_per_group(const Shape& x, const Shape& statistics) {
  rules::check_activation(statistics, 2, 2);
  rules::check_groups(x, statistics[1]);
}

/// mean and variance are [C] or [N,groups], and alike.
constexpr void check_statistics(const Shape& x, const Shape& mean, const Shape& variance) {
  rules::check_activation(x, 2, 5);
  if (!(mean == variance)) mistakes::shapes_must_be_equal(mean, variance);
  if (mean.has_batch()) {
    rules::check_per_group(x, mean);
  } else {
    rules::check_per_channel("mean", mean, x[1]);
  }
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// Normalises each channel by given statistics. A network as written gives the running ones, which
/// are parameters that no optimizer touches; a training step puts those of its batch in their place
/// and moves the running ones (see compiler/passes/training_form.cpp).
/// Shapes: x [N,C,...], gamma [C], beta [C], mean [C], variance [C] -> y as x
/// Errors: epsilon that is not above zero, momentum outside [0,1].
/// Source: ONNX BatchNormalization-15, training_mode 0; Ioffe and Szegedy 2015.
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  static constexpr auto fields() {
    return attributes(field("epsilon", &BatchNorm::epsilon),
                      field("momentum", &BatchNorm::momentum));
  }

  float epsilon = 1e-5f;
  float momentum = 0.1f;  ///< weight of a new batch in the running statistics, as in PyTorch

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 5, 5);
    rules::check_activation(in[0], 2, 5);
    constexpr const char* kNames[] = {"x", "gamma", "beta", "mean", "variance"};
    for (std::size_t i = 1; i < 5; ++i) rules::check_per_channel(kNames[i], in[i], in[0][1]);
    rules::check_above_zero("epsilon", epsilon);
    if (!(momentum >= 0 && momentum <= 1)) {
      mistakes::number_must_be_within("momentum", static_cast<double>(momentum), "[0,1]");
    }
    return {in[0]};
  }
  constexpr bool operator==(const BatchNorm&) const = default;
};

/// Normalises each group of channels of each sample by given statistics, those that Moments and
/// GroupMoments find.
/// Shapes: x [N,C,...], gamma [C], beta [C], mean [N,groups], variance [N,groups] -> y as x
/// Errors: epsilon that is not above zero, channels that groups do not divide.
/// Source: with Moments, ONNX InstanceNormalization-6 (groups = C), GroupNormalization-21; Wu and
/// He 2018.
struct Normalize {
  static constexpr std::string_view name = "normalize";
  static constexpr auto fields() { return attributes(field("epsilon", &Normalize::epsilon)); }

  float epsilon = 1e-5f;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 5, 5);
    rules::check_activation(in[0], 2, 5);
    rules::check_per_channel("gamma", in[1], in[0][1]);
    rules::check_per_channel("beta", in[2], in[0][1]);
    rules::check_per_group(in[0], in[3]);
    rules::check_statistics(in[0], in[3], in[4]);
    rules::check_above_zero("epsilon", epsilon);
    return {in[0]};
  }
  constexpr bool operator==(const Normalize&) const = default;
};

/// Mean and variance (divided by the number of values) of each channel of each sample.
/// Shapes: x [N,C,...] -> mean [N,C], variance [N,C]
struct Moments {
  static constexpr std::string_view name = "moments";
  static constexpr auto fields() { return attributes(); }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    const Shape y = {in[0][0], in[0][1]};
    return {y, y};
  }
  constexpr bool operator==(const Moments&) const = default;
};

/// Mean and variance of each sample's groups of channels, from those of its channels.
/// Shapes: mean [N,C], variance [N,C] -> mean [N,groups], variance [N,groups]
struct GroupMoments {
  static constexpr std::string_view name = "group_moments";
  static constexpr auto fields() { return attributes(field("groups", &GroupMoments::groups)); }

  int64_t groups = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    rules::check_activation(in[0], 2, 2);
    rules::check_groups(in[0], groups);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    const Shape y = {in[0][0], groups};
    return {y, y};
  }
  constexpr bool operator==(const GroupMoments&) const = default;
};

/// Mean and variance of each channel over the batch, from those of each sample.
/// Shapes: mean [N,C], variance [N,C] -> mean [C], variance [C]
struct BatchMoments {
  static constexpr std::string_view name = "batch_moments";
  static constexpr auto fields() { return attributes(); }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    rules::check_activation(in[0], 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    const Shape y = {in[0][1]};
    return {y, y};
  }
  constexpr bool operator==(const BatchMoments&) const = default;
};

/// Moves running statistics towards those of the batch, in place:
///   mean += momentum * (batch_mean - mean)
///   variance += momentum * (batch_variance * count / (count - 1) - variance)
/// where count = batch * positions is how many values the batch's are of; a single one counts as it
/// is. Shapes: mean, variance, batch_mean, batch_variance, each [C] -> nothing
/// Source: PyTorch's torch.nn.BatchNorm2d.
struct MoveStatistics {
  static constexpr std::string_view name = "move_statistics";
  static constexpr auto fields() {
    return attributes(field("momentum", &MoveStatistics::momentum),
                      field("positions", &MoveStatistics::positions));
  }

  float momentum = 0.1f;
  int64_t positions = 1;  ///< values of a channel in one sample

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 4, 4);
    rules::check_rank(in[0], 1, 1);
    rules::check_positive("positions", positions);
    for (const Shape& shape : in) {
      if (!(shape == in[0])) mistakes::shapes_must_be_equal(in[0], shape);
    }
    return {};
  }
  constexpr bool operator==(const MoveStatistics&) const = default;
};

/// What the gradients of a normalisation are made of: the sums of dy and of dy * (x - mean) /
/// sqrt(variance + epsilon) over the positions of each channel.
/// Shapes: dy [N,C,...], x as dy, mean, variance ([C] or [N,groups]) -> [N,C], [N,C]
struct NormalizeSums {
  static constexpr std::string_view name = "normalize_sums";
  static constexpr auto fields() { return attributes(field("epsilon", &NormalizeSums::epsilon)); }

  float epsilon = 1e-5f;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 4, 4);
    rules::check_statistics(in[1], in[2], in[3]);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    const Shape y = {in[0][0], in[0][1]};
    return {y, y};
  }
  constexpr bool operator==(const NormalizeSums&) const = default;
};

/// Two such sums of each channel, times its gamma, summed over each group of channels.
/// Shapes: [N,C], [N,C], gamma [C] -> [N,groups], [N,groups]
struct GroupSums {
  static constexpr std::string_view name = "group_sums";
  static constexpr auto fields() { return attributes(field("groups", &GroupSums::groups)); }

  int64_t groups = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 3, 3);
    rules::check_activation(in[0], 2, 2);
    rules::check_groups(in[0], groups);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    rules::check_per_channel("gamma", in[2], in[0][1]);
    const Shape y = {in[0][0], groups};
    return {y, y};
  }
  constexpr bool operator==(const GroupSums&) const = default;
};

/// Gradient of a normalisation towards x, written at compiler/ops/norm.cpp.
/// Shapes: dy [N,C,...], gamma [C], mean, variance ([C] or [N,groups]) -> dx, for statistics that
/// do
///         not depend on x; for those of x itself also x [N,C,...] and two sums shaped as the mean:
///         those of NormalizeSums over the batch, or those of GroupSums.
struct NormalizeGrad {
  static constexpr std::string_view name = "normalize_grad";
  static constexpr auto fields() { return attributes(field("epsilon", &NormalizeGrad::epsilon)); }

  float epsilon = 1e-5f;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 4, 7);
    if (in.size() != 4) rules::check_input_count(in, 7, 7);
    rules::check_statistics(in[0], in[2], in[3]);
    rules::check_per_channel("gamma", in[1], in[0][1]);
    if (in.size() == 4) return {in[0]};
    if (!(in[0] == in[4])) mistakes::shapes_must_be_equal(in[0], in[4]);
    for (std::size_t i = 5; i < 7; ++i) {
      if (!(in[i] == in[2])) mistakes::shapes_must_be_equal(in[i], in[2]);
    }
    return {in[0]};
  }
  constexpr bool operator==(const NormalizeGrad&) const = default;
};

/// Divides the channels of each position by their Euclidean length, or by epsilon where that is
/// larger. Shapes: x [N,C,...] -> y as x. Errors: epsilon that is not above zero.
/// Source: ONNX LpNormalization-1, p 2, axis 1; PyTorch's torch.nn.functional.normalize.
struct L2Normalize {
  static constexpr std::string_view name = "l2_normalize";
  static constexpr auto fields() { return attributes(field("epsilon", &L2Normalize::epsilon)); }

  float epsilon = 1e-12f;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    rules::check_above_zero("epsilon", epsilon);
    return {in[0]};
  }
  constexpr bool operator==(const L2Normalize&) const = default;
};

/// Shapes: dy, x -> dx
struct L2NormalizeGrad {
  static constexpr std::string_view name = "l2_normalize_grad";
  static constexpr auto fields() { return attributes(field("epsilon", &L2NormalizeGrad::epsilon)); }

  float epsilon = 1e-12f;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    rules::check_activation(in[0], 2, 5);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    return {in[0]};
  }
  constexpr bool operator==(const L2NormalizeGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
