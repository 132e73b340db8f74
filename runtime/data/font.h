#pragma once
/// A small pen-stroke font for labels in pictures: digits, letters (small ones look like capitals)
/// and some signs. No file, no library; sharp at any size.

#include <string_view>

#include "runtime/data/strokes.h"

namespace halcyon::runtime {

/// How wide `text` is when its letters are `height` high.   Units: pixels.
float text_width(std::string_view text, float height);

/// Draws `text` with its upper left corner at `corner`, written by a pen of `radius`.
void draw_text(StrokeCanvas& canvas, std::string_view text, Point corner, float height,
               float radius);

}  // namespace halcyon::runtime
