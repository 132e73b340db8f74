#pragma once
/// A bound that the user sets on the memory a network works in.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

namespace halcyon::runtime {

/// --workspace-limit BYTES, with K, M or G for 2^10, 2^20 and 2^30.
void add_workspace_limit_to(CLI::App& command, uint64_t& limit_bytes);

/// `bytes_of` says what a batch needs; a limit of 0 is none.
/// Errors: UserError saying how much `what` needs, and which batch would fit.
void check_workspace_limit(uint64_t limit_bytes, const std::string& what, int64_t batch,
                           const std::function<uint64_t(int64_t batch)>& bytes_of);

}  // namespace halcyon::runtime
