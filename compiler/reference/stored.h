#pragma once
/// Tensors in the physical form in which kernels read and write them (compiler/layout.h).

#include <cstddef>
#include <vector>

#include "compiler/layout.h"
#include "compiler/ops/rules.h"

namespace halcyon::compiler {

/// Writes a tensor of any shape with as many elements as the layout's at `memory`, where the value
/// itself begins: in a shared buffer, behind its first block. Halos and padded channels are left.
void store(const HostTensor& tensor, const Layout& layout, int64_t batch, std::byte* memory);
void store(const HostTensor& tensor, const WeightLayout& layout, std::byte* memory);

/// Reads one back, with that shape.
HostTensor load(const Shape& shape, const Layout& layout, int64_t batch, const std::byte* memory);
HostTensor load(const Shape& shape, const WeightLayout& layout, const std::byte* memory);

}  // namespace halcyon::compiler
