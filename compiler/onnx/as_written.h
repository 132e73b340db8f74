#pragma once
/// Imported graphs in the form in which the language writes networks, so that they have a source to
/// be read (compiler/graph/write_source.h), and that a network which was exported comes back as it
/// was.
///
/// - Parameters stand in front of the layer that reads them, and are called LAYER.weight,
///   LAYER.bias, ... A layer is called as its parameters are in the model, if those have such
///   names.
/// - Names that programs make, "/layer1/Relu_2", give way to the language's own: relu1, relu2, ...
/// - An input that is transposed first, and an output that is transposed last, have their channels
///   last.
/// - Slices that cut one axis after the other are one, and what is laid out flat is flattened.
/// - Channels that are sorted by a reshape, a transpose and a reshape are shuffled.

#include "dsl/graph.h"

namespace halcyon::compiler {

dsl::Graph as_written(const dsl::Graph& graph);

/// The same of inputs and outputs alone. The host's memory stays as it is: a picture that the model
/// takes with its channels last is one.
dsl::Graph with_ends_turned(const dsl::Graph& graph);

/// The parameters of layers begin as those of the language's layers do without options; others by
/// their fan-in, or as zeros. Their values are forgotten.
void forget_values(dsl::Graph& graph);

}  // namespace halcyon::compiler
