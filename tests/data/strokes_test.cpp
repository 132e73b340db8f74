#include "runtime/data/strokes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace halcyon::runtime {
namespace {

float total(const StrokeCanvas& canvas) {
  return std::accumulate(canvas.coverage().begin(), canvas.coverage().end(), 0.0f);
}

TEST(AppendCurve, GoesThroughItsPointsAndIsStraightBetweenTwo) {
  const std::vector<Point> through = {{0, 0}, {1, 2}, {3, 1}, {4, 4}};
  std::vector<Point> points;
  append_curve(through, 8, points);
  ASSERT_EQ(points.size(), 25u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(points[8 * i].x, through[i].x, 1e-5);
    EXPECT_NEAR(points[8 * i].y, through[i].y, 1e-5);
  }
  points.clear();
  append_curve(std::vector<Point>{{0, 0}, {8, 4}}, 8, points);
  for (const Point& p : points) EXPECT_NEAR(p.y, p.x / 2, 1e-5);
}

TEST(AppendCurve, ClosesSmoothly) {
  std::vector<Point> points;
  append_curve(std::vector<Point>{{0, -1}, {1, 0}, {0, 1}, {-1, 0}, {0, -1}}, 16, points);
  for (const Point& p : points) EXPECT_NEAR(std::hypot(p.x, p.y), 1, 0.12);
  const Point out = {points[1].x - points[0].x, points[1].y - points[0].y};
  const Point in = {points[64].x - points[63].x, points[64].y - points[63].y};
  EXPECT_NEAR(std::atan2(out.y, out.x), std::atan2(in.y, in.x),
              0.3);  // no corner: a polygon's would be 1.6 at the seam
}

TEST(StrokeCanvas, CoversTheAreaOfTheStroke) {
  StrokeCanvas canvas(40, 60);
  canvas.draw({15, 20}, {45, 20}, 5, 5);
  EXPECT_NEAR(total(canvas), 30 * 10 + 3.14159f * 25, 4);  // a bar with round ends
  canvas.draw({15, 20}, {45, 20}, 5, 5);
  EXPECT_NEAR(total(canvas), 30 * 10 + 3.14159f * 25, 4);  // the same ink twice is not more
  canvas.clear();
  EXPECT_EQ(total(canvas), 0);
}

TEST(StrokeCanvas, GivesHalfCoverageToPixelsOnTheEdge) {
  StrokeCanvas canvas(21, 21);
  canvas.draw({0, 10.5f}, {21, 10.5f}, 3, 3);
  EXPECT_NEAR(canvas.coverage()[10 * 21 + 10], 1, 1e-6);
  EXPECT_NEAR(canvas.coverage()[13 * 21 + 10], 0.5, 1e-5);
  EXPECT_EQ(canvas.coverage()[14 * 21 + 10], 0);
}

TEST(StrokeCanvas, CutsWhatLiesOutside) {
  StrokeCanvas canvas(8, 8);
  canvas.draw({-1e9f, 4}, {1e9f, 4}, 1, 1);
  canvas.draw({-100, -100}, {-50, -50}, 5, 5);
  canvas.draw({1e20f, 1e20f}, {1e20f, 1e20f}, 5, 5);
  for (const float share : canvas.coverage()) EXPECT_TRUE(share >= 0 && share <= 1);
}

}  // namespace
}  // namespace halcyon::runtime
