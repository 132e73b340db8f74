#include "compiler/driver/picture/draw_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "compiler/driver/picture/blocks.h"
#include "compiler/driver/picture/describe.h"
#include "compiler/driver/picture/escape.h"
#include "compiler/driver/picture/value_labels.h"

namespace halcyon::compiler {

namespace {

constexpr double kMargin = 16;
constexpr double kCornerRadius = 8;

std::size_t index(int number) { return static_cast<std::size_t>(number); }

Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }

bool is_straight(Point a, Point b) {
  return std::abs(a.x - b.x) < 0.05 || std::abs(a.y - b.y) < 0.05;
}

/// The point `distance` before `to` on the straight way from `from`.
Point before(Point from, Point to, double distance) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const double part = std::min(0.5, distance / std::max(length, 1e-9));
  return {to.x + (from.x - to.x) * part, to.y + (from.y - to.y) * part};
}

/// Straight along the axes with round corners, and in an S where it changes its column.
std::string path_data(const std::vector<Point>& points) {
  std::string data = fmt::format("M{:.1f} {:.1f}", points[0].x, points[0].y);
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point from = points[i - 1], to = points[i];
    if (!is_straight(from, to)) {
      const double middle = (from.y + to.y) / 2;
      data += fmt::format("C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", from.x, middle, to.x,
                          middle, to.x, to.y);
      continue;
    }
    const bool turns =
        i + 1 < points.size() && is_straight(to, points[i + 1]) &&
        (std::abs(from.x - to.x) < 0.05) != (std::abs(to.x - points[i + 1].x) < 0.05);
    if (!turns) {
      data += fmt::format("L{:.1f} {:.1f}", to.x, to.y);
      continue;
    }
    const Point begin = before(from, to, kCornerRadius);
    const Point end = before(points[i + 1], to, kCornerRadius);
    data += fmt::format("L{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}", begin.x, begin.y, to.x, to.y,
                        end.x, end.y);
  }
  return data;
}

class GraphDrawer {
 public:
  GraphDrawer(const Diagram& diagram, const std::string& stage)
      : diagram_(diagram), stage_(stage), blocks_(make_blocks(diagram)) {}

  std::string svg() {
    lay_out_blocks();
    const double left = left_end() - kMargin;
    const double width = drawing_.width + kMargin - left;
    const double height = drawing_.height + 2 * kMargin;
    out_ = fmt::format(
        "<svg class=\"graph\" id=\"{0}\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{1:.0f}\" "
        "height=\"{2:.0f}\" viewBox=\"{3:.0f} {4:.0f} {1:.0f} {2:.0f}\" role=\"group\">\n"
        "<defs><marker id=\"{0}-arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
        "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
        "<path d=\"M0 .8 7.5 4 0 7.2z\"/></marker></defs>\n",
        stage_, width, height, left, -kMargin);
    for (std::size_t b = 0; b < blocks_.list.size(); ++b) draw_frame(b);
    for (std::size_t l = 0; l < blocks_.lines.size(); ++l) draw_line(l);
    for (std::size_t b = 0; b < blocks_.list.size(); ++b) draw_boxes(b);
    draw_values();
    draw_left_out();
    return out_ + "</svg>\n";
  }

 private:
  void lay_out_blocks() {
    labels_ = collect_labels(diagram_, blocks_);
    std::vector<Size> sizes;
    for (const Block& block : blocks_.list) sizes.push_back(block.size);
    for (const auto& [b, label] : labels_) sizes[index(b)].label = label.reach();
    std::vector<Link> links;
    for (const Line& line : blocks_.lines) {
      if (line.from_block == line.to_block) {
        link_of_.push_back(-1);
        continue;
      }
      Link link{line.from_block, line.to_block, {}};
      if (line.place > 0) link.port = sizes[index(line.to_block)].width / 2 - kRail * 0.75;
      link_of_.push_back(static_cast<int>(links.size()));
      links.push_back(link);
    }
    LayoutOptions options;
    if (!diagram_.groups.empty()) options.gap_y = 54;  // layouts are a second line
    drawing_ = lay_out(sizes, links, options);
    choose_sides(labels_, blocks_, links, drawing_);
  }

  Point corner_of(int box) const {
    const int b = blocks_.block_of[index(box)];
    const Block& block = blocks_.list[index(b)];
    const auto at = std::find(block.boxes.begin(), block.boxes.end(), box) - block.boxes.begin();
    return drawing_.corners[index(b)] + block.corners[static_cast<std::size_t>(at)];
  }
  Size size_of(int box) const { return blocks_.list[index(blocks_.block_of[index(box)])].box_size; }

  void draw_frame(std::size_t b) {
    const Block& block = blocks_.list[b];
    if (!block.has_frame()) return;
    const Point p = drawing_.corners[b];
    out_ += fmt::format(
        "<g class=\"frame\" id=\"{}-k{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\" rx=\"10\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
        stage_, block.group, p.x, p.y, block.size.width, block.size.height, p.x + kFramePadding + 1,
        p.y + 13, html(diagram_.groups[index(block.group)].name));
  }

  void draw_line(std::size_t l) {
    const Line& line = blocks_.lines[l];
    const Edge& edge = diagram_.edges[index(line.edge)];
    const std::vector<Point> points = line.from_block == line.to_block ? inner_way(edge) : way(l);
    if (points.empty()) return;
    out_ += fmt::format(
        "<path class=\"edge{}\" data-from=\"{}\" data-to=\"{}\" marker-end=\"url(#{}-arrow)\" "
        "d=\"{}\"/>\n",
        line.from_block == line.to_block ? " inner" : "", edge.from, edge.to, stage_,
        path_data(points));
  }

