/// halcyon verify where all is well; tests/e2e/command_line_test.cpp has what it refuses.

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/e2e/command.h"

namespace halcyon::tests {
namespace {

/// The lines of a run that finds nothing wrong, one for each tensor.
std::vector<std::string> verified(std::vector<std::string> words) {
  words.insert(words.begin(), "verify");
  const Finished finished = run_halcyon(words);
  EXPECT_EQ(finished.status, 0) << finished.output << finished.errors;
  EXPECT_EQ(finished.errors, "");
  const std::regex good("[a-z]+ \\S+ +error \\S+ of \\S+  ok( but for jumps at kinks)?");
  std::vector<std::string> lines = lines_of(finished.output);
  for (const std::string& line : lines) EXPECT_TRUE(std::regex_match(line, good)) << line;
  return lines;
}

int64_t count_of(const std::vector<std::string>& lines, const std::string& begin) {
  return std::count_if(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.starts_with(begin); });
}

TEST(Verify, FindsOutputsGradientsAndKernelsOfLenet5Right) {
  const std::vector<std::string> lines = verified({"zoo:lenet5"});
  EXPECT_EQ(count_of(lines, "output scores "), 1);
  EXPECT_EQ(count_of(lines, "loss loss "), 1);
  // Weight and bias of two convolutions and three dense layers, each of them a kernel.
  EXPECT_EQ(count_of(lines, "gradient "), 10);
  EXPECT_EQ(count_of(lines, "gradient conv1.weight "), 1);
  EXPECT_EQ(count_of(lines, "gradient dense3.bias "), 1);
  EXPECT_GE(count_of(lines, "kernel "), 5);
  EXPECT_EQ(count_of(lines, "kernel conv1"), 1);
}

TEST(Verify, HasNoGradientsOfANetworkThatSlidesOverALargerPicture) {
  const std::vector<std::string> lines =
      verified({"zoo:lenet5", "--input-shape", "40x36", "--batch", "2", "--threads", "2"});
  EXPECT_EQ(count_of(lines, "output scores "), 1);
  EXPECT_EQ(count_of(lines, "loss ") + count_of(lines, "gradient "), 0);
  EXPECT_GE(count_of(lines, "kernel "), 5);
}

}  // namespace
}  // namespace halcyon::tests
