#include "runtime/data/font.h"

#include <algorithm>
#include <array>
#include <vector>

#include "runtime/data/digit_shapes.h"

namespace halcyon::runtime {
namespace {

constexpr float kRows = 8;      // grid rows between the top of a letter and its foot
constexpr float kGap = 2.6f;    // columns between two letters
constexpr float kBlank = 3.2f;  // columns of a space
constexpr int kCurveSteps = 6;

struct Glyph {
  char letter;
  const char*
      strokes;  // strokes apart by blanks; points as column, row on a grid of 7 x 9; ~ is a curve
};

// clang-format off
constexpr Glyph kGlyphs[] = {
    {'A', "083068 1555"}, {'B', "0008 ~0040624404 ~0444664808"}, {'C', "~6250200305285866"},
    {'D', "0008 ~003062663808"}, {'E', "60000868 0454"}, {'F', "600008 0454"}, {'G', "~6250200305285866 356567"},
    {'H', "0008 6068 0464"}, {'I', "3038"}, {'J', "~5056381806"}, {'K', "0008 6005 2368"}, {'L', "000868"},
    {'M', "0800356068"}, {'N', "08006860"}, {'O', "~301104173857645130"}, {'P', "0008 ~0040624404"},
    {'Q', "~301104173857645130 4568"}, {'R', "0008 ~0040624404 3468"}, {'S', "~61401002244466481806"},
    {'T', "0060 3038"}, {'U', "~000528486560"}, {'V', "003860"}, {'W', "0018335860"}, {'X', "0068 6008"},
    {'Y', "003460 3438"}, {'Z', "00600868"},
    {'%', "6008 ~1001122110 ~5647586756"}, {'.', "1818"}, {',', "2719"}, {'-', "1454"}, {'_', "0868"},
    {':', "1313 1818"}, {'/', "5008"}, {'(', "~30131538"}, {')', "~10333518"}, {'+', "1454 3236"},
    {'=', "1353 1555"}, {'>', "125416"}, {'<', "521456"}, {'!', "3035 3838"}, {'\'', "3032"},
    {'?', "~021040523435 3838"},
};
// clang-format on

/// The best legible way of writing each digit, of those in digit_shapes().
constexpr std::array<size_t, 10> kDigitWays = {0, 1, 0, 0, 1, 0, 0, 0, 0, 0};

using Lines = std::vector<std::vector<Point>>;

Lines lines_of_digit(int digit) {
  Lines lines;
  for (const DigitStroke& stroke : digit_shapes(digit)[kDigitWays[static_cast<size_t>(digit)]]) {
    std::vector<Point> line;
    if (stroke.curved)
      append_curve(stroke.points, kCurveSteps, line);
    else
      line = stroke.points;
    for (Point& p : line) p = {p.x * kRows, p.y * kRows};
    lines.push_back(std::move(line));
  }
  return lines;
}

Lines lines_of_glyph(const Glyph& glyph) {
  Lines lines;
  std::vector<Point> points;
  bool curved = false;
  const auto end_stroke = [&] {
    std::vector<Point> line;
    if (curved)
      append_curve(points, kCurveSteps, line);
    else
      line = points;
    lines.push_back(std::move(line));
    points.clear();
    curved = false;
  };
  for (const char* at = glyph.strokes; *at != 0;) {
    if (*at == ' ') {
      end_stroke();
      ++at;
    } else if (*at == '~') {
      curved = true;
      ++at;
    } else {
      points.push_back({static_cast<float>(at[0] - '0'), static_cast<float>(at[1] - '0')});
      at += 2;
    }
  }
  end_stroke();
  return lines;
}

/// The lines of a letter on the grid, moved so that the leftmost point is at 0. A blank has none.
Lines lines_of(char letter) {
  if (letter == ' ') return {};
  if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  const auto glyph_of = [](char c) {
    return std::find_if(std::begin(kGlyphs), std::end(kGlyphs),
                        [c](const Glyph& g) { return g.letter == c; });
  };
  Lines lines;
  if (letter >= '0' && letter <= '9') {
    lines = lines_of_digit(letter - '0');
  } else {
    const Glyph* glyph = glyph_of(letter);
    lines = lines_of_glyph(glyph != std::end(kGlyphs) ? *glyph : *glyph_of('?'));
  }
  float left = kRows;
  for (const auto& line : lines)
    for (const Point& p : line) left = std::min(left, p.x);
  for (auto& line : lines)
    for (Point& p : line) p.x -= left;
  return lines;
}

/// Columns that a letter takes, without the gap after it.
float columns_of(char letter, const Lines& lines) {
  if (letter == ' ') return kBlank - kGap;
  float right = 0;
  for (const auto& line : lines)
    for (const Point& p : line) right = std::max(right, p.x);
  return right;
}

}  // namespace

float text_width(std::string_view text, float height) {
  float columns = 0;
  for (const char letter : text) columns += columns_of(letter, lines_of(letter)) + kGap;
  return std::max(0.0f, columns - kGap) * height / kRows;
}

void draw_text(StrokeCanvas& canvas, std::string_view text, Point corner, float height,
               float radius) {
  const float unit = height / kRows;
  for (const char letter : text) {
    Lines lines = lines_of(letter);
    const float columns = columns_of(letter, lines);
    for (auto& line : lines) {
      for (Point& p : line) p = {corner.x + p.x * unit, corner.y + p.y * unit};
      canvas.draw(line, radius);
    }
    corner.x += (columns + kGap) * unit;
  }
}

}  // namespace halcyon::runtime
