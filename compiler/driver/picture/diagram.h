#pragma once
/// What a picture of a graph shows, before anything is drawn: a box for each node that computes,
/// an edge for each value that one of them reads from another, a group for each fused region.
/// Parameters are no boxes: they are facts of the nodes that read them.

#include <string>
#include <vector>

#include "compiler/program.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// What a box is coloured by.
enum class Kind {
  source,  ///< inputs and results: what the host sees
  convolution,
  dense,
  pooling,
  normalisation,
  pointwise,
  movement,  ///< concat, flatten, slice, ...: computes nothing
  gradient,  ///< made by differentiate
  other,
};

/// One line about a box or a group; a value may have several lines.
struct Fact {
  std::string name, value;
};

struct Box {
  std::string name;
  std::string brief;  ///< "conv 5x5, 16"
  Kind kind = Kind::other;
  int group = -1;              ///< index of its group; -1: none
  bool training_only = false;  ///< written by the user, dropped from an inference library
  std::vector<Fact> facts;
};

struct Edge {
  int from = 0, to = 0;
  int output = 0;      ///< which of the outputs of `from`
  std::string shape;   ///< "[N,16,10,10]"
  std::string layout;  ///< "NCHW16c halo 2"; empty for a value that is not stored
};

/// Boxes that run as one loop nest.
struct Group {
  std::string name;  ///< "kernel 3"
  std::vector<int> boxes;
  std::vector<Fact> facts;
};

struct Diagram {
  std::vector<Box> boxes;
  std::vector<Edge> edges;
  std::vector<Group> groups;
};

/// The network as it was written. `train`: losses and what only they need count as the rest does.
Diagram diagram_of(const Graph& graph, bool train);
/// What the passes made of it: fused regions, layouts, places and kernels for that machine.
Diagram diagram_of(const Program& program, const Target& target);

}  // namespace halcyon::compiler
