#pragma once
/// What is written below a block: the shape and the layout of what leaves it.

#include <map>
#include <string>
#include <vector>

#include "compiler/driver/picture/blocks.h"

namespace halcyon::compiler {

inline constexpr double kLabelGap = 7;                      ///< beside a line
inline constexpr double kFirstLine = 15, kSecondLine = 28;  ///< below a block

struct ValueLabel {
  std::string shape, layout;
  bool left = false;  ///< of the line that leaves the block

  /// From the line to the end of the text.
  double reach() const;
};

/// By block; the first of several values, and how many more there are.
std::map<int, ValueLabel> collect_labels(const Diagram& diagram, const Blocks& blocks);

/// Puts labels to the left where lines bend to the right and no other label is in the way.
void choose_sides(std::map<int, ValueLabel>& labels, const Blocks& blocks,
                  const std::vector<Link>& links, const Drawing& drawing);

}  // namespace halcyon::compiler
