#pragma once
/// Numbers of any type as floats, which is what networks take.

#include <string>

#include "runtime/tensor.h"
#include "runtime/weights.h"

namespace halcyon::runtime {

/// The nearest floats; a number that is too large becomes infinite.
/// Errors: UserError naming `what` for a type that is not read (F16, BF16, F8), and for more axes
/// than a Shape has.
Tensor to_tensor(const WeightTensor& array, const std::string& what);

}  // namespace halcyon::runtime
