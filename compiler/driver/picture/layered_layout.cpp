#include "compiler/driver/picture/layered_layout.h"

#include <algorithm>
#include <limits>

#include "compiler/driver/picture/layers.h"

namespace halcyon::compiler {

namespace {

std::size_t index(int number) { return static_cast<std::size_t>(number); }

/// Rows [begin, end) of the strip and the room that they take.
struct Column {
  std::size_t begin = 0, end = 0;
  double left = 0, right = 0;  ///< in the strip
  double top = 0, bottom = 0;
  double shift_x = 0;  ///< from the strip to the page

  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

/// Finishes a drawing whose vertices have their rows and their x.
class Page {
 public:
  Page(const Layers& layers, const std::vector<Size>& boxes, const LayoutOptions& options)
      : layers_(layers), boxes_(boxes), options_(options) {
    stack_rows();
    find_cuts();
    choose_columns();
  }

  Drawing draw(const std::vector<Link>& links) const {
    Drawing drawing;
    for (std::size_t box = 0; box < boxes_.size(); ++box) {
      const Point middle = middle_of(static_cast<int>(box));
      drawing.corners.push_back(
          {middle.x - boxes_[box].width / 2, middle.y - boxes_[box].height / 2});
    }
    for (std::size_t l = 0; l < links.size(); ++l)
      drawing.routes.push_back(route(links[l], layers_.chains[l]));
    for (const Column& column : columns_) {
      drawing.width = std::max(drawing.width, column.right + column.shift_x);
      drawing.height = std::max(drawing.height, top_margin() + column.height() + bottom_margin());
    }
    return drawing;
  }

 private:
  void stack_rows() {
    double y = 0;
    for (const auto& row : layers_.rows) {
      double height = 0;
      for (const int v : row) {
        if (!layers_[v].is_point()) height = std::max(height, boxes_[index(v)].height);
      }
      top_.push_back(y);
      bottom_.push_back(y + height);
      y += height + options_.gap_y;
    }
  }

  /// A row may end a column if one box of it is all that the next rows read.
  void find_cuts() {
    for (const auto& row : layers_.rows) {
      int readers = 0;
      bool is_box = false;
      for (const int v : row) {
        if (layers_[v].down.empty()) continue;
        ++readers;
        is_box = !layers_[v].is_point();
      }
      may_end_.push_back(readers == 1 && is_box);
    }
  }

  /// As few columns as are needed for this height.
  std::vector<Column> columns_of(double height) const {
    std::vector<Column> columns;
    std::size_t begin = 0, last_cut = 0;  // the row behind the last possible cut
    for (std::size_t row = 0; row < top_.size(); ++row) {
      if (bottom_[row] - top_[begin] > height && last_cut > begin) {
        columns.push_back(column(begin, last_cut));
        begin = last_cut;
      }
      if (may_end_[row]) last_cut = row + 1;
    }
    columns.push_back(column(begin, top_.size()));
    double x = 0;
    for (Column& c : columns) {
      c.shift_x = x - c.left;
      x += c.width() + options_.gap_columns;
    }
    return columns;
  }

  Column column(std::size_t begin, std::size_t end) const {
    Column c{begin,
             end,
             std::numeric_limits<double>::infinity(),
             -std::numeric_limits<double>::infinity(),
             top_[begin],
             bottom_[end - 1]};
    for (std::size_t row = begin; row < end; ++row) {
      for (const int v : layers_.rows[row]) {
        c.left = std::min(c.left, layers_[v].x - layers_[v].width / 2);
        c.right =
            std::max(c.right, layers_[v].x + std::max(layers_[v].width / 2, layers_[v].label));
      }
    }
    return c;
  }

