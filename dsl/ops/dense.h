#pragma once
/// Fully connected layers and the operators their gradient is made of.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// y = x * weight^T + bias.
/// Shapes: x [N,C], weight [K,C], bias [K] -> y [N,K]. Source: ONNX Gemm-13 with transB.
/// Errors: x that is not flat, weight or bias of another shape.
struct Dense {
  static constexpr std::string_view name = "dense";
  static constexpr auto fields() { return attributes(field("units", &Dense::units)); }

  int64_t units = 1;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 3);
    const Shape& x = in[0];
    if (x.rank != 2) mistakes::dense_needs_flat_input(x.rank);
    rules::check_activation(x, 2, 2);
    rules::check_positive("units", units);
    if (in[1].rank == 2 && in[1][1] != x[1]) mistakes::input_channels_do_not_match(x[1], in[1][1]);
    if (!(in[1] == Shape{units, x[1]})) {
      mistakes::weight_has_wrong_shape(in[1], Shape{units, x[1]});
    }
    if (in.size() == 3 && !(in[2] == Shape{units})) mistakes::bias_has_wrong_shape(in[2], units);
    return {Shape{x[0], units}};
  }
  constexpr int64_t macs(const Shapes& in, const Shapes&) const { return in[1].elements(); }
  constexpr bool operator==(const Dense&) const = default;
};

/// Gradient of Dense towards its weight, summed over the batch.
/// Shapes: x [N,C], dy [N,K] -> dw [K,C]
struct DenseWeightGrad {
  static constexpr std::string_view name = "dense_weight_grad";
  static constexpr auto fields() { return attributes(); }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    for (const Shape& shape : in) rules::check_activation(shape, 2, 2);
    return {Shape{in[1][1], in[0][1]}};
  }
  constexpr int64_t macs(const Shapes&, const Shapes& out) const { return out[0].elements(); }
  constexpr bool operator==(const DenseWeightGrad&) const = default;
};

/// Shapes: weight [K,C] -> [C,K]
struct TransposeMatrix {
  static constexpr std::string_view name = "transpose_matrix";
  static constexpr auto fields() { return attributes(); }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_rank(in[0], 2, 2);
    return {Shape{in[0][1], in[0][0]}};
  }
  constexpr bool operator==(const TransposeMatrix&) const = default;
};

/// Gradient of a bias: dy summed over the batch and every spatial axis.
/// Shapes: dy [N,K,...] -> [K]
struct BiasGrad {
  static constexpr std::string_view name = "bias_grad";
  static constexpr auto fields() { return attributes(); }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_activation(in[0], 2, 5);
    return {Shape{in[0][1]}};
  }
  constexpr bool operator==(const BiasGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
