#pragma once
/// A folder for the files of one test, removed with everything in it at the end.

#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace halcyon::tests {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "halcyon_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

  /// How many files and folders are in it.
  std::size_t count() const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      found += entry.path().empty() ? 0 : 1;
    }
    return found;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace halcyon::tests
