#pragma once
/// Counts what the whole program takes from the C library's heap; operator new goes there, too.

#include <cstdint>

namespace halcyon::tests {

/// False where a sanitizer owns malloc.
bool counts_mallocs();

/// Calls of malloc, calloc, realloc, posix_memalign and aligned_alloc so far, by any thread.
int64_t malloc_count();

}  // namespace halcyon::tests
