#pragma once
/// A compiled network applied to files: what `halcyon run` does once the code is there, and the
/// whole of a program that `halcyon compile --emit exe` makes.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/program/inputs.h"
#include "runtime/program/outputs.h"
#include "runtime/weights.h"

namespace halcyon::runtime {

/// What the user may say about a run.
struct RunOptions {
  InputOptions input;
  OutputOptions output;
  std::string weights;  ///< empty: those that are linked in, or random ones
  uint64_t seed = 0;
  int threads = 0;
  uint64_t workspace_limit = 0;  ///< bytes; 0: none

  void add_to(CLI::App& command);
};

/// Reads, infers, and writes or prints. Everything that can be found wrong is found before a file
/// is written. `own` are the network's weights unless the options name a file.
/// Errors: UserError and SystemError, naming the file or the option.
void run_network(const halcyon_network& info, const RunOptions& options,
                 const WeightFile* own = nullptr);

}  // namespace halcyon::runtime
