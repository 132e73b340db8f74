#pragma once
/// The operators of ONNX that can be imported, one row each. The list that users see
/// (README.md beside this file) is made from it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace halcyon::compiler {

class NodeImport;

/// Operator sets that models may be written in. The newest one is what Debian 12's ONNX knows; one
/// that PyTorch's first exporter wrote is older than the oldest that ONNX Runtime reads.
inline constexpr int64_t kOldestOpset = 6;
inline constexpr int64_t kNewestOpset = 17;

/// Sets the node's outputs. Errors: UserError, without the node in front.
using ImportRule = void (*)(NodeImport&);

struct OperatorRow {
  std::string_view name;
  int64_t since;  ///< operator set in which it appeared
  ImportRule rule;
  std::string_view limits;  ///< what is not supported; empty: nothing is left out
};

/// Sorted by name.
std::span<const OperatorRow> operator_rows();

/// nullptr where there is none.
const OperatorRow* find_operator(std::string_view name);

/// The list for people: a table in Markdown.
std::string operator_table();

}  // namespace halcyon::compiler
