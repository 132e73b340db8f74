#pragma once
/// The nodes of a graph as the steps of a network file: a layer with its parameters, a call, a
/// source. What lies between steps, variables and chains, is compiler/graph/write_source.h.

#include <string>
#include <vector>

#include "dsl/graph.h"

namespace halcyon::compiler {

/// Values that a network gives itself, where they are too many for the line that uses them.
struct SourceTable {
  std::string name;  ///< "kPriors"
  const std::vector<float>* values;
};

/// What one call of the language adds to a network.
struct SourceStep {
  enum class Form {
    input,   ///< net.input(...): a statement of its own
    source,  ///< net.parameter(...), net.labels(...): may stand inside the call that reads it
    layer,   ///< conv(...): applied to inputs[0] with |
    call,    ///< "add(" inputs ")"
  };
  Form form = Form::call;
  /// The call; where a call's inputs stand there is a '\1' for each.
  std::string text;
  std::vector<dsl::Value> inputs;  ///< without the layer's own parameters
  int32_t node = 0;                ///< what it gives: the last of its nodes
};

/// The mark in SourceStep::text in whose place an input stands.
inline constexpr char kInputMark = '\1';

struct SourceSteps {
  std::vector<SourceStep> steps;
  std::vector<SourceTable> tables;
};

/// In the order of the nodes, each of which belongs to one step.
/// Errors: UserError for what the language cannot say: names that it refuses, operators that only
/// the compiler makes, parameters that are frozen by themselves.
SourceSteps source_steps(const dsl::Graph& graph);

}  // namespace halcyon::compiler
