#pragma once
/// Tensors beside the tables of a compiled network: its inputs, outputs and targets. Their first
/// axis is the batch.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/tensor.h"

namespace halcyon::runtime {

/// A table of halcyon_network: what messages call one entry, and the entries.
struct TensorTable {
  const char* what;  ///< "input"
  std::span<const halcyon_tensor_info> entries;
};
TensorTable inputs_of(const halcyon_network& info);
TensorTable outputs_of(const halcyon_network& info);
TensorTable targets_of(const halcyon_network& info);

/// Shapes: -> [batch, ...] as the host sees it.
Shape shape_of(const halcyon_tensor_info& info, int64_t batch);

/// Tensors of zeros for every entry.   Errors: as Tensor.
std::vector<Tensor> make_tensors(const TensorTable& table, int64_t batch);

/// The batch of `tensors`, which must fit the table; without any, `batch` is the answer.
/// Errors: UserError naming the entry, for another number of tensors, another shape, type or
/// batch.   Cost: allocates nothing.
int64_t check_tensors(const halcyon_network& info, const TensorTable& table,
                      std::span<const Tensor> tensors, int64_t batch = -1);

}  // namespace halcyon::runtime
