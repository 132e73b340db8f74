#pragma once
/// Memory aligned as compiled networks want it.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include "runtime/base/abi.h"
#include "runtime/base/error.h"

namespace halcyon::runtime {

/// A block of zeros aligned to HALCYON_ALIGNMENT, owned. Moves, does not copy.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;

  /// Errors: SystemError naming `what` if there is not enough memory.
  AlignedBuffer(uint64_t size_bytes, const std::string& what) : size_bytes_(size_bytes) {
    if (size_bytes == 0) return;
    void* memory = size_bytes > std::numeric_limits<std::size_t>::max()
                       ? nullptr
                       : ::operator new(size_bytes, kAlignment, std::nothrow);
    if (memory == nullptr) {
      throw SystemError("cannot allocate " + std::to_string(size_bytes) + " bytes for " + what);
    }
    data_.reset(static_cast<std::byte*>(memory));
    clear();
  }

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  uint64_t size_bytes() const { return size_bytes_; }

  /// Zeros again.
  void clear() {
    if (data_ != nullptr) std::memset(data_.get(), 0, size_bytes_);
  }

 private:
  static constexpr std::align_val_t kAlignment{HALCYON_ALIGNMENT};
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete(memory, kAlignment); }
  };

  std::unique_ptr<std::byte, Free> data_;
  uint64_t size_bytes_ = 0;
};

}  // namespace halcyon::runtime
