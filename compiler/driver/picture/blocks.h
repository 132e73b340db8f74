#pragma once
/// What the layout of a diagram moves about: a box of its own, or a group as a stack of its boxes.

#include <string>
#include <vector>

#include "compiler/driver/picture/diagram.h"
#include "compiler/driver/picture/layered_layout.h"

namespace halcyon::compiler {

/// A rectangle of boxes. Positions are relative to its upper left corner.
struct Block {
  int group = -1;  ///< -1: a single box without a group
  std::vector<int> boxes;
  std::vector<Point> corners;
  Size box_size;  ///< of each of them
  Size size;

  bool has_frame() const { return boxes.size() > 1; }
};

/// A line from block to block, or inside one.
struct Line {
  int edge = 0;
  int from_block = 0, to_block = 0;
  int place = 0;  ///< of the box that reads, in its block
};

struct Blocks {
  std::vector<Block> list;
  std::vector<int> block_of;  ///< for each box
  std::vector<Line> lines;    ///< one for each edge
};

Blocks make_blocks(const Diagram& diagram);

/// What a box says in its two lines: names that are too long lose their middle.
std::string shown_name(const Box& box);
std::string shown_brief(const Box& box);

inline constexpr double kBoxHeight = 42, kFramePadding = 9, kFrameTitle = 18, kStackGap = 8;
inline constexpr double kRail = 14;  ///< beside the stack, for lines that enter below its first box

}  // namespace halcyon::compiler
