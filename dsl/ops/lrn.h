#pragma once
/// Local response normalisation, of the networks before batch norm.

#include "dsl/ops/norm.h"

namespace halcyon::dsl::ops {

/// Whose squares are summed: those of neighbouring channels at one position, or those of
/// neighbouring positions of one channel.
enum class Neighbours { channels, positions };

}  // namespace halcyon::dsl::ops

namespace halcyon::dsl::rules {

struct ResponseWindow {
  int64_t size;
  float bias;
  ops::Neighbours across;
};

constexpr void check_response(const Shape& x, const ResponseWindow& window) {
  const bool positions = window.across == ops::Neighbours::positions;
  rules::check_activation(x, positions ? 3 : 2, 5);
  rules::check_positive("size", window.size);
  rules::check_above_zero("bias", window.bias);
  if (positions && window.size % 2 == 0) mistakes::window_must_be_odd(window.size);
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// y = x / (bias + alpha / n * sum of squares)^beta, summed over n = `size` channels around each
/// one ((size - 1) / 2 below, rounded down, and the rest above), or over a window of `size` along
/// each spatial axis with n = its positions. What lies outside counts as zero.
/// Shapes: x [N,C,...] -> y as x
/// Errors: size below 1, or even along spatial axes; bias that is not above zero.
/// Source: ONNX LRN-13; within a channel Caffe's WITHIN_CHANNEL; Krizhevsky et al. 2012.
struct LocalResponseNorm {
  static constexpr std::string_view name = "local_response_norm";
  static constexpr auto fields() {
    return attributes(
        field("size", &LocalResponseNorm::size), field("alpha", &LocalResponseNorm::alpha),
        field("beta", &LocalResponseNorm::beta), field("bias", &LocalResponseNorm::bias),
        field("across", &LocalResponseNorm::across));
  }

  int64_t size = 5;
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1;
  Neighbours across = Neighbours::channels;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    rules::check_response(in[0], {size, bias, across});
    return {in[0]};
  }
  constexpr bool operator==(const LocalResponseNorm&) const = default;
};

/// Shapes: dy, x -> dx
struct LocalResponseNormGrad {
  static constexpr std::string_view name = "local_response_norm_grad";
  static constexpr auto fields() {
    return attributes(
        field("size", &LocalResponseNormGrad::size), field("alpha", &LocalResponseNormGrad::alpha),
        field("beta", &LocalResponseNormGrad::beta), field("bias", &LocalResponseNormGrad::bias),
        field("across", &LocalResponseNormGrad::across));
  }

  int64_t size = 5;
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1;
  Neighbours across = Neighbours::channels;

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    rules::check_response(in[0], {size, bias, across});
    if (!(in[0] == in[1])) mistakes::shapes_must_be_equal(in[0], in[1]);
    return {in[0]};
  }
  constexpr bool operator==(const LocalResponseNormGrad&) const = default;
};

}  // namespace halcyon::dsl::ops
