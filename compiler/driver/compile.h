#pragma once
/// The compiler as a library: a graph and options in, an artifact out.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/emit/interface.h"
#include "compiler/emit/kernel.h"
#include "compiler/passes/pipeline.h"

namespace halcyon::compiler {

struct CompileOptions {
  std::string name;  ///< of the library; empty: the network's own
  std::string target = "host";
  bool train = false;
  dsl::ops::Optimizer optimizer = dsl::ops::Optimizer::momentum;
  std::vector<std::string> freeze;
  FusionChoice fusing;
  bool exact = false;                          ///< see PassContext
  std::function<Choice(const Space&)> choose;  ///< see PassContext
  std::filesystem::path cache;                 ///< empty: none
  int jobs = 0;                                ///< threads that compile; 0: all
  /// Called behind each pass, with "inference" or "training"; false stops the compilation there.
  std::function<bool(const char* which, const Program&, const PassRecord&)> observe;
};

/// What the passes may look at.   Errors: as parse_target.
PassContext pass_context(const CompileOptions& options);

/// What was compiled, in memory.
struct Artifact {
  Interface interface;
  Program inference;
  std::optional<Program> training;
  std::vector<KernelObject> kernels;
  std::vector<std::byte> entry;  ///< object file of the functions that the host calls
  std::string c_header, cpp_header, manifest;
  int64_t kernels_compiled = 0;  ///< the rest came from the cache
  Scratch scratch;
  Scratch train_scratch;

  /// What NAME_workspace_bytes and NAME_train_workspace_bytes return.
  int64_t workspace_bytes(int64_t batch, int64_t workers) const;
  int64_t train_workspace_bytes(int64_t batch, int64_t workers) const;
};

/// Errors: UserError for networks that cannot be compiled as asked. Empty when `observe` stopped
/// it.
std::optional<Artifact> compile(const dsl::Graph& graph, const CompileOptions& options);

/// The bytes of libNAME.a.
std::vector<std::byte> library_archive(const Artifact& artifact);

/// Writes libNAME.a, NAME.h, NAME.hpp and NAME.json, each atomically.
/// Errors: SystemError if the folder cannot be made or written.
void write_library(const Artifact& artifact, const std::filesystem::path& folder);

/// Parts of write_library that other kinds of libraries share.
void make_folder(const std::filesystem::path& folder);
void write_headers(const Artifact& artifact, const std::filesystem::path& folder);

}  // namespace halcyon::compiler
