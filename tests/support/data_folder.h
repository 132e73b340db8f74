#pragma once
/// Where real data lies: $HALCYON_DATA, or beside the repository. Tests of it are skipped where it
/// is not.

#include <cstdlib>
#include <filesystem>

namespace halcyon::tests {

inline std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("HALCYON_DATA")) return folder;
  return HALCYON_DEFAULT_DATA;
}

}  // namespace halcyon::tests
