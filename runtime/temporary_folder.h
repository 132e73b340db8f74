#pragma once
/// A folder that is removed with everything in it.

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "runtime/base/error.h"

namespace halcyon::runtime {

class TemporaryFolder {
 public:
  /// Errors: SystemError if $TMPDIR, or /tmp, takes no folder.
  TemporaryFolder() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) {
      throw SystemError("cannot make a temporary folder: " + error.message(),
                        "the environment variable TMPDIR must name a folder, or none be set");
    }
    std::string pattern = (parent / "halcyon-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw SystemError("cannot make a temporary folder in '" + parent.string() +
                        "': " + std::generic_category().message(errno));
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace halcyon::runtime
