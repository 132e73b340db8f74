#pragma once
/// Anti-aliased pen strokes on a small canvas: what both the drawn digits and the labels under a
/// picture are made of. A stroke is a line of points; coverage is the share of a pixel under the
/// pen, overlapping strokes do not add up.

#include <cstdint>
#include <span>
#include <vector>

namespace halcyon::runtime {

struct Point {
  float x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

/// Points along a smooth curve through `through`, `steps` for each span; a curve whose ends meet is
/// closed smoothly. Source: Catmull-Rom splines (uniform).
void append_curve(std::span<const Point> through, int steps, std::vector<Point>& points);

class StrokeCanvas {
 public:
  StrokeCanvas(int64_t height, int64_t width);

  void clear();
  /// A straight stroke with round ends, the pen's radius going from radius_a to radius_b.   Units:
  /// pixels; the middle of the first pixel is (0.5, 0.5). Parts off the canvas are cut.
  void draw(Point a, Point b, float radius_a, float radius_b);
  void draw(std::span<const Point> points, float radius);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  /// Per pixel, 0 to 1, row-major.
  std::span<const float> coverage() const { return coverage_; }

 private:
  int64_t height_, width_;
  std::vector<float> coverage_;
};

}  // namespace halcyon::runtime
