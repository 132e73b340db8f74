#include "tests/e2e/count_mallocs.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

namespace halcyon::tests {

bool counts_mallocs() { return false; }
int64_t malloc_count() { return 0; }

}  // namespace halcyon::tests

#else

namespace halcyon::tests {
namespace {

std::atomic<int64_t> count{0};

void add_one() { count.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

bool counts_mallocs() { return true; }
int64_t malloc_count() { return count.load(std::memory_order_relaxed); }

}  // namespace halcyon::tests

using halcyon::tests::add_one;

// The names under which glibc's own functions can be had when a program replaces them.
extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  add_one();
  return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) {
  add_one();
  return __libc_calloc(items, size);
}
void* realloc(void* memory, std::size_t size) {
  add_one();
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  add_one();
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  add_one();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  add_one();
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"

#endif
