#include <gtest/gtest.h>

#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::program_of;
using tests::text_of;

std::string attributes_of(const Program& program, std::string_view name) {
  return dsl::attributes_text(program.graph.node(find(program.graph, name)).op);
}

TEST(FoldPadding, GivesTheBorderToConv) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,2,4,5]} -> [N,2,4,5]
%1 = parameter "w" () {shape=[3,2,3,3]} -> [3,2,3,3]
%2 = pad "pad1" (%0) {begin=[0,1,0] end=[0,2,3]} -> [N,2,7,8]
%3 = conv "conv1" (%2, %1) {filters=3 kernel=3 pad_begin=[0,1] pad_end=1} -> [N,3,6,8]
output "y" %3
)");
  EXPECT_TRUE(fold_padding(program, {}));
  EXPECT_EQ(text_of(program.graph), "conv1 = conv (x, w)\noutput y conv1\n");
  EXPECT_EQ(attributes_of(program, "conv1"),
            "{filters=3 kernel=3 stride=1 dilation=1 pad_begin=[1,1] pad_end=[3,4] groups=1}");
  EXPECT_FALSE(fold_padding(program, {}));
}

TEST(FoldPadding, MakesAverageCountTheBorder) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,2,5]} -> [N,2,5]
%1 = pad "pad1" (%0) {begin=[0,1] end=[0,1]} -> [N,2,7]
%2 = average_pool "pool1" (%1) {kernel=3 stride=2} -> [N,2,3]
output "y" %2
)");
  EXPECT_TRUE(fold_padding(program, {}));
  EXPECT_EQ(attributes_of(program, "pool1"),
            "{kernel=3 stride=2 dilation=1 pad_begin=[1] pad_end=[1] ceil=false "
            "count_padding=true}");
}

void expect_kept(std::string_view pad, std::string_view shape, std::string_view pool) {
  Program program = program_of(
      "%0 = input \"x\" () {shape=[N,2,5]} -> [N,2,5]\n%1 = pad \"pad1\" "
      "(%0) {" +
      std::string(pad) + "} -> " + std::string(shape) + "\n%2 = " + std::string(pool) +
      "\noutput \"y\" %2\n");
  EXPECT_FALSE(fold_padding(program, {})) << pad << " " << pool;
}

TEST(FoldPadding, LeavesWhatIsNoPaddingOfItsReader) {
  const char* mean = "average_pool \"p\" (%1) {kernel=3 stride=2} -> [N,2,3]";
  expect_kept("begin=[0,1] end=[0,1] value=0x1p+0", "[N,2,7]", mean);
  expect_kept("begin=[0,1] end=[0,1] mode=edge", "[N,2,7]", mean);
  expect_kept("begin=[1,1] end=[0,1]", "[N,3,7]",
              "average_pool \"p\" (%1) {kernel=3 stride=2} -> [N,3,3]");
  expect_kept("between=[0,1]", "[N,2,9]", "average_pool \"p\" (%1) {kernel=3 stride=2} -> [N,2,4]");
  // Windows of zeros alone, padding that does not count, a maximum.
  expect_kept("end=[0,3]", "[N,2,8]", "average_pool \"p\" (%1) {kernel=2 stride=2} -> [N,2,4]");
  expect_kept("begin=[0,1] end=[0,1]", "[N,2,7]",
              "average_pool \"p\" (%1) {kernel=3 stride=2 pad_begin=1} -> [N,2,3]");
  expect_kept("begin=[0,1] end=[0,1]", "[N,2,7]",
              "max_pool \"p\" (%1) {kernel=3 stride=2} -> [N,2,3]");
  // The last window starts in the border, which padding may not do.
  expect_kept("end=[0,2]", "[N,2,7]",
              "average_pool \"p\" (%1) {kernel=3 stride=3 ceil=true} -> [N,2,3]");
}

}  // namespace
}  // namespace halcyon::compiler
