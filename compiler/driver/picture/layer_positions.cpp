/// Places the vertices of each row below those that they follow.
///
/// One row at a time: every vertex wishes to stand at the mean of its neighbours in the row before,
/// neighbours in the row must keep their order and a gap, and the sum of squared distances from the
/// wishes shall be smallest. With the least distances taken off, that is isotonic regression, which
/// pooling of adjacent violators solves exactly in one pass. Sweeping down and up a few times
/// carries the wishes through the drawing.
///
/// Points of long links hardly weigh anything: they make way for boxes, so that the trunk of a
/// residual network is a straight line. Afterwards they are straightened where there is room.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "compiler/driver/picture/layers.h"

namespace halcyon::compiler {

namespace {

constexpr double kBoxWeight = 1, kPointWeight = 1e-3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Positions {
 public:
  Positions(Layers& layers, double gap) : layers_(layers), gap_(gap) {}

  void run() {
    constexpr int kSweeps = 8;
    for (const auto& row : layers_.rows) pack(row);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (auto row = layers_.rows.rbegin(); row != layers_.rows.rend(); ++row)
        place(*row, &Vertex::down);
      for (const auto& row : layers_.rows) place(row, &Vertex::up);
    }
    find_places();
    for (const auto& chain : layers_.chains) straighten(chain);
  }

 private:
  double distance(int left, int right) const {
    constexpr double kBesideLabel = 8;
    const double half = layers_[left].width / 2, other = layers_[right].width / 2;
    // The label stands below the row, where of the neighbour only its line can be.
    const double label = layers_[left].label + kBesideLabel;
    return std::max(half + gap_ + other, label);
  }
  double weight(int v) const { return layers_[v].is_point() ? kPointWeight : kBoxWeight; }

  /// From left to right without room to spare, around 0.
  void pack(const std::vector<int>& row) {
    for (std::size_t i = 1; i < row.size(); ++i)
      layers_[row[i]].x = layers_[row[i - 1]].x + distance(row[i - 1], row[i]);
    const double middle = layers_[row.back()].x / 2;
    for (const int v : row) layers_[v].x -= middle;
  }

  /// Where a vertex would like to stand.
  double wish(int v, const std::vector<int>& others) const {
    const auto boxes = std::count_if(others.begin(), others.end(),
                                     [&](int other) { return !layers_[other].is_point(); });
    double sum = 0, weights = 0;
    for (const int other : others) {
      // In the middle of several branches all count, long ones too.
      const double w = boxes > 1 ? kBoxWeight : weight(other);
      sum += w * layers_[other].x;
      weights += w;
    }
    return weights > 0 ? sum / weights : layers_[v].x;
  }

  void place(const std::vector<int>& row, std::vector<int> Vertex::*side) {
    struct Block {
      double sum = 0, weight = 0;
      std::size_t count = 0;
      double mean() const { return sum / weight; }
    };
    std::vector<Block> blocks;
    std::vector<double> least = {0};  // distance from the first of the row
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) least.push_back(least.back() + distance(row[i - 1], row[i]));
      const double w = weight(row[i]);
      blocks.push_back({w * (wish(row[i], layers_[row[i]].*side) - least[i]), w, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().weight += last.weight;
        blocks.back().count += last.count;
      }
    }
    std::size_t i = 0;
    for (const Block& block : blocks) {
      for (std::size_t n = 0; n < block.count; ++n, ++i)
        layers_[row[i]].x = block.mean() + least[i];
    }
  }

  void find_places() {
    place_.resize(layers_.vertices.size());
    for (const auto& row : layers_.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) place_[static_cast<std::size_t>(row[i])] = i;
    }
  }

  /// Between which centres a vertex may move.
  std::pair<double, double> room(int v) const {
    const auto& row = layers_.rows[static_cast<std::size_t>(layers_[v].layer)];
    const std::size_t i = place_[static_cast<std::size_t>(v)];
    const double low = i == 0 ? -kInfinity : layers_[row[i - 1]].x + distance(row[i - 1], v);
    const double high =
        i + 1 == row.size() ? kInfinity : layers_[row[i + 1]].x - distance(v, row[i + 1]);
    return {low, std::max(low, high)};
  }

  /// Gives the points of a link one x over runs as long as possible.
  void straighten(const std::vector<int>& chain) {
    std::size_t begin = 1;
    while (begin + 1 < chain.size()) {
      auto [low, high] = room(chain[begin]);
      double furthest = layers_[chain[begin]].x;
      std::size_t end = begin + 1;
      for (; end + 1 < chain.size(); ++end) {
        const auto [l, h] = room(chain[end]);
        if (std::max(low, l) > std::min(high, h)) break;
        low = std::max(low, l);
        high = std::min(high, h);
        // On the side where the link has to go around the widest layer.
        const double centre = layers_[chain.front()].x, x = layers_[chain[end]].x;
        if (std::abs(x - centre) > std::abs(furthest - centre)) furthest = x;
      }
      const double x = std::clamp(furthest, low, high);
      for (std::size_t i = begin; i < end; ++i) layers_[chain[i]].x = x;
      begin = end;
    }
  }

  Layers& layers_;
  double gap_;
  std::vector<std::size_t> place_;  // of each vertex in its row
};

}  // namespace

void place_in_rows(Layers& layers, double gap) { Positions(layers, gap).run(); }

}  // namespace halcyon::compiler
