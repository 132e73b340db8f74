#pragma once
/// Counts what the whole test program takes with operator new.

#include <cstdint>

namespace halcyon::tests {

/// Calls of operator new so far, by any thread.
int64_t allocation_count();

}  // namespace halcyon::tests
