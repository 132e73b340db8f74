#pragma once
/// Shared libraries and programs, linked by the user's C compiler: $CC, or cc.

#include <chrono>
#include <filesystem>

#include "compiler/driver/compile.h"

namespace halcyon::compiler {

/// Writes libNAME.so, NAME.h, NAME.hpp and NAME.json. Only what NAME.h declares can be seen from
/// outside.
/// Errors: SystemError if there is no C compiler, or the folder cannot be written; UserError with
/// the compiler's messages if it cannot link for this target. Then nothing is written.
void write_shared_library(const Artifact& artifact, const std::filesystem::path& folder,
                          std::chrono::seconds limit);

/// Writes the program NAME, which reads and writes files as `halcyon run` does. It needs libc and
/// libm.
/// Errors: as write_shared_library; UserError for another kind of machine than this one.
void write_program(const Artifact& artifact, const std::filesystem::path& folder,
                   std::chrono::seconds limit);

}  // namespace halcyon::compiler
