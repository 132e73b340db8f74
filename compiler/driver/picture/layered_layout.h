#pragma once
/// A directed graph drawn in layers from top to bottom: sizes and links in, positions and routes
/// out. Knows nothing of networks.
///
/// A convolutional network is nearly a chain, so a drawing in layers is a narrow strip, hundreds of
/// layers long in the worst case. Where a single value passes from one layer to the next the strip
/// may be cut, and the parts stand side by side like the columns of a newspaper.
///
/// Source: Sugiyama, Tagawa and Toda 1981 (layers, order by barycentres); positions are those of
/// layer_positions.cpp.

#include <limits>
#include <optional>
#include <vector>

namespace halcyon::compiler {

struct Point {
  double x = 0, y = 0;  ///< y grows downwards
};

struct Size {
  double width = 0, height = 0;
  double label = 0;  ///< how far a label below it reaches to the right of its centre
};

/// Links must not form a circle.
struct Link {
  int from = 0, to = 0;
  std::optional<double> port = {};  ///< where it enters, from the centre of `to`; else chosen
};

struct LayoutOptions {
  double gap_x = 24;  ///< between neighbours of a layer
  double gap_y = 44;  ///< between layers
  double gap_columns = 72;
  double page_width = 1650;   ///< columns are made as long as they fit beside each other
  double least_height = 480;  ///< of a column, where there are more
  int most_beside = 12;       ///< links that pass beside the boxes of a layer; more are left out
};

struct Drawing {
  std::vector<Point> corners;              ///< upper left, one for each box
  std::vector<std::vector<Point>> routes;  ///< one for each link; none for one that was left out
  double width = 0, height = 0;
};

Drawing lay_out(const std::vector<Size>& boxes, const std::vector<Link>& links,
                const LayoutOptions& options);

}  // namespace halcyon::compiler