  /// From one box of a stack to another: straight down, or around those between them.
  std::vector<Point> inner_way(const Edge& edge) const {
    const Point from = corner_of(edge.from), to = corner_of(edge.to);
    const Size size = size_of(edge.from);
    if (to.y - from.y < size.height + kStackGap * 1.5)
      return {{from.x + size.width / 2, from.y + size.height}, {to.x + size.width / 2, to.y}};
    const double left = from.x - kFramePadding / 2;
    const double leaves = from.y + size.height * 0.75, enters = to.y + size.height * 0.25;
    return {{from.x, leaves}, {left, leaves}, {left, enters}, {to.x, enters}};
  }

  std::vector<Point> way(std::size_t l) const {
    std::vector<Point> points = drawing_.routes[index(link_of_[l])];
    const Line& line = blocks_.lines[l];
    if (points.empty() || line.place == 0) return enter_frame(line, std::move(points));
    // Down the rail and into the box from the side.
    const int box = diagram_.edges[index(line.edge)].to;
    const double y = corner_of(box).y + kBoxHeight / 2;
    points.back().y = y;
    points.push_back({corner_of(box).x + size_of(box).width, y});
    return points;
  }

  /// The first box of a stack stands below the title of its frame.
  std::vector<Point> enter_frame(const Line& line, std::vector<Point> points) const {
    if (!points.empty() && blocks_.list[index(line.to_block)].has_frame())
      points.push_back({points.back().x, points.back().y + kFrameTitle});
    return points;
  }

  void draw_boxes(std::size_t b) {
    for (const int number : blocks_.list[b].boxes) {
      const Box& box = diagram_.boxes[index(number)];
      const Point p = corner_of(number);
      const Size size = size_of(number);
      // One stop for the Tab key; the script moves it with the arrow keys.
      out_ += fmt::format(
          "<g class=\"box {}{}\" id=\"{}-{}\" tabindex=\"{}\" role=\"button\" "
          "aria-label=\"{}, {}\" transform=\"translate({:.1f} {:.1f})\">"
          "<rect width=\"{:.1f}\" height=\"{:.1f}\" rx=\"6\"/>"
          "<path class=\"stripe\" d=\"M6 0h-0a6 6 0 0 0-6 6v{:.1f}a6 6 0 0 0 6 6z\"/>"
          "<text class=\"name\" x=\"14\" y=\"18\">{}</text>"
          "<text class=\"brief\" x=\"14\" y=\"33\">{}</text></g>\n",
          to_string(box.kind), box.training_only ? " dropped" : "", stage_, number,
          number == 0 ? 0 : -1, html(box.name), html(box.brief), p.x, p.y, size.width, size.height,
          size.height - 12, html(shown_name(box)), html(shown_brief(box)));
    }
  }

  /// Shapes and layouts of what leaves a block, below it: where its lines do not go.
  void draw_values() {
    for (const auto& [b, label] : labels_) {
      draw_text("shape", b, label.left, kFirstLine, label.shape);
      if (!label.layout.empty()) draw_text("layout", b, label.left, kSecondLine, label.layout);
    }
  }

  /// Below a block, on one side of the line that leaves it.
  void draw_text(const char* style, int b, bool left, double y, const std::string& text) {
    const Block& block = blocks_.list[index(b)];
    const Point p =
        drawing_.corners[index(b)] +
        Point{block.size.width / 2 + (left ? -kLabelGap : kLabelGap), block.size.height + y};
    out_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", style, p.x,
                        p.y, left ? " text-anchor=\"end\"" : "", html(text));
  }

  /// Where the labels on the left begin, if that is left of all boxes.
  double left_end() const {
    double end = 0;
    for (const auto& [b, label] : labels_) {
      const double line = drawing_.corners[index(b)].x + blocks_.list[index(b)].size.width / 2;
      if (label.left) end = std::min(end, line - label.reach());
    }
    return end;
  }

  /// Lines that would pass too many others are named at both ends.
  void draw_left_out() {
    std::map<int, std::set<int>> read, written;  // by block
    for (std::size_t l = 0; l < blocks_.lines.size(); ++l) {
      if (link_of_[l] < 0 || !drawing_.routes[index(link_of_[l])].empty()) continue;
      const Line& line = blocks_.lines[l];
      const Edge& edge = diagram_.edges[index(line.edge)];
      read[line.to_block].insert(edge.from);
      written[line.from_block].insert(edge.to);
    }
    for (const auto& [b, boxes] : read) {
      const Point p = drawing_.corners[index(b)];
      out_ += fmt::format("<text class=\"far\" x=\"{:.1f}\" y=\"{:.1f}\">↑ {}</text>\n", p.x + 2,
                          p.y - 6, html(far_text(boxes, "values")));
    }
    for (const auto& [b, boxes] : written) {
      draw_text("far", b, true, labels_.at(b).left ? kSecondLine + 13 : kFirstLine,
                "↓ " + far_text(boxes, "readers"));
    }
  }

  std::string far_text(const std::set<int>& boxes, const char* many) const {
    return boxes.size() == 1 ? shown_name(diagram_.boxes[index(*boxes.begin())])
                             : fmt::format("{} {}", boxes.size(), many);
  }

  const Diagram& diagram_;
  std::string stage_;
  Blocks blocks_;
  std::map<int, ValueLabel> labels_;  // by block
  std::vector<int> link_of_;          // for each line, -1 inside a block
  Drawing drawing_;
  std::string out_;
};

}  // namespace

std::string graph_svg(const Diagram& diagram, const std::string& stage) {
  return GraphDrawer(diagram, stage).svg();
}

}  // namespace halcyon::compiler
