#pragma once
/// From what the user names on the command line to a graph.

#include <chrono>
#include <optional>
#include <string>

#include "compiler/onnx/import.h"
#include "dsl/graph.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

inline constexpr std::chrono::seconds kSourceTimeout{60};

/// A network, and the values of its parameters where the source holds them.
struct Source {
  dsl::Graph graph;
  std::optional<runtime::WeightFile> weights = {};
};

/// `name` is a DSL file (".cpp", compiled by $CXX or c++ and run, each for `limit` at most), a
/// model
/// (".onnx", imported with `options`), or "zoo:NAME" or "zoo:NAME:HEIGHTxWIDTHxCHANNELS". No
/// temporary files are left, not even by SIGINT.
/// Errors: UserError for unknown names, files that do not compile (with the compiler's own
/// messages) or do not end, models that cannot be imported, and networks that break a rule;
/// SystemError when there is no C++ compiler.
Source load_source(const std::string& name, std::chrono::seconds limit = kSourceTimeout,
                   const ImportOptions& options = {});

bool is_model_file(const std::string& source);

}  // namespace halcyon::compiler
