#include "runtime/data/strokes.h"

#include <algorithm>
#include <cmath>

namespace halcyon::runtime {

void append_curve(std::span<const Point> through, int steps, std::vector<Point>& points) {
  const auto n = static_cast<int64_t>(through.size());
  if (n < 2) return;
  const bool closed = n > 3 && through.front() == through.back();
  // Before the first and after the last point: the neighbour across the seam, or a mirrored point.
  const auto at = [&](int64_t i) -> Point {
    if (i < 0) {
      if (closed) return through[static_cast<size_t>(n - 2)];
      return {2 * through[0].x - through[1].x, 2 * through[0].y - through[1].y};
    }
    if (i >= n) {
      if (closed) return through[1];
      const Point last = through.back(), before = through[static_cast<size_t>(n - 2)];
      return {2 * last.x - before.x, 2 * last.y - before.y};
    }
    return through[static_cast<size_t>(i)];
  };
  points.push_back(through.front());
  for (int64_t i = 0; i + 1 < n; ++i) {
    const Point a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
    for (int step = 1; step <= steps; ++step) {
      const float t = static_cast<float>(step) / static_cast<float>(steps), t2 = t * t, t3 = t2 * t;
      const auto blend = [&](float p0, float p1, float p2, float p3) {
        return 0.5f * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t2 +
                       (3 * p1 - p0 - 3 * p2 + p3) * t3);
      };
      points.push_back({blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)});
    }
  }
}

StrokeCanvas::StrokeCanvas(int64_t height, int64_t width)
    : height_(height), width_(width), coverage_(static_cast<size_t>(height * width)) {}

void StrokeCanvas::clear() { std::fill(coverage_.begin(), coverage_.end(), 0.0f); }

void StrokeCanvas::draw(Point a, Point b, float radius_a, float radius_b) {
  const float reach = std::max(radius_a, radius_b) + 0.5f;
  const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const float inverse = length2 > 0 ? 1 / length2 : 0;
  // Clamped as floats: a point far off the canvas has no integer coordinate.
  const auto cell = [](float v, int64_t end) {
    return static_cast<int64_t>(std::clamp(v, 0.0f, static_cast<float>(end)));
  };
  const int64_t x0 = cell(std::min(a.x, b.x) - reach, width_),
                x1 = cell(std::max(a.x, b.x) + reach + 1, width_);
  const int64_t y0 = cell(std::min(a.y, b.y) - reach, height_),
                y1 = cell(std::max(a.y, b.y) + reach + 1, height_);
  for (int64_t y = y0; y < y1; ++y) {
    float* row = coverage_.data() + y * width_;
    const float py = static_cast<float>(y) + 0.5f - a.y;
    for (int64_t x = x0; x < x1; ++x) {
      const float px = static_cast<float>(x) + 0.5f - a.x;
      const float t = std::clamp((px * dx + py * dy) * inverse, 0.0f, 1.0f);
      const float ex = px - t * dx, ey = py - t * dy;
      const float distance2 = ex * ex + ey * ey;
      if (distance2 >= reach * reach) continue;
      const float radius = radius_a + t * (radius_b - radius_a);
      const float share = std::clamp(radius + 0.5f - std::sqrt(distance2), 0.0f, 1.0f);
      // A pen thinner than a pixel cannot cover one whole.
      row[x] = std::max(row[x], share * std::min(1.0f, 2 * radius));
    }
  }
}

void StrokeCanvas::draw(std::span<const Point> points, float radius) {
  for (size_t i = 0; i + 1 < points.size(); ++i) draw(points[i], points[i + 1], radius, radius);
}

}  // namespace halcyon::runtime
