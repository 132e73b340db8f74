#include "compiler/reference/stored.h"

#include <cstring>

namespace halcyon::compiler {

namespace {

/// body(canonical number, number in memory) for each element of a sample.
template <class Body>
void for_each_in_sample(const Layout& layout, const Body& body) {
  int64_t positions = 1;
  for (int axis = 0; axis < layout.spatial_rank(); ++axis) positions *= layout.shape.spatial(axis);
  for (int64_t c = 0; c < layout.channels(); ++c) {
    for (int64_t p = 0; p < positions; ++p) {
      int64_t at = c / layout.block * layout.block_stride() + c % layout.block;
      int64_t rest = p;
      for (int axis = layout.spatial_rank() - 1; axis >= 0; --axis) {
        const int64_t extent = layout.shape.spatial(axis);
        at += (rest % extent + layout.halo(axis)) * layout.spatial_stride(axis);
        rest /= extent;
      }
      body(c * positions + p, at);
    }
  }
}

template <class Body>
void for_each(const Layout& layout, int64_t batch, const Body& body) {
  const int64_t elements = with_batch(layout.shape, 1).elements();
  for (int64_t n = 0; n < batch; ++n) {
    for_each_in_sample(layout, [&](int64_t canonical, int64_t at) {
      body(static_cast<std::size_t>(n * elements + canonical), n * layout.sample_stride() + at);
    });
  }
}

template <class Body>
void for_each(const WeightLayout& layout, const Body& body) {
  const int64_t elements = with_batch(layout.sample.shape, 1).elements();
  for (int64_t k = 0; k < layout.filters; ++k) {
    const int64_t filter = k / layout.filter_block * layout.filter_block_stride();
    for_each_in_sample(layout.sample, [&](int64_t canonical, int64_t at) {
      body(static_cast<std::size_t>(k * elements + canonical),
           filter + at * layout.filter_block + k % layout.filter_block);
    });
  }
}

template <class T>
void write(double value, int64_t at, std::byte* memory) {
  const T typed = static_cast<T>(value);
  std::memcpy(memory + at * static_cast<int64_t>(sizeof(T)), &typed, sizeof(T));
}

template <class T>
double read(int64_t at, const std::byte* memory) {
  T typed;
  std::memcpy(&typed, memory + at * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return static_cast<double>(typed);
}

}  // namespace

void store(const HostTensor& tensor, const Layout& layout, int64_t batch, std::byte* memory) {
  for_each(layout, batch, [&](std::size_t i, int64_t at) {
    switch (layout.dtype) {
      case DType::f32: return write<float>(tensor.values[i], at, memory);
      case DType::i32: return write<int32_t>(tensor.values[i], at, memory);
      case DType::u8: return write<uint8_t>(tensor.values[i], at, memory);
    }
  });
}

void store(const HostTensor& tensor, const WeightLayout& layout, std::byte* memory) {
  for_each(layout, [&](std::size_t i, int64_t at) { write<float>(tensor.values[i], at, memory); });
}

HostTensor load(const Shape& shape, const Layout& layout, int64_t batch, const std::byte* memory) {
  HostTensor tensor = zeros(with_batch(shape, batch));
  for_each(layout, batch, [&](std::size_t i, int64_t at) {
    tensor.values[i] = layout.dtype == DType::f32   ? read<float>(at, memory)
                       : layout.dtype == DType::i32 ? read<int32_t>(at, memory)
                                                    : read<uint8_t>(at, memory);
  });
  return tensor;
}

HostTensor load(const Shape& shape, const WeightLayout& layout, const std::byte* memory) {
  HostTensor tensor = zeros(shape);
  for_each(layout, [&](std::size_t i, int64_t at) { tensor.values[i] = read<float>(at, memory); });
  return tensor;
}

}  // namespace halcyon::compiler
