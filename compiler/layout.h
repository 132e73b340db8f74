#pragma once
/// The physical form of a value.
///
/// One formula serves every form. Channels are cut into blocks of `block`; one sample is
///   [channel block][spatial with halo ...][channel in block]
/// so that NHWC is a single block of all channels, NCHW has blocks of one, and NCHW[c] has blocks
/// of the vector width. A halo is a border of zeros which lets padded convolutions read without a
/// copy. A weight is one such sample per filter, interleaved over a block of filters:
///   [filter block][sample of C, R, S][filter in block]

#include <array>
#include <cstdint>
#include <string>

#include "runtime/base/shape.h"

namespace halcyon::compiler {

/// Form of one activation. Invariant: padded channels (beyond the shape's) always hold zeros.
///
/// A value may be a range of channel blocks in a buffer that others share, such as one input of a
/// concat: then its samples are as far apart as the buffer's.
struct Layout {
  Shape shape;  ///< logical [N,C,spatial...]; [N,C] has no spatial axes, [N] is one channel
  DType dtype = DType::f32;
  int64_t block = 1;                   ///< channels in a block
  std::array<int64_t, 3> before = {};  ///< halo at the begin of each spatial axis
  std::array<int64_t, 3> after = {};   ///< halo at the end
  int64_t buffer_blocks = 0;           ///< channel blocks of a shared buffer; 0: it has its own
  int64_t first_block = 0;             ///< of this value in the shared buffer

  int64_t channels() const { return shape.rank > 1 ? shape[1] : 1; }
  int64_t blocks() const { return (channels() + block - 1) / block; }
  int spatial_rank() const { return shape.spatial_rank(); }
  int64_t halo(int axis) const { return before.at(static_cast<std::size_t>(axis)); }
  /// Extent of a spatial axis with its halo.
  int64_t extent(int axis) const {
    return shape.spatial(axis) + halo(axis) + after.at(static_cast<std::size_t>(axis));
  }
  bool has_halo() const {
    return before != std::array<int64_t, 3>{} || after != std::array<int64_t, 3>{};
  }

  // Strides in elements, within a sample.
  int64_t spatial_stride(int axis) const {
    int64_t stride = block;
    for (int a = spatial_rank() - 1; a > axis; --a) stride *= extent(a);
    return stride;
  }
  int64_t block_stride() const { return spatial_stride(-1); }
  /// Of this value alone.
  int64_t sample_elements() const { return blocks() * block_stride(); }
  int64_t sample_stride() const {
    return (buffer_blocks > 0 ? buffer_blocks : blocks()) * block_stride();
  }
  /// From the begin of the buffer.
  int64_t first_element() const { return first_block * block_stride(); }
  int64_t buffer_bytes() const { return sample_stride() * size_bytes(dtype); }
  int64_t sample_bytes() const { return sample_elements() * size_bytes(dtype); }

  /// The same form in a buffer of its own.
  Layout alone() const {
    Layout own = *this;
    own.buffer_blocks = own.first_block = 0;
    return own;
  }

  bool operator==(const Layout&) const = default;
};

/// Form of a weight [K,C,R,S], of a dense weight [K,C] that reads `sample` flattened, or of a bias
/// [K] (whose sample is a single value). Invariant: padded filters and channels hold zeros.
struct WeightLayout {
  int64_t filters = 1;
  int64_t filter_block = 1;
  Layout sample;  ///< of one filter: [N,C,R,S] as the activation that it meets

  int64_t filter_blocks() const { return (filters + filter_block - 1) / filter_block; }
  int64_t filter_block_stride() const { return sample.sample_elements() * filter_block; }
  int64_t elements() const { return filter_blocks() * filter_block_stride(); }
  int64_t bytes() const { return elements() * 4; }

  bool operator==(const WeightLayout&) const = default;
};

/// Channels in a block: the vector width, or the next power of two where there are fewer channels.
int64_t natural_block(int64_t channels, int64_t vector_width);

/// "f32[N,8,14,14] block 8 halo 1,1/1,1", "... in 4 blocks" where a buffer is shared: all that
/// machine code depends on.
std::string to_string(const Layout& layout);
/// "16 filters in blocks of 16 of f32[N,8,5,5] block 8"
std::string to_string(const WeightLayout& layout);

}  // namespace halcyon::compiler
