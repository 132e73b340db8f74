#include "compiler/driver/picture/layered_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "runtime/base/error.h"

namespace halcyon::compiler {
namespace {

struct RandomGraph {
  std::vector<Size> boxes;
  std::vector<Link> links;
};

/// Mostly a chain, as networks are, with branches and links that skip layers.
RandomGraph random_graph(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto roll = [&](std::size_t count) { return static_cast<int>(random() % count); };
  RandomGraph graph;
  const int count = 1 + roll(70);
  for (int box = 0; box < count; ++box) {
    graph.boxes.push_back({60.0 + roll(100), 30.0 + roll(90), static_cast<double>(roll(120))});
    for (int n = roll(3); box > 0 && n >= 0; --n)
      graph.links.push_back(
          {roll(4) == 0 ? roll(static_cast<std::size_t>(box)) : box - 1, box, {}});
  }
  return graph;
}

LayoutOptions one_column() {
  LayoutOptions options;
  options.page_width = 0;
  return options;
}

void expect_apart(const RandomGraph& graph, const Drawing& drawing) {
  for (std::size_t i = 0; i < graph.boxes.size(); ++i) {
    const Point a = drawing.corners[i];
    EXPECT_GE(a.x, -1e-6);
    EXPECT_GE(a.y, -1e-6);
    EXPECT_LE(a.x + graph.boxes[i].width, drawing.width + 1e-6);
    EXPECT_LE(a.y + graph.boxes[i].height, drawing.height + 1e-6);
    for (std::size_t j = 0; j < i; ++j) {
      const Point b = drawing.corners[j];
      const bool apart = a.x + graph.boxes[i].width <= b.x || b.x + graph.boxes[j].width <= a.x ||
                         a.y + graph.boxes[i].height <= b.y || b.y + graph.boxes[j].height <= a.y;
      EXPECT_TRUE(apart) << "boxes " << i << " and " << j;
    }
  }
}

TEST(LayeredLayout, BoxesOfRandomGraphsLieApart) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const RandomGraph graph = random_graph(seed);
    expect_apart(graph, lay_out(graph.boxes, graph.links, one_column()));
    expect_apart(graph, lay_out(graph.boxes, graph.links, {}));
  }
}

TEST(LayeredLayout, LinksOfOneColumnGoDownwardsFromBoxToBox) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const RandomGraph graph = random_graph(seed);
    const Drawing drawing = lay_out(graph.boxes, graph.links, one_column());
    for (std::size_t l = 0; l < graph.links.size(); ++l) {
      const std::vector<Point>& points = drawing.routes[l];
      if (points.empty()) continue;  // too many pass there
      const auto from = static_cast<std::size_t>(graph.links[l].from);
      const auto to = static_cast<std::size_t>(graph.links[l].to);
      EXPECT_NEAR(points.front().y, drawing.corners[from].y + graph.boxes[from].height, 1e-6);
      EXPECT_NEAR(points.back().y, drawing.corners[to].y, 1e-6);
      EXPECT_GE(points.back().x, drawing.corners[to].x);
      EXPECT_LE(points.back().x, drawing.corners[to].x + graph.boxes[to].width);
      EXPECT_TRUE(
          std::is_sorted(points.begin(), points.end(), [](Point a, Point b) { return a.y < b.y; }));
    }
  }
}

/// Boxes of 80 x 40 in one chain.
RandomGraph chain(int count) {
  RandomGraph graph;
  graph.boxes.assign(static_cast<std::size_t>(count), {80, 40});
  for (int box = 1; box < count; ++box) graph.links.push_back({box - 1, box, {}});
  return graph;
}

TEST(LayeredLayout, AChainIsOneStraightLine) {
  const RandomGraph graph = chain(9);
  const Drawing drawing = lay_out(graph.boxes, graph.links, one_column());
  for (const auto& route : drawing.routes) {
    ASSERT_EQ(route.size(), 2U);
    EXPECT_NEAR(route[0].x, route[1].x, 1e-6);
  }
}

TEST(LayeredLayout, AResidualTrunkStaysStraightBesideItsShortcuts) {
  RandomGraph graph = chain(13);
  for (int box = 0; box + 4 < 13; box += 4) graph.links.push_back({box, box + 4, {}});
  const Drawing drawing = lay_out(graph.boxes, graph.links, one_column());
  for (std::size_t box = 1; box < 13; ++box)
    EXPECT_NEAR(drawing.corners[box].x, drawing.corners[0].x, 1.0) << box;
}

TEST(LayeredLayout, ALongChainIsCutIntoColumnsThatFitThePage) {
  const RandomGraph graph = chain(100);
  LayoutOptions options;
  const Drawing strip = lay_out(graph.boxes, graph.links, one_column());
  const Drawing page = lay_out(graph.boxes, graph.links, options);
  EXPECT_LE(page.width, options.page_width);
  EXPECT_LT(page.height, strip.height / 5);
  for (const auto& route : page.routes) EXPECT_FALSE(route.empty());
}

TEST(LayeredLayout, LinksThatWouldCrowdALayerAreLeftOut) {
  RandomGraph graph = chain(30);
  for (int box = 0; box < 14; ++box) graph.links.push_back({box, 29 - box, {}});
  LayoutOptions options;
  options.most_beside = 3;
  const Drawing drawing = lay_out(graph.boxes, graph.links, options);
  const auto left_out = std::count_if(drawing.routes.begin(), drawing.routes.end(),
                                      [](const auto& r) { return r.empty(); });
  EXPECT_EQ(left_out, 11);
}

TEST(LayeredLayout, TakesNothingAndRefusesCircles) {
  EXPECT_TRUE(lay_out({}, {}, {}).corners.empty());
  EXPECT_THROW(lay_out({{1, 1}, {1, 1}}, {{0, 1, {}}, {1, 0, {}}}, {}), InternalError);
}

}  // namespace
}  // namespace halcyon::compiler
