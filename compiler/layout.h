#pragma once
/// The physical form of a value.
///
/// One formula serves every form. Channels are cut into blocks of `block`; one sample is
///   [channel block][spatial with halo ...][block]
/// so that NHWC is a single block of all channels, NCHW has blocks of one, and NCHW[c] has blocks of the vector
/// width. A halo is a border of zeros which lets padded convolutions read without a copy.
/// Weights have a block on K and on C:
///   [K block][C block][R][S][C in block][K in block]

#include <array>
#include <cstdint>
#include <string>

#include "runtime/base/shape.h"

namespace halcyon::compiler {

/// Form of one activation. Invariant: padded channels (beyond the shape's) always hold zeros.
struct Layout {
  Shape shape;                       ///< logical [N,C,spatial...] ([N,C] has no spatial axes)
  DType dtype = DType::f32;
  int64_t block = 1;                 ///< channels in a block
  std::array<int64_t, 3> before = {};  ///< halo at the begin of each spatial axis
  std::array<int64_t, 3> after = {};   ///< halo at the end

  int64_t channels() const { return shape.rank > 1 ? shape[1] : 1; }
  int64_t blocks() const { return (channels() + block - 1) / block; }
  int64_t extent(int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    return shape.spatial(axis) + before[a] + after[a];
  }
  bool has_halo() const { return before != Halo{} || after != Halo{}; }

  // Strides in elements, within a sample.
  int64_t spatial_stride(int axis) const {
    int64_t stride = block;
    for (int a = shape.spatial_rank() - 1; a > axis; --a) stride *= extent(a);
    return stride;
  }
  int64_t block_stride() const { return shape.spatial_rank() > 0 ? spatial_stride(-1) : block; }
  int64_t sample_elements() const { return blocks() * block_stride(); }
  int64_t sample_bytes() const { return sample_elements() * size_bytes(dtype); }

  bool operator==(const Layout&) const = default;

 private:
  using Halo = std::array<int64_t, 3>;
};

/// "f32[N,8,14,14] block 8 halo 1,1/1,1"
std::string to_string(const Layout& layout);

}  // namespace halcyon::compiler
