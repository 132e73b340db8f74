#pragma once
/// How the language says each operator: which layer, with which arguments and options. Defaults are
/// left out.

#include <optional>
#include <string>
#include <vector>

#include "dsl/graph.h"

namespace halcyon::compiler {

/// Nodes that one layer adds, one behind the other: parameters, what it computes first, the result.
struct LayerNodes {
  int32_t first = 0;
  int32_t last = 0;
  int32_t parameters = 0;
};

/// The layer whose nodes begin with this parameter and are called as it calls them.
std::optional<LayerNodes> layer_at(const dsl::Graph& graph, int32_t id);

/// A call of the language.
struct SourceWords {
  /// Where the node's name stands, if it has one of its own.
  enum class NameAs {
    option,    ///< conv(8, 5, {.name = "stem"})
    argument,  ///< add(a, b, "sum")
    wrapper,   ///< named(relu, "active")
    pair,      ///< custom({"swish", "active"}, ...)
  };

  std::string kind;  ///< a node without a name is called so, and a number
  std::string callee;
  std::vector<std::string> arguments = {};
  std::vector<std::string> options = {};  ///< ".pad = 1"
  NameAs name_as = NameAs::option;
  std::string before_name = {};  ///< a default that has to stand in front of a name
  bool is_layer = true;          ///< applied with |, else a call whose arguments hold kInputMark

  /// `name` is quoted, or empty.
  std::string text(const std::string& name) const;
};

/// The ways to say a layer, the plainest first. `initializers`: of its parameters, in order.
std::vector<SourceWords> layer_words(const dsl::Graph& graph, const LayerNodes& layer,
                                     const std::vector<std::string>& initializers);

/// The same for a node without parameters of its own; empty where there is none.
std::vector<SourceWords> call_words(const dsl::Graph& graph, int32_t id);

/// "net.input(...)"; empty where the language has no word for it.
std::string input_text(const dsl::Node& node, const dsl::ops::Input& input);

/// "he()", for every rule but given values.
std::string initializer_words(const dsl::ops::Parameter& parameter);

}  // namespace halcyon::compiler
