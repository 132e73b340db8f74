#pragma once
/// Products of two computed matrices, sample by sample. A product with a parameter is Dense.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// Shapes: a [N,R,C], b [N,C,K] -> y [N,R,K]; a is [N,C,R] with transpose_a, b is [N,K,C] with
///         transpose_b.
/// Errors: factors that do not fit. Source: ONNX MatMul-13.
struct MatMul {
  static constexpr std::string_view name = "matmul";
  static constexpr auto fields() {
    return attributes(field("transpose_a", &MatMul::transpose_a),
                      field("transpose_b", &MatMul::transpose_b));
  }

  bool transpose_a = false;
  bool transpose_b = false;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    for (const Shape& shape : in) rules::check_activation(shape, 3, 3);
    const int64_t summed_a = in[0][transpose_a ? 1 : 2];
    const int64_t summed_b = in[1][transpose_b ? 2 : 1];
    if (summed_a != summed_b) mistakes::factors_do_not_fit(summed_a, summed_b);
    return {Shape{in[0][0], in[0][transpose_a ? 2 : 1], in[1][transpose_b ? 1 : 2]}};
  }
  constexpr int64_t macs(const Shapes& in, const Shapes& out) const {
    return out[0].elements() * in[0][transpose_a ? 1 : 2];
  }
  constexpr bool operator==(const MatMul&) const = default;
};

}  // namespace halcyon::dsl::ops
