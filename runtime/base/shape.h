#pragma once
/// Extents of a tensor. Activations are [N,C,spatial...] with N symbolic; parameters are all
/// numbers.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "runtime/base/abi.h"

namespace halcyon {

/// The extent of the batch axis: known only when the network runs.
inline constexpr int64_t kBatch = -1;

enum class DType { f32, i32, u8 };

constexpr int64_t size_bytes(DType type) { return type == DType::u8 ? 1 : 4; }

/// Up to HALCYON_MAX_RANK extents, outermost first. Invariant: extents past `rank` are zero.
struct Shape {
  static constexpr int kMaxRank = HALCYON_MAX_RANK;

  std::array<int64_t, kMaxRank> extents = {};
  int rank = 0;

  constexpr Shape() = default;
  constexpr Shape(std::initializer_list<int64_t> list) {
    for (int64_t e : list) push_back(e);
  }

  constexpr void push_back(int64_t extent) {
    extents.at(static_cast<std::size_t>(rank++)) = extent;
  }
  constexpr int64_t operator[](int axis) const {
    return extents.at(static_cast<std::size_t>(axis));
  }
  constexpr int64_t& operator[](int axis) { return extents.at(static_cast<std::size_t>(axis)); }

  /// True for activations, false for parameters and scalars.
  constexpr bool has_batch() const { return rank > 0 && extents[0] == kBatch; }

  /// Number of values; for activations, per sample.
  constexpr int64_t elements() const {
    int64_t product = 1;
    for (int axis = has_batch() ? 1 : 0; axis < rank; ++axis) product *= (*this)[axis];
    return product;
  }

  /// Axes after N and C (activations) or K and C (convolution weights).
  constexpr int spatial_rank() const { return rank > 2 ? rank - 2 : 0; }
  constexpr int64_t spatial(int axis) const { return (*this)[axis + 2]; }

  constexpr bool operator==(const Shape&) const = default;
};

/// "[N,8,28,28]"
inline std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank; ++axis) {
    if (axis > 0) text += ',';
    text += shape[axis] == kBatch ? "N" : std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace halcyon
