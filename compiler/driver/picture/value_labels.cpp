#include "compiler/driver/picture/value_labels.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace halcyon::compiler {

namespace {

std::size_t index(int number) { return static_cast<std::size_t>(number); }

/// To which sides the lines of a block go where its label stands.
struct Bends {
  bool left = false, right = false;
};

std::vector<Bends> find_bends(std::size_t blocks, const std::vector<Link>& links,
                              const Drawing& drawing) {
  std::vector<Bends> bends(blocks);
  for (std::size_t l = 0; l < links.size(); ++l) {
    const std::vector<Point>& points = drawing.routes[l];
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (points[i - 1].y > points[0].y + kSecondLine) break;  // below the label
      const double step = points[i].x - points[0].x;
      if (std::abs(step) < 3) continue;
      (step < 0 ? bends[index(links[l].from)].left : bends[index(links[l].from)].right) = true;
      break;
    }
  }
  return bends;
}

}  // namespace

double ValueLabel::reach() const {
  constexpr double kCharacter = 6.9;
  return kLabelGap + kCharacter * static_cast<double>(std::max(shape.size(), layout.size()));
}

std::map<int, ValueLabel> collect_labels(const Diagram& diagram, const Blocks& blocks) {
  std::map<int, std::set<std::pair<std::string, std::string>>> values;
  for (const Line& line : blocks.lines) {
    const Edge& edge = diagram.edges[index(line.edge)];
    if (line.from_block != line.to_block) values[line.from_block].insert({edge.shape, edge.layout});
  }
  std::map<int, ValueLabel> labels;
  for (const auto& [b, forms] : values) {
    const std::string more = forms.size() > 1 ? " +" + std::to_string(forms.size() - 1) : "";
    labels[b] = {forms.begin()->first + more, forms.begin()->second};
  }
  return labels;
}

void choose_sides(std::map<int, ValueLabel>& labels, const Blocks& blocks,
                  const std::vector<Link>& links, const Drawing& drawing) {
  const auto line_of = [&](int b) -> Point {
    const Size size = blocks.list[index(b)].size;
    const Point corner = drawing.corners[index(b)];
    return {corner.x + size.width / 2, corner.y + size.height};
  };
  std::multimap<double, int> by_height;
  for (const auto& [b, label] : labels) by_height.emplace(line_of(b).y, b);
  const auto is_free = [&](int b, double reach) {
    const Point line = line_of(b);
    const auto end = by_height.upper_bound(line.y + kSecondLine);
    return std::none_of(by_height.lower_bound(line.y - kSecondLine), end, [&](const auto& entry) {
      const double other = line_of(entry.second).x;
      return other < line.x && other + labels.at(entry.second).reach() > line.x - reach;
    });
  };
  const std::vector<Bends> bends = find_bends(blocks.list.size(), links, drawing);
  for (auto& [b, label] : labels) {
    label.left = bends[index(b)].right && !bends[index(b)].left && is_free(b, label.reach());
  }
}

}  // namespace halcyon::compiler
