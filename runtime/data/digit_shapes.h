#pragma once
/// How the ten digits are written by hand: for each a few ways, as strokes in a box of height 1, x
/// from about 0.2 to 0.8, y downwards.

#include <span>
#include <vector>

#include "runtime/data/strokes.h"

namespace halcyon::runtime {

/// A pen stroke: corner to corner, or a smooth curve through the points.
struct DigitStroke {
  bool curved = false;
  std::vector<Point> points;
};

using DigitShape = std::vector<DigitStroke>;

/// The ways to write `digit`, 0 to 9; never empty.
std::span<const DigitShape> digit_shapes(int digit);

}  // namespace halcyon::runtime
