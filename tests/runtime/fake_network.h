#pragma once
/// A compiled network written by hand: scores = image * weight^T + bias with 3 inputs and 2
/// classes, trained with momentum on the squared distance to the label's unit vector. Its weight is
/// packed in rows of four.

#include "runtime/base/abi.h"

namespace halcyon::tests {

inline constexpr int kInputs = 3;
inline constexpr int kClasses = 2;

/// input "image" [3], output "scores" [2], target "label"; parameters "dense.weight" [2,3] (normal)
/// and "dense.bias" [2] (constant 0.5); optimizer momentum. A copy may be changed.
halcyon_network fake_network();

/// The same without training.
halcyon_network fake_inference_network();

}  // namespace halcyon::tests
