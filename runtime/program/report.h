#pragma once
/// How a program of Halcyon's ends: one message on standard error, and a status that says whose
/// mistake it was.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace halcyon::runtime {

enum ExitStatus : int { kUserMistake = 1, kBadUsage = 2, kOurBug = 3 };

/// Parses the words and does what the chosen options call for. `usage` makes the message about
/// words that are not taken.
int run_and_report(CLI::App& app, int argc, const char* const* argv,
                   const std::function<std::string(const CLI::ParseError&)>& usage);

}  // namespace halcyon::runtime
