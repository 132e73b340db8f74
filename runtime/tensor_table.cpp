#include "runtime/tensor_table.h"

#include <string>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

std::span<const halcyon_tensor_info> entries(const halcyon_tensor_info* first, int32_t count) {
  return {first, static_cast<std::size_t>(count)};
}

DType dtype_of(const halcyon_tensor_info& info) {
  return info.dtype == HALCYON_F32 ? DType::f32 : DType::i32;
}

bool fits(const halcyon_tensor_info& info, const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  bool same = tensor.dtype() == dtype_of(info) && shape.rank == info.rank + 1;
  for (int axis = 0; same && axis < info.rank; ++axis) same = shape[axis + 1] == info.shape[axis];
  return same;
}

[[noreturn]] void fail(const halcyon_network& info, const std::string& text) {
  throw UserError(std::string("network '") + info.name + "': " + text);
}

}  // namespace

TensorTable inputs_of(const halcyon_network& info) {
  return {"input", entries(info.inputs, info.input_count)};
}

TensorTable outputs_of(const halcyon_network& info) {
  return {"output", entries(info.outputs, info.output_count)};
}

TensorTable targets_of(const halcyon_network& info) {
  return {"target", entries(info.targets, info.target_count)};
}

Shape shape_of(const halcyon_tensor_info& info, int64_t batch) {
  Shape shape{batch};
  for (int32_t axis = 0; axis < info.rank; ++axis) shape.push_back(info.shape[axis]);
  return shape;
}

std::vector<Tensor> make_tensors(const TensorTable& table, int64_t batch) {
  std::vector<Tensor> tensors;
  for (const halcyon_tensor_info& info : table.entries)
    tensors.emplace_back(shape_of(info, batch), dtype_of(info));
  return tensors;
}

int64_t check_tensors(const halcyon_network& info, const TensorTable& table,
                      std::span<const Tensor> tensors, int64_t batch) {
  if (tensors.size() != table.entries.size()) {
    fail(info, "it has " + std::to_string(table.entries.size()) + " " + table.what +
                   "s, the call gives " + std::to_string(tensors.size()));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const halcyon_tensor_info& entry = table.entries[i];
    const auto name = [&] { return std::string(table.what) + " '" + entry.name + "'"; };
    if (!fits(entry, tensors[i])) {
      fail(info, name() + " is " + std::string(to_string(dtype_of(entry))) + " " +
                     to_string(shape_of(entry, kBatch)) + ", the tensor is " +
                     to_string(tensors[i]));
    }
    const int64_t found = tensors[i].shape()[0];
    if (batch < 0) batch = found;
    if (found != batch) {
      fail(info, name() + " has a batch of " + std::to_string(found) + ", those before it have " +
                     std::to_string(batch));
    }
  }
  return batch;
}

}  // namespace halcyon::runtime
