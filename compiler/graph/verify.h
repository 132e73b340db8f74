#pragma once
/// What a legal graph is. It is asked of what a user hands over and again after every pass.

#include "dsl/graph.h"

namespace halcyon::compiler {

/// Where on its way through the compiler a graph stands; each stage has rules of its own.
enum class Stage {
  source,     ///< from a generator or a file, before any pass: the mistakes are the user's
  passes,     ///< between passes
  inference,  ///< when the inference passes are through: neither losses nor targets
  training,   ///< when the training passes are through: one update, and behind it copies of outputs
              ///< alone
};

/// Always: inputs stand above their uses and exist, shapes are what the shape rules give, numbers
/// are finite, class numbers are read by losses only, names of inputs, outputs, losses and
/// parameters are unique, losses are scalars, labels have classes, given values are there. Source,
/// too: the network and its names are usable, outputs are there and need no target, every input and
/// parameter is read. Errors: UserError at Stage::source, InternalError later, with the node and
/// its place.
void verify(const dsl::Graph& graph, Stage stage = Stage::passes);

}  // namespace halcyon::compiler
