#pragma once
/// A compiled network inside this process: the same object code as in a library, for `halcyon
/// train`, `run` and the tests, without a linker.

#include <memory>

#include "compiler/driver/compile.h"
#include "runtime/base/abi.h"

namespace halcyon::compiler {

/// Owns the loaded code; what info() points at lives as long as this.
class LoadedNetwork {
 public:
  /// Errors: UserError if the artifact was compiled for instructions that this machine lacks.
  explicit LoadedNetwork(const Artifact& artifact);
  ~LoadedNetwork();
  LoadedNetwork(LoadedNetwork&&) noexcept;

  const halcyon_network& info() const { return *info_; }
  /// The address of one kernel, for profiling.
  void* kernel(const std::string& symbol) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
  const halcyon_network* info_ = nullptr;
};

}  // namespace halcyon::compiler
