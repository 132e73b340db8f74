#pragma once
/// Who may include whom: the arrows between the folders, read from the `#include` lines of the
/// sources. Not a preprocessor: lines inside comments or `#if` count as well.

#include <filesystem>
#include <string>
#include <vector>

namespace halcyon::structure {

/// An `#include` that an arrow forbids.
struct Finding {
  std::string file;  ///< from the root of the tree
  int line = 0;
  std::string text;  ///< what is included, and why that is wrong
};

/// "runtime/weights.cpp:12: includes ..."
std::string to_text(const Finding& finding);

/// All forbidden includes below `root`, sorted by file and line. Looks at the folders runtime, dsl
/// and compiler; examples, tests and benchmarks may include anything. Errors:
/// std::filesystem::filesystem_error when the tree cannot be read.
std::vector<Finding> find_forbidden_includes(const std::filesystem::path& root);

/// How many files find_forbidden_includes looks at: a check of nothing finds nothing.
int64_t count_checked_files(const std::filesystem::path& root);

}  // namespace halcyon::structure
