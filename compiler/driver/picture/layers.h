#pragma once
/// The layers of a drawing: which box stands in which, in what order. Part of layered_layout.

#include <vector>

#include "compiler/driver/picture/layered_layout.h"

namespace halcyon::compiler {

/// A box, or a point of a long link where it passes a layer.
struct Vertex {
  int box = -1;  ///< -1: a point
  int layer = 0;
  double width = 0;
  double label = 0;  ///< as Size::label
  double x = 0;      ///< centre
  std::vector<int> up, down;

  bool is_point() const { return box < 0; }
};

struct Layers {
  std::vector<Vertex> vertices;          ///< boxes first, under their own numbers
  std::vector<std::vector<int>> rows;    ///< vertices from left to right
  std::vector<std::vector<int>> chains;  ///< for each link: its vertices from top to bottom; none
                                         ///< if it was left out

  Vertex& operator[](int v) { return vertices.at(static_cast<std::size_t>(v)); }
  const Vertex& operator[](int v) const { return vertices.at(static_cast<std::size_t>(v)); }
};

/// Each box one layer below the lowest that it follows, points where links pass layers, and an
/// order in every layer with few crossings. Links of one box share their points.
Layers make_layers(const std::vector<Size>& boxes, const std::vector<Link>& links, int most_beside);

/// Gives every vertex its x: at least `gap` between neighbours, each as close as can be below what
/// it follows, long links straight.
void place_in_rows(Layers& layers, double gap);

}  // namespace halcyon::compiler
