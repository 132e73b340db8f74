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

TEST(ExpandConvTranspose, MakesAConvolutionOfTheSpreadInput) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4,3]} -> [N,4,3]
%1 = parameter "w" () {id=0 shape=[4,3,4]} -> [4,3,4]
%2 = parameter "b" () {id=1 shape=[6]} -> [6]
%3 = conv_transpose "up" (%0, %1, %2) {filters=6 kernel=4 stride=2 pad_begin=1 output_padding=1 groups=2} -> [N,6,8]
output "y" %3
)");
  EXPECT_TRUE(expand_conv_transpose(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "up.spread = pad (x)\n"
            "up.flip = flip_filter (w)\n"
            "up = conv (up.spread, up.flip, b)\n"
            "output y up\n");
  EXPECT_EQ(attributes_of(program, "up.spread"),
            "{begin=0 end=[0,1] between=[0,1] mode=constant value=0x0p+0}");
  EXPECT_EQ(attributes_of(program, "up"),
            "{filters=6 kernel=4 stride=1 dilation=1 pad_begin=[2] pad_end=[3] groups=2}");
  EXPECT_FALSE(expand_conv_transpose(program, {}));
}

TEST(ExpandConvTranspose, CutsWhatPaddingTakesBeyondTheWindow) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,6]} -> [N,1,6]
%1 = parameter "w" () {shape=[1,1,2]} -> [1,1,2]
%2 = conv_transpose "up" (%0, %1) {kernel=2 pad_begin=3 pad_end=1} -> [N,1,3]
output "y" %2
)");
  EXPECT_TRUE(expand_conv_transpose(program, {}));
  EXPECT_EQ(text_of(program.graph),
            "up.cut = slice (x)\n"
            "up.flip = flip_filter (w)\n"
            "up = conv (up.cut, up.flip)\n"
            "output y up\n");
  EXPECT_EQ(attributes_of(program, "up.cut"), "{begin=[0,2] end=[1,6] step=1}");
}

}  // namespace
}  // namespace halcyon::compiler
