#pragma once
/// Options that several commands share, bound to the command line.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "compiler/driver/source.h"
#include "dsl/graph.h"

namespace halcyon::compiler {

/// What the user may say about how to compile.
struct CompileFlags {
  std::string source;
  std::string name;
  std::string target = "host";
  std::string optimizer = "momentum";
  std::string cache;  ///< empty: the default folder; "none": no cache
  std::vector<std::string> freeze;
  std::vector<std::string> input_shapes;  ///< none: the network's own
  std::vector<std::string> no_fuse;       ///< kinds of fusion to do without, for comparison
  bool exact = false;                     ///< no Winograd
  int jobs = 0;
  int64_t source_timeout_s = kSourceTimeout.count();

  /// SRC and --source-timeout, for commands that compile nothing.
  void add_network_to(CLI::App& command);
  /// Those, --target, --no-fuse and --exact.
  void add_source_to(CLI::App& command);
  /// Those and what compiling kernels takes.
  void add_to(CLI::App& command);
  /// `train` is the flag without which these options mean nothing, if the command has one.
  void add_training_to(CLI::App& command, CLI::Option* train = nullptr);
  /// --input-shape, for commands that do not train, and for models.
  CLI::Option* add_input_shape_to(CLI::App& command);
  CompileOptions options(bool train) const;
  FusionChoice fusing() const;
  /// Errors: as load_source and, with --input-shape, fully_convolutional.
  Source load() const;
};

}  // namespace halcyon::compiler
