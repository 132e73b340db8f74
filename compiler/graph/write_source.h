#pragma once
/// A graph as a network file: C++ in the language, to be read, changed and compiled again.
///
///   constexpr Network lenet5() {
///     Network net("lenet5");
///     Tensor x = net.input("image", {.height = 32, .width = 32, .channels = 3});
///     x = x | conv_relu(8, 5) | max_pool(2) | conv_relu(16, 5) | max_pool(2) | flatten |
///         dense(120) | relu | dense(84) | relu | dense(10);
///     net.output("scores", x | softmax);
///     return net;
///   }
///
/// What is compiled of it is the same graph: nodes, their order, names, attributes, initialisers;
/// places alone are those of the new file.

#include <string>

#include "dsl/graph.h"

namespace halcyon::compiler {

/// `comment`: what stands at the top, one line.
/// Errors: UserError for what the language cannot say, with the node and its place: see
/// source_steps().
std::string write_source(const dsl::Graph& graph, const std::string& comment = {});

}  // namespace halcyon::compiler
