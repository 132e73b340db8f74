#pragma once
/// A folder for the files of one test.

#include <cstddef>
#include <filesystem>
#include <iterator>

#include "runtime/temporary_folder.h"

namespace halcyon::tests {

class TemporaryFolder : public runtime::TemporaryFolder {
 public:
  /// How many files and folders are in it.
  std::size_t count() const {
    const std::filesystem::directory_iterator entries(path());
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }
};

}  // namespace halcyon::tests
