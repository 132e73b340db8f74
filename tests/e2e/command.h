#pragma once
/// The program halcyon as a user meets it: words in, a status and one message out.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/run_program.h"

namespace halcyon::tests {

/// A command of halcyon's; compiled kernels come from the build's cache.
inline Command halcyon_command(std::vector<std::string> words) {
  words.insert(words.begin(), HALCYON_PROGRAM);
  // Halide and LLVM leak by design, and look like races to a thread sanitizer.
  return {.words = std::move(words),
          .environment = {{"HALCYON_CACHE", HALCYON_KERNEL_CACHE},
                          {"CXX", HALCYON_CXX},
                          {"ASAN_OPTIONS", "detect_leaks=0"},
                          {"TSAN_OPTIONS", "report_bugs=0"}}};
}

inline Finished run_halcyon(std::vector<std::string> words) {
  return run_program(halcyon_command(std::move(words)));
}

/// Fails unless the program ended with `status` and one message that contains all of `parts`.
template <typename... Parts>
void expect_failure(const Finished& finished, int status, const Parts&... parts) {
  EXPECT_EQ(finished.status, status) << finished.errors;
  std::size_t messages = 0;
  for (const std::string& line : lines_of(finished.errors)) {
    messages += line.starts_with("error: ") ? 1 : 0;
  }
  EXPECT_EQ(messages, 1u) << finished.errors;
  for (const std::string& part : {std::string(parts)...}) {
    EXPECT_NE(finished.errors.find(part), std::string::npos)
        << "text: " << finished.errors << "lacks: " << part;
  }
}

/// Names of what a folder holds, sorted; empty for a folder that is not there.
inline std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  if (!std::filesystem::is_directory(folder)) return names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace halcyon::tests
