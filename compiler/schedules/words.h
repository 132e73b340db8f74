#pragma once
/// What a kernel does, for people: the algorithm of its anchor, and its schedule as a sentence.

#include <cstdint>
#include <string>

#include "compiler/lower/kernel_spec.h"

namespace halcyon::compiler {

/// "direct", "Winograd F(4x4, 3x3)", "depthwise", "matrix", ...; the operator's name for others.
std::string algorithm_of(const KernelSpec& spec);

/// "7 outputs of 2 blocks in registers, 4 rows in a task"; empty for kernels that only read and
/// write.
std::string schedule_in_words(const KernelSpec& spec);

/// Multiply-adds that the algorithm computes for one sample: for Winograd's those of its products,
/// without transforms, which are fewer than the convolution has.
int64_t computed_macs(const KernelSpec& spec);

}  // namespace halcyon::compiler
