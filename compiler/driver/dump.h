#pragma once
/// A program as text, with what the passes have decided so far.

#include <string>

#include "compiler/program.h"

namespace halcyon::compiler {

/// The graph (dsl/print.h), then regions, layouts and memory as far as they exist.
std::string program_text(const Program& program);

/// "workspace + N * 128": where a value lies, N being the batch.
std::string to_string(const Place& place);

}  // namespace halcyon::compiler
