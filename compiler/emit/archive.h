#pragma once
/// A static library from object files.

#include <cstddef>
#include <string>
#include <vector>

namespace halcyon::compiler {

struct ArchiveMember {
  std::string name;  ///< "conv.o"
  std::vector<std::byte> bytes;
};

/// The bytes of a GNU archive with a symbol table; the same members give the same bytes.
std::vector<std::byte> make_archive(const std::vector<ArchiveMember>& members);

}  // namespace halcyon::compiler
