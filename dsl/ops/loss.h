#pragma once
/// Softmax, the losses, and their gradients. A loss is the mean over the batch: a scalar.

#include "dsl/ops/op.h"

namespace halcyon::dsl::rules {

constexpr void check_labels(const Shapes& in) {
  rules::check_input_count(in, 2, 2);
  if (in[0].rank != 2 || in[1].rank != 1 || in[0][0] != in[1][0])
    mistakes::labels_do_not_match_scores(in[0], in[1]);
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// exp(x - max) / sum exp(x - max) over the channels of each position. Source: ONNX Softmax-13,
/// axis 1. Shapes: x [N,C,...] -> y of the same shape
struct Softmax {
  static constexpr std::string_view name = "softmax";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_rank(in[0], 2, 5);
    return {in[0]};
  }
  constexpr bool operator==(const Softmax&) const = default;
};

/// y * (dy - sum over channels of dy*y). Shapes: dy, y (the output of Softmax) -> dx
struct SoftmaxGrad {
  static constexpr std::string_view name = "softmax_grad";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    return {in[0]};
  }
  constexpr bool operator==(const SoftmaxGrad&) const = default;
};

/// x - log(sum exp(x)) over the channels of each position. Source: ONNX LogSoftmax-13, axis 1.
/// Shapes: x [N,C,...] -> y of the same shape
struct LogSoftmax {
  static constexpr std::string_view name = "log_softmax";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    return {in[0]};
  }
  constexpr bool operator==(const LogSoftmax&) const = default;
};

/// dy - exp(y) * sum over channels of dy. Shapes: dy, y (the output of LogSoftmax) -> dx
struct LogSoftmaxGrad {
  static constexpr std::string_view name = "log_softmax_grad";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    return {in[0]};
  }
  constexpr bool operator==(const LogSoftmaxGrad&) const = default;
};

/// Mean over the batch of log(sum exp(x)) - x[label]. Source: ONNX SoftmaxCrossEntropyLoss-13,
/// reduction mean. Shapes: scores [N,C] (before softmax), labels [N] (i32) -> []
struct SoftmaxCrossEntropy {
  static constexpr std::string_view name = "softmax_cross_entropy";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_labels(in);
    return {Shape{}};
  }
  constexpr bool operator==(const SoftmaxCrossEntropy&) const = default;
};

/// (softmax(x) - onehot(label)) * weight / N. Shapes: scores [N,C], labels [N] -> [N,C]
struct SoftmaxCrossEntropyGrad {
  static constexpr std::string_view name = "softmax_cross_entropy_grad";
  static constexpr auto fields() {
    return attributes(field("weight", &SoftmaxCrossEntropyGrad::weight));
  }

  float weight = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_labels(in);
    return {in[0]};
  }
  constexpr bool operator==(const SoftmaxCrossEntropyGrad&) const = default;
};

/// Mean over the batch and all values of (x - target)^2.
/// Shapes: x [N,...], target of the same shape -> []
struct MeanSquare {
  static constexpr std::string_view name = "mean_square";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    return {Shape{}};
  }
  constexpr bool operator==(const MeanSquare&) const = default;
};

/// 2 * (x - target) * weight / (N * values per sample). Shapes: x, target -> dx
struct MeanSquareGrad {
  static constexpr std::string_view name = "mean_square_grad";
  static constexpr auto fields() { return attributes(field("weight", &MeanSquareGrad::weight)); }

  float weight = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    return {in[0]};
  }
  constexpr bool operator==(const MeanSquareGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
