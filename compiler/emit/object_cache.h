#pragma once
/// Compiled kernels on disk, by content. A damaged or foreign entry counts as absent: it is built
/// again.

#include <filesystem>
#include <optional>

#include "compiler/emit/kernel.h"

namespace halcyon::compiler {

class ObjectCache {
 public:
  /// An empty folder means no cache. The folder is made when the first entry is stored.
  explicit ObjectCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// $HALCYON_CACHE, or halcyon below $XDG_CACHE_HOME or ~/.cache; empty where $HALCYON_CACHE is.
  static std::filesystem::path default_folder();

  std::optional<KernelObject> find(const std::string& symbol) const;
  /// A cache that cannot be written is no error: the kernel is there, only not for the next time.
  void store(const KernelObject& kernel) const;

 private:
  std::filesystem::path path_of(const std::string& symbol) const;

  std::filesystem::path folder_;
};

/// The kernels of all specs, each different one once, from the cache or compiled on `jobs` threads.
struct KernelBuild {
  std::vector<KernelObject> kernels;  ///< sorted by symbol
  int64_t compiled = 0;               ///< the others came from the cache
};
KernelBuild build_kernels(const std::vector<KernelSpec>& specs, const ObjectCache& cache, int jobs);

}  // namespace halcyon::compiler
