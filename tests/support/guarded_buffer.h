#pragma once
/// Memory between two pages that nobody may touch: a read or write beyond its end, or in front of
/// its begin, ends the test program. Sanitizers do not see what generated code does.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace halcyon::tests {

class GuardedBuffer {
 public:
  enum class Against { begin, end };

  /// `size_bytes` of zeros right behind, or right in front of, a forbidden page.
  GuardedBuffer(std::size_t size_bytes, Against side) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t inside = (size_bytes + page - 1) / page * page;
    mapped_bytes_ = inside + 2 * page;
    mapped_ = ::mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped_ == MAP_FAILED) throw std::runtime_error("cannot map memory");
    std::byte* first = static_cast<std::byte*>(mapped_) + page;
    if (inside > 0 && ::mprotect(first, inside, PROT_READ | PROT_WRITE) != 0) {
      throw std::runtime_error("cannot open memory");
    }
    data_ = side == Against::begin ? first : first + (inside - size_bytes);
  }
  ~GuardedBuffer() { ::munmap(mapped_, mapped_bytes_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  void* data() { return data_; }

 private:
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::byte* data_ = nullptr;
};

}  // namespace halcyon::tests
