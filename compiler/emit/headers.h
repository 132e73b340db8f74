#pragma once
/// The texts that come with a library: C header, C++ header, manifest.

#include <string>

#include "compiler/emit/interface.h"

namespace halcyon::compiler {

/// Figures that only the manifest shows.
struct LibraryFacts {
  int64_t workspace_bytes_batch1 = 0;  ///< one worker
  int64_t train_workspace_bytes_batch1 = 0;
  int64_t macs = 0;
  std::vector<std::string> kernels;  ///< "conv1+pool1+relu1: tile_x=7" in order of execution
  std::vector<std::string> train_kernels;
};

std::string c_header(const Interface& interface);
std::string cpp_header(const Interface& interface);
std::string manifest(const Interface& interface, const LibraryFacts& facts);

}  // namespace halcyon::compiler