  /// The lowest page that is not wider than asked.
  void choose_columns() {
    constexpr int kMostColumns = 24;
    const auto height = [](const std::vector<Column>& columns) {
      double most = 0;
      for (const Column& c : columns) most = std::max(most, c.height());
      return most;
    };
    columns_ = columns_of(std::numeric_limits<double>::infinity());
    for (int n = 2; n <= kMostColumns; ++n) {
      const std::vector<Column> columns =
          columns_of(std::max(bottom_.back() / n, options_.least_height));
      const double width = columns.back().right + columns.back().shift_x;
      if (width <= options_.page_width && height(columns) < height(columns_)) columns_ = columns;
    }
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      for (std::size_t row = columns_[c].begin; row < columns_[c].end; ++row)
        column_of_row_.push_back(c);
    }
  }

  const Column& column_of(int v) const { return columns_[column_of_row_[index(layers_[v].layer)]]; }
  double x_of(int v) const { return layers_[v].x + column_of(v).shift_x; }
  double top_of(int v) const {
    return top_[index(layers_[v].layer)] - column_of(v).top + top_margin();
  }
  double bottom_of(int v) const {
    return bottom_[index(layers_[v].layer)] - column_of(v).top + top_margin();
  }
  /// Above and below columns pass the links from one to the next.
  double top_margin() const { return columns_.size() > 1 ? options_.gap_y * 0.4 : 0; }
  double bottom_margin() const { return columns_.size() > 1 ? options_.gap_y * 0.8 : 0; }
  /// Boxes stand at the top of their row, so that links leave at once.
  Point middle_of(int box) const {
    return {x_of(box), top_of(box) + boxes_[index(box)].height / 2};
  }

  std::vector<Point> route(const Link& link, const std::vector<int>& chain) const {
    if (chain.empty()) return {};
    std::vector<Point> points;
    const int first = chain.front(), last = chain.back();
    points.push_back({x_of(first), top_of(first) + boxes_[index(first)].height});
    if (points.back().y < bottom_of(first)) points.push_back({x_of(first), bottom_of(first)});
    for (std::size_t i = 1; i < chain.size(); ++i) {
      const int v = chain[i];
      const double x = v == last ? entry(link, chain[i - 1]) : x_of(v);
      if (column_of(v).begin != column_of(chain[i - 1]).begin)
        turn_column(points, chain[i - 1], v, x);
      points.push_back({x, top_of(v)});
      if (v != last && bottom_of(v) > top_of(v)) points.push_back({x, bottom_of(v)});
    }
    return points;
  }

  /// Where a link enters its last box: straight from above, if the box is that wide.
  double entry(const Link& link, int before) const {
    const double centre = x_of(link.to);
    if (link.port) return centre + *link.port;
    if (column_of(before).begin != column_of(link.to).begin) return centre;
    const double reach = layers_[link.to].width * 0.3;
    return std::clamp(x_of(before), centre - reach, centre + reach);
  }

  /// Out below a column, up between the two, and in above the next.
  void turn_column(std::vector<Point>& points, int from, int to, double x) const {
    const Column& before = column_of(from);
    const double gutter = before.right + before.shift_x + options_.gap_columns * 0.5;
    const double below = bottom_of(from) + bottom_margin();
    const double above = top_of(to) - top_margin();
    points.push_back({points.back().x, below});
    points.push_back({gutter, below});
    points.push_back({gutter, above});
    points.push_back({x, above});
  }

  const Layers& layers_;
  const std::vector<Size>& boxes_;
  LayoutOptions options_;
  std::vector<double> top_, bottom_;  // of each row, in the strip
  std::vector<bool> may_end_;         // whether a row may end a column
  std::vector<Column> columns_;
  std::vector<std::size_t> column_of_row_;
};

}  // namespace

Drawing lay_out(const std::vector<Size>& boxes, const std::vector<Link>& links,
                const LayoutOptions& options) {
  if (boxes.empty()) return {};
  Layers layers = make_layers(boxes, links, options.most_beside);
  place_in_rows(layers, options.gap_x);
  return Page(layers, boxes, options).draw(links);
}

}  // namespace halcyon::compiler
