#include "compiler/driver/picture/blocks.h"

#include <algorithm>

#include "compiler/driver/picture/escape.h"

namespace halcyon::compiler {

namespace {

constexpr double kLeastWidth = 92, kFramedWidth = 116, kNameAdvance = 8.5, kBriefAdvance = 6.4,
                 kSides = 24;

/// Characters, not bytes.
std::size_t length(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// The first or last `count` characters of valid UTF-8.
std::string beginning(const std::string& text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts && count-- == 0) break;
  }
  return text.substr(0, at);
}
std::string ending(const std::string& text, std::size_t count) {
  return text.substr(beginning(text, length(text) - count).size());
}

std::string shortened(std::string_view text, std::size_t most) {
  std::string whole = printable(text);
  if (length(whole) <= most) return whole;
  return beginning(whole, most / 2) + "…" + ending(whole, most - most / 2 - 1);
}

double width_of(const Box& box) {
  const double name = kNameAdvance * static_cast<double>(length(shown_name(box)));
  const double brief = kBriefAdvance * static_cast<double>(length(shown_brief(box)));
  return std::max(kLeastWidth, std::max(name, brief) + kSides);
}

/// Gives a block its size and its boxes their places.
void stack(const Diagram& diagram, bool needs_rail, Block& block) {
  for (const int box : block.boxes) {
    block.box_size.width =
        std::max(block.box_size.width, width_of(diagram.boxes[static_cast<std::size_t>(box)]));
  }
  if (block.has_frame()) block.box_size.width = std::max(block.box_size.width, kFramedWidth);
  block.box_size.height = kBoxHeight;
  if (!block.has_frame()) {
    block.size = block.box_size;
    block.corners = {{0, 0}};
    return;
  }
  const double side =
      kFramePadding + (needs_rail ? kRail : 0);  // on both: boxes stay in the middle
  double y = kFrameTitle;
  for (std::size_t i = 0; i < block.boxes.size(); ++i) {
    block.corners.push_back({side, y});
    y += kBoxHeight + kStackGap;
  }
  block.size = {block.box_size.width + 2 * side, y - kStackGap + kFramePadding};
}

}  // namespace

std::string shown_name(const Box& box) { return shortened(box.name, 26); }
std::string shown_brief(const Box& box) { return shortened(box.brief, 30); }

Blocks make_blocks(const Diagram& diagram) {
  Blocks blocks;
  std::vector<int> block_of_group(diagram.groups.size(), -1);
  std::vector<int> place(diagram.boxes.size(), 0);  // of each box in its block
  for (std::size_t b = 0; b < diagram.boxes.size(); ++b) {
    const int group = diagram.boxes[b].group;
    int block = group < 0 ? -1 : block_of_group[static_cast<std::size_t>(group)];
    if (block < 0) {
      block = static_cast<int>(blocks.list.size());
      blocks.list.emplace_back().group = group;
      if (group >= 0) block_of_group[static_cast<std::size_t>(group)] = block;
    }
    std::vector<int>& stack = blocks.list[static_cast<std::size_t>(block)].boxes;
    place[b] = static_cast<int>(stack.size());
    stack.push_back(static_cast<int>(b));
    blocks.block_of.push_back(block);
  }
  std::vector<bool> needs_rail(blocks.list.size());
  for (std::size_t e = 0; e < diagram.edges.size(); ++e) {
    const Edge& edge = diagram.edges[e];
    Line line;
    line.edge = static_cast<int>(e);
    line.from_block = blocks.block_of[static_cast<std::size_t>(edge.from)];
    line.to_block = blocks.block_of[static_cast<std::size_t>(edge.to)];
    line.place = place[static_cast<std::size_t>(edge.to)];
    if (line.from_block != line.to_block && line.place > 0)
      needs_rail[static_cast<std::size_t>(line.to_block)] = true;
    blocks.lines.push_back(line);
  }
  for (std::size_t b = 0; b < blocks.list.size(); ++b)
    stack(diagram, needs_rail[b], blocks.list[b]);
  return blocks;
}

}  // namespace halcyon::compiler
