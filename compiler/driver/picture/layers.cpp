#include "compiler/driver/picture/layers.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>

#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

constexpr double kPointWidth = 6;

std::size_t index(int number) { return static_cast<std::size_t>(number); }

/// Number of each box's layer.
std::vector<int> longest_paths(std::size_t boxes, const std::vector<Link>& links) {
  std::vector<std::vector<int>> down(boxes), up(boxes);
  std::vector<int> waits(boxes, 0), layer(boxes, 0), ready;
  for (const Link& link : links) {
    down.at(index(link.from)).push_back(link.to);
    up.at(index(link.to)).push_back(link.from);
    ++waits[index(link.to)];
  }
  for (std::size_t box = 0; box < boxes; ++box) {
    if (waits[box] == 0) ready.push_back(static_cast<int>(box));
  }
  for (std::size_t next = 0; next < ready.size(); ++next) {
    const std::size_t box = index(ready[next]);
    for (const int to : down[box]) {
      layer[index(to)] = std::max(layer[index(to)], layer[box] + 1);
      if (--waits[index(to)] == 0) ready.push_back(to);
    }
  }
  if (ready.size() != boxes) throw InternalError("lay_out: the links form a circle");
  // What follows nothing stands right above its first reader: labels beside the loss.
  for (std::size_t box = 0; box < boxes; ++box) {
    if (!up[box].empty() || down[box].empty()) continue;
    int first = layer[index(down[box][0])];
    for (const int to : down[box]) first = std::min(first, layer[index(to)]);
    layer[box] = first - 1;
  }
  return layer;
}

/// Draws links through the layers, short ones first, as long as there is room beside the boxes.
class LinkDrawer {
 public:
  LinkDrawer(Layers& layers, int most_beside) : layers_(layers), most_(most_beside) {
    beside_.assign(layers.rows.size(), 0);
  }

  void draw(const std::vector<Link>& links) {
    layers_.chains.resize(links.size());
    std::vector<std::size_t> order(links.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto span = [&](std::size_t l) {
      return layers_[links[l].to].layer - layers_[links[l].from].layer;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return span(a) < span(b); });
    for (const std::size_t l : order) {
      if (make_points(links[l])) layers_.chains[l] = chain(links[l]);
    }
  }

 private:
  /// Makes the points that the links of `from` do not have yet; false if there is no room.
  bool make_points(const Link& link) {
    std::vector<int>& points = points_[link.from];
    const int begin = layers_[link.from].layer + 1 + static_cast<int>(points.size());
    const int end = layers_[link.to].layer;
    for (int layer = begin; layer < end; ++layer) {
      if (beside_[index(layer)] >= most_) return false;
    }
    for (int layer = begin; layer < end; ++layer) {
      ++beside_[index(layer)];
      Vertex point;
      point.layer = layer;
      point.width = kPointWidth;
      const int number = static_cast<int>(layers_.vertices.size());
      layers_.vertices.push_back(std::move(point));
      layers_.rows[index(layer)].push_back(number);
      connect(points.empty() ? link.from : points.back(), number);
      points.push_back(number);
    }
    return true;
  }

  std::vector<int> chain(const Link& link) {
    const std::vector<int>& points = points_[link.from];
    const int between = layers_[link.to].layer - layers_[link.from].layer - 1;
    std::vector<int> chain = {link.from};
    chain.insert(chain.end(), points.begin(), points.begin() + between);
    connect(chain.back(), link.to);
    chain.push_back(link.to);
    return chain;
  }

  void connect(int upper, int lower) {
    std::vector<int>& down = layers_[upper].down;
    if (std::find(down.begin(), down.end(), lower) != down.end()) return;
    down.push_back(lower);
    layers_[lower].up.push_back(upper);
  }

  Layers& layers_;
  int most_;
  std::vector<int> beside_;                 // points in each layer
  std::map<int, std::vector<int>> points_;  // of a box's links, from top to bottom
};

/// Orders the vertices of each layer by the mean place of their neighbours, from both sides in
/// turn, and keeps the order with the fewest crossings.
class Sorter {
 public:
  explicit Sorter(Layers& layers) : layers_(layers), place_(layers.vertices.size(), 0) {}

  void run() {
    constexpr int kSweeps = 12;
    for (const auto& row : layers_.rows) number(row);
    std::vector<std::vector<int>> best = layers_.rows;
    int64_t fewest = crossings();
    for (int sweep = 0; sweep < kSweeps && fewest > 0; ++sweep) {
      if (sweep % 2 == 0) {
        for (auto& row : layers_.rows) sort(row, &Vertex::up);
      } else {
        for (auto row = layers_.rows.rbegin(); row != layers_.rows.rend(); ++row)
          sort(*row, &Vertex::down);
      }
      const int64_t now = crossings();
      if (now >= fewest) continue;
      fewest = now;
      best = layers_.rows;
    }
    layers_.rows = std::move(best);
  }

 private:
  void number(const std::vector<int>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) place_[index(row[i])] = static_cast<int>(i);
  }

  void sort(std::vector<int>& row, std::vector<int> Vertex::*side) {
    std::vector<std::pair<double, int>> keyed;
    for (const int v : row) {
      const std::vector<int>& others = layers_[v].*side;
      double sum = 0;
      for (const int other : others) sum += place_[index(other)];
      keyed.emplace_back(
          others.empty() ? place_[index(v)] : sum / static_cast<double>(others.size()), v);
    }
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = keyed[i].second;
    number(row);
  }

  int64_t crossings() const {
    int64_t count = 0;
    for (std::size_t r = 0; r + 1 < layers_.rows.size(); ++r)
      count += crossings_below(layers_.rows[r], layers_.rows[r + 1].size());
    return count;
  }

  /// Pairs of lines in the wrong order, counted with a Fenwick tree over the lower places.
  int64_t crossings_below(const std::vector<int>& row, std::size_t lower) const {
    std::vector<int64_t> tree(lower + 1, 0);
    int64_t count = 0, lines = 0;
    std::vector<int> ends;
    for (const int v : row) {
      ends.clear();
      for (const int other : layers_[v].down) ends.push_back(place_[index(other)]);
      for (const int end : ends) {
        int64_t not_right = 0;
        for (std::size_t i = index(end) + 1; i > 0; i &= i - 1) not_right += tree[i];
        count += lines - not_right;
      }
      for (const int end : ends) {
        ++lines;
        for (std::size_t i = index(end) + 1; i <= lower; i += i & (~i + 1)) ++tree[i];
      }
    }
    return count;
  }

  Layers& layers_;
  std::vector<int> place_;  // of each vertex in its row
};

}  // namespace

Layers make_layers(const std::vector<Size>& boxes, const std::vector<Link>& links,
                   int most_beside) {
  Layers layers;
  const std::vector<int> layer = longest_paths(boxes.size(), links);
  for (std::size_t box = 0; box < boxes.size(); ++box) {
    Vertex vertex;
    vertex.box = static_cast<int>(box);
    vertex.layer = layer[box];
    vertex.width = boxes[box].width;
    vertex.label = boxes[box].label;
    layers.vertices.push_back(std::move(vertex));
    layers.rows.resize(std::max(layers.rows.size(), index(layer[box]) + 1));
    layers.rows[index(layer[box])].push_back(static_cast<int>(box));
  }
  LinkDrawer(layers, most_beside).draw(links);
  Sorter(layers).run();
  return layers;
}

}  // namespace halcyon::compiler
