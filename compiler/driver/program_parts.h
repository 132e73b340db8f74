#pragma once
/// The archives that every program with a network in it is linked from. They lie inside `halcyon`
/// itself, so it can be moved, and needs no folder of its own.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halcyon::compiler {

struct ProgramPart {
  std::string_view name;  ///< "libhalcyon_runtime.a"
  std::span<const std::byte> bytes;
};

/// In the order in which a linker wants them.
std::vector<ProgramPart> program_parts();

/// What the link needs beside them: "-lm".
std::vector<std::string> program_link_options();

}  // namespace halcyon::compiler
