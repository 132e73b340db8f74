#pragma once
/// Compile options for tests: every test program shares one folder of compiled kernels, so that
/// only the first run after a change of the compiler is slow. The build names the folder.

#include "compiler/driver/compile.h"

namespace halcyon::tests {

inline compiler::CompileOptions cached_options() {
  compiler::CompileOptions options;
  options.cache = HALCYON_TEST_CACHE;
  return options;
}

}  // namespace halcyon::tests
