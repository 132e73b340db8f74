#include "runtime/data/font.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace halcyon::runtime {
namespace {

std::vector<float> drawn(const std::string& text) {
  StrokeCanvas canvas(24, 24);
  draw_text(canvas, text, {4, 4}, 16, 1);
  return {canvas.coverage().begin(), canvas.coverage().end()};
}

TEST(Font, DrawsEveryLetterAnotherWay) {
  std::set<std::vector<float>> seen;
  const std::string letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ%.,-_:/()+=><!'?";
  for (const char letter : letters) {
    const std::vector<float> picture = drawn(std::string(1, letter));
    EXPECT_GT(std::accumulate(picture.begin(), picture.end(), 0.0f), 1) << letter;
    EXPECT_TRUE(seen.insert(picture).second) << letter;
  }
}

TEST(Font, ShowsSmallLettersAsCapitalsAndUnknownOnesAsQuestionMarks) {
  EXPECT_EQ(drawn("q"), drawn("Q"));
  EXPECT_EQ(drawn("\xc3"), drawn("?"));
  EXPECT_EQ(drawn("\t"), drawn("?"));
}

TEST(Font, WidthsAddUpAndScale) {
  EXPECT_EQ(text_width("", 16), 0);
  EXPECT_GT(text_width("AB", 16), text_width("A", 16) + text_width("B", 16));
  EXPECT_LT(text_width("1.", 16), text_width("MM", 16));
  EXPECT_FLOAT_EQ(text_width("lenet5", 32), 2 * text_width("lenet5", 16));
}

}  // namespace
}  // namespace halcyon::runtime
