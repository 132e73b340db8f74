#pragma once
/// Dropout, which only training knows.

#include "dsl/ops/op.h"

namespace halcyon::dsl::rules {

constexpr Shapes keep_shape(const Shapes& in, float probability) {
  rules::check_input_count(in, 1, 1);
  rules::check_activation(in[0], 2, 5);
  if (!(probability >= 0 && probability < 1)) {
    mistakes::number_must_be_within("probability", static_cast<double>(probability), "[0,1)");
  }
  return {in[0]};
}

}  // namespace halcyon::dsl::rules

namespace halcyon::dsl::ops {

/// The identity; a training step puts a RandomMask in its place.
/// Shapes: x [N,C,...] -> y as x. Errors: probability outside [0,1).
/// Source: ONNX Dropout-13, training_mode 0; Srivastava et al. 2014.
struct Dropout {
  static constexpr std::string_view name = "dropout";
  static constexpr auto fields() { return attributes(field("probability", &Dropout::probability)); }

  float probability = 0.5f;  ///< of a value to be dropped

  constexpr Shapes infer(const Shapes& in) const { return rules::keep_shape(in, probability); }
  constexpr bool operator==(const Dropout&) const = default;
};

/// Zero with the given probability, otherwise x / (1 - probability). Whether a value is dropped
/// depends on the seed and number of the training step, on `stream` and on where the value stands,
/// and on nothing else: so it is its own gradient, and equal for every number of threads.
/// Shapes: x [N,C,...] -> y as x
/// Source: PyTorch's torch.nn.Dropout; the generator is Philox4x32-10, Salmon et al. 2011.
struct RandomMask {
  static constexpr std::string_view name = "random_mask";
  static constexpr auto fields() {
    return attributes(field("probability", &RandomMask::probability),
                      field("stream", &RandomMask::stream));
  }

  float probability = 0.5f;
  int64_t stream = 0;  ///< keeps the masks of one step apart

  constexpr Shapes infer(const Shapes& in) const { return rules::keep_shape(in, probability); }
  constexpr bool operator==(const RandomMask&) const = default;
};

}  // namespace halcyon::dsl::ops
