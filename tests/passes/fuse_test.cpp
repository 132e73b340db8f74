#include <gtest/gtest.h>

#include "compiler/passes/pipeline.h"
#include "dsl/zoo/lenet5.h"
#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::program_of;
using tests::regions_of;

TEST(Fuse, JoinsConvReluAndPoolInOneLoop) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = parameter "w" () {shape=[1,1,1,1]} -> [1,1,1,1]
%2 = conv "conv1" (%0, %1) {kernel=[1,1]} -> [N,1,4,4]
%3 = relu "relu1" (%2) {} -> [N,1,4,4]
%4 = max_pool "pool1" (%3) {kernel=[2,2] stride=[2,2]} -> [N,1,2,2]
%5 = relu "relu2" (%4) {} -> [N,1,2,2]
%6 = flatten "flatten1" (%5) {} -> [N,4]
%7 = softmax "softmax1" (%6) {} -> [N,4]
output "y" %7
)");
  EXPECT_TRUE(fuse(program, {}));
  EXPECT_EQ(regions_of(program),
            "conv1 relu1 pool1 relu2: x, w -> relu2\n"
            "softmax1: flatten1 -> softmax1\n");
  EXPECT_EQ(program.stored({6, 0}), (Value{5, 0}));
}

TEST(Fuse, KeepsAValueUsedTwice) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = parameter "w" () {shape=[1,1,1,1]} -> [1,1,1,1]
%2 = conv "conv1" (%0, %1) {kernel=[1,1]} -> [N,1,4,4]
%3 = relu "relu1" (%2) {} -> [N,1,4,4]
%4 = max_pool "pool1" (%3) {kernel=[2,2] stride=[2,2]} -> [N,1,2,2]
%5 = softmax "softmax1" (%3) {} -> [N,1,4,4]
output "a" %4
output "b" %5
)");
  fuse(program, {});
  EXPECT_EQ(regions_of(program),
            "conv1 relu1: x, w -> relu1\n"
            "pool1: relu1 -> pool1\n"
            "softmax1: relu1 -> softmax1\n");
}

TEST(Fuse, StoresWhatTheHostReceives) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,4]} -> [N,4]
%1 = relu "relu1" (%0) {} -> [N,4]
%2 = relu "relu2" (%1) {} -> [N,4]
output "a" %1
output "b" %2
)");
  fuse(program, {});
  EXPECT_EQ(regions_of(program), "relu1: x -> relu1\nrelu2: relu1 -> relu2\n");
}

TEST(Fuse, LeavesPoolsApartWhoseWindowsOverlapOrArePadded) {
  for (const char* window :
       {"{kernel=[3,3] stride=[1,1]} -> [N,1,2,2]", "{kernel=3 stride=1} -> [N,1,2,2]",
        "{kernel=2 stride=2 pad_begin=[0,1]} -> [N,1,2,2]"}) {
    Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = relu "relu1" (%0) {} -> [N,1,4,4]
%2 = max_pool "pool1" (%1) )" + std::string(window) +
                                 R"(
output "y" %2
)");
    fuse(program, {});
    EXPECT_EQ(regions_of(program), "relu1: x -> relu1\npool1: relu1 -> pool1\n") << window;
  }
}

constexpr const char* kConvAndPool = R"(
%0 = input "x" () {shape=[N,3,9,9]} -> [N,3,9,9]
%1 = parameter "w" () {shape=[5,3,3,3]} -> [5,3,3,3]
%2 = conv "conv1" (%0, %1) {filters=5 kernel=[3,3] pad_begin=1 pad_end=1} -> [N,5,9,9]
%3 = sigmoid "sigmoid1" (%2) {} -> [N,5,9,9]
%4 = average_pool "pool1" (%3) {kernel=3 stride=2 pad_begin=1 pad_end=1} -> [N,5,5,5]
%5 = relu "relu1" (%4) {} -> [N,5,5,5]
output "y" %5
)";

TEST(Fuse, JoinsAConvAndAPoolThatReadsItsRows) {
  Program program = program_of(kConvAndPool);
  fuse(program, tests::wide_machine());
  EXPECT_EQ(regions_of(program), "conv1 sigmoid1 pool1 relu1: x, w -> relu1\n");
}

/// A Winograd convolution in tiles of 4 x 4, and a pool behind it.
std::string winograd_and(const std::string& pool) {
  return R"(
%0 = input "x" () {shape=[N,1,14,14]} -> [N,1,14,14]
%1 = parameter "w" () {shape=[36,1,1,1]} -> [36,1,1,1]
%2 = winograd_conv "conv1" (%0, %1) {} -> [N,1,12,12]
%3 = relu "relu1" (%2) {} -> [N,1,12,12]
)" + pool +
         "output \"y\" %4\n";
}

TEST(Fuse, PoolsTheTilesOfAWinogradConvWhereTheyHoldWholeWindows) {
  Program program = program_of(
      winograd_and("%4 = max_pool \"pool1\" (%3) {kernel=[2,2] stride=[2,2]} -> [N,1,6,6]\n"));
  fuse(program, {});
  EXPECT_EQ(regions_of(program), "conv1 relu1 pool1: x, w -> pool1\n");
  for (const char* pool : {"{kernel=[3,3] stride=[2,2]} -> [N,1,5,5]\n",
                           "{kernel=[3,3] stride=[3,3]} -> [N,1,4,4]\n"}) {
    program = program_of(winograd_and("%4 = max_pool \"pool1\" (%3) " + std::string(pool)));
    fuse(program, {});
    EXPECT_EQ(regions_of(program), "conv1 relu1: x, w -> relu1\npool1: relu1 -> pool1\n");
  }
}

TEST(Fuse, KeepsPoolsOfRowsApartWhenAsked) {
  Program program = program_of(kConvAndPool);
  PassContext context = tests::wide_machine();
  context.fusing.pool = Fusing::never;
  fuse(program, context);
  EXPECT_EQ(regions_of(program),
            "conv1 sigmoid1: x, w -> sigmoid1\npool1 relu1: sigmoid1 -> relu1\n");
}

TEST(Fuse, JoinsTheStemOfGoogLeNetWhereItsMapOutgrowsTheCache) {
  constexpr const char* kStem = R"(
%0 = input "x" () {shape=[N,3,224,224]} -> [N,3,224,224]
%1 = parameter "w" () {shape=[64,3,7,7]} -> [64,3,7,7]
%2 = conv "conv1" (%0, %1) {filters=64 kernel=[7,7] stride=2 pad_begin=3 pad_end=3} -> [N,64,112,112]
%3 = max_pool "pool1" (%2) {kernel=3 stride=2 ceil=true} -> [N,64,56,56]
output "y" %3
)";
  const char* const kJoined = "conv1 pool1: x, w -> pool1\n";
  const char* const kApart = "conv1: x, w -> conv1\npool1: conv1 -> pool1\n";
  PassContext context = tests::wide_machine();
  for (const auto& [megabytes, expected] : {std::pair(1, kJoined), {2, kJoined}, {8, kApart}}) {
    context.target.l2_bytes = megabytes * 1024 * 1024;
    Program program = program_of(kStem);
    fuse(program, context);
    EXPECT_EQ(regions_of(program), expected) << megabytes << " MB";
  }
  context.fusing.pool = Fusing::wherever_possible;
  Program program = program_of(kStem);
  fuse(program, context);
  EXPECT_EQ(regions_of(program), kJoined);
}

TEST(Fuse, LeavesPoolsOfRowsApartThatAreNoFollowersOfAConv) {
  // A window of 36 positions is a loop of its own, and conv2's value has two readers.
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,9,9]} -> [N,1,9,9]
%1 = parameter "w" () {shape=[1,1,1,1]} -> [1,1,1,1]
%2 = conv "conv1" (%0, %1) {kernel=[1,1]} -> [N,1,9,9]
%3 = max_pool "pool1" (%2) {kernel=6 stride=3} -> [N,1,2,2]
%4 = conv "conv2" (%0, %1) {kernel=[1,1]} -> [N,1,9,9]
%5 = max_pool "pool2" (%4) {kernel=3 stride=2} -> [N,1,4,4]
output "a" %3
output "b" %4
output "c" %5
)");
  PassContext context = tests::wide_machine();
  context.fusing.pool = Fusing::wherever_possible;
  fuse(program, context);
  EXPECT_EQ(regions_of(program),
            "conv1: x, w -> conv1\n"
            "pool1: conv1 -> pool1\n"
            "conv2: x, w -> conv2\n"
            "pool2: conv2 -> pool2\n");
}

/// A pool and a pointwise convolution that each lead into the convolution behind them.
constexpr const char* kReduced = R"(
%0 = input "x" () {shape=[N,32,8,8]} -> [N,32,8,8]
%1 = parameter "w1" () {shape=[16,32,1,1]} -> [16,32,1,1]
%2 = max_pool "pool1" (%0) {kernel=3 stride=1 pad_begin=1 pad_end=1} -> [N,32,8,8]
%3 = conv "conv1" (%2, %1) {filters=16 kernel=[1,1]} -> [N,16,8,8]
%4 = relu "relu1" (%3) {} -> [N,16,8,8]
%5 = parameter "w2" () {shape=[48,16,1,1]} -> [48,16,1,1]
%6 = conv "conv2" (%4, %5) {filters=48 kernel=[1,1]} -> [N,48,8,8]
%7 = sigmoid "sigmoid1" (%6) {} -> [N,48,8,8]
%8 = parameter "w3" () {shape=[16,48,3,3]} -> [16,48,3,3]
%9 = conv "conv3" (%7, %8) {filters=16 kernel=[3,3]} -> [N,16,6,6]
%10 = relu "relu2" (%9) {} -> [N,16,6,6]
output "y" %10
)";

TEST(Fuse, LetsPoolsAndPointwiseConvsLeadIntoTheConvThatReadsThem) {
  Program program = program_of(kReduced);
  PassContext context = tests::wide_machine();
  fuse(program, context);
  EXPECT_EQ(regions_of(program),
            "pool1 conv1 relu1: x, w1 -> relu1\n"
            "conv2 sigmoid1 conv3 relu2: relu1, w2, w3 -> relu2\n");
  context.fusing.reduce = Fusing::never;
  fuse(program, context);
  EXPECT_EQ(regions_of(program),
            "pool1: x -> pool1\n"
            "conv1 relu1: pool1, w1 -> relu1\n"
            "conv2 sigmoid1: relu1, w2 -> sigmoid1\n"
            "conv3 relu2: sigmoid1, w3 -> relu2\n");
}

TEST(Fuse, KeepsReducedRowsThatOthersReadOrThatAreCutOtherwise) {
  // pool1 has two readers; conv3's channels are cut into blocks of 8 and conv4's into 16.
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,32,8,8]} -> [N,32,8,8]
%1 = parameter "w1" () {shape=[16,32,1,1]} -> [16,32,1,1]
%2 = max_pool "pool1" (%0) {kernel=3 stride=1 pad_begin=1 pad_end=1} -> [N,32,8,8]
%3 = conv "conv1" (%2, %1) {filters=16 kernel=[1,1]} -> [N,16,8,8]
%4 = conv "conv2" (%2, %1) {filters=16 kernel=[1,1]} -> [N,16,8,8]
%5 = parameter "w3" () {shape=[8,32,1,1]} -> [8,32,1,1]
%6 = conv "conv3" (%0, %5) {filters=8 kernel=[1,1]} -> [N,8,8,8]
%7 = parameter "w4" () {shape=[16,8,3,3]} -> [16,8,3,3]
%8 = conv "conv4" (%6, %7) {filters=16 kernel=[3,3]} -> [N,16,6,6]
output "a" %3
output "b" %4
output "c" %8
)");
  PassContext context = tests::wide_machine();
  context.fusing.reduce = Fusing::wherever_possible;
  fuse(program, context);
  EXPECT_EQ(program.regions.size(), 5U) << regions_of(program);
}

TEST(Fuse, TakesOnePoolIntoARegion) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,8,8]} -> [N,1,8,8]
%1 = relu "relu1" (%0) {} -> [N,1,8,8]
%2 = max_pool "pool1" (%1) {kernel=[2,2] stride=[2,2]} -> [N,1,4,4]
%3 = max_pool "pool2" (%2) {kernel=[2,2] stride=[2,2]} -> [N,1,2,2]
output "y" %3
)");
  fuse(program, {});
  EXPECT_EQ(regions_of(program), "relu1 pool1: x -> pool1\npool2: pool1 -> pool2\n");
}

TEST(Fuse, LeavesCopiesBehindAProductApart) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,3]} -> [N,3]
%1 = parameter "w" () {shape=[4,3]} -> [4,3]
%2 = dense "dense1" (%0, %1) {units=4} -> [N,4]
%3 = relu "relu1" (%2) {} -> [N,4]
%4 = copy "copy1" (%3) {} -> [N,4]
output "y" %4
)");
  fuse(program, {});
  EXPECT_EQ(regions_of(program), "dense1 relu1: x, w -> relu1\ncopy1: relu1 -> copy1\n");
}

TEST(Fuse, RunsARegionBehindAllThatItReads) {
  // The region that begins with conv1 ends with a sum that needs conv2.
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = parameter "w" () {shape=[1,1,1,1]} -> [1,1,1,1]
%2 = conv "conv1" (%0, %1) {kernel=[1,1]} -> [N,1,4,4]
%3 = conv "conv2" (%0, %1) {kernel=[1,1]} -> [N,1,4,4]
%4 = softmax "softmax1" (%3) {} -> [N,1,4,4]
%5 = add "sum" (%2, %4) {} -> [N,1,4,4]
output "y" %5
)");
  fuse(program, {});
  EXPECT_EQ(regions_of(program),
            "conv2: x, w -> conv2\n"
            "softmax1: conv2 -> softmax1\n"
            "conv1 sum: x, w, softmax1 -> sum\n");
}

TEST(Fuse, FollowsAValueThatOneNodeReadsTwice) {
  Program program = program_of(R"graph(
%0 = input "x" () {shape=[N,1,4,4]} -> [N,1,4,4]
%1 = parameter "w" () {shape=[1,1,1,1]} -> [1,1,1,1]
%2 = conv "conv1" (%0, %1) {kernel=[1,1]} -> [N,1,4,4]
%3 = mul "square" (%2, %2) {} -> [N,1,4,4]
%4 = pointwise "mine" (%3) {function="mine" formula="x0 * sigmoid(x0)"} -> [N,1,4,4]
output "y" %4
)graph");
  fuse(program, {});
  EXPECT_EQ(regions_of(program), "conv1 square mine: x, w -> mine\n");
}

TEST(Fuse, RepeatsWhatOtherRegionsComputedButNotItsOwnValue) {
  Program program = program_of(R"(
%0 = input "x" () {shape=[N,2,4,4]} -> [N,2,4,4]
%1 = parameter "slope" () {shape=[2]} -> [2]
%2 = softmax "softmax1" (%0) {} -> [N,2,4,4]
%3 = average_pool "squeeze" (%0) {kernel=[4,4]} -> [N,2,1,1]
%4 = sigmoid "gate" (%3) {} -> [N,2,1,1]
%5 = relu "relu1" (%2) {} -> [N,2,4,4]
%6 = mul "excite" (%5, %4) {} -> [N,2,4,4]
%7 = prelu "prelu1" (%6, %1) {} -> [N,2,4,4]
output "y" %7
)");
  fuse(program, {});
  EXPECT_EQ(regions_of(program),
            "softmax1: x -> softmax1\n"
            "squeeze gate: x -> gate\n"
            "relu1 excite prelu1: softmax1, gate, slope -> prelu1\n");
}

TEST(Fuse, CutsLenet5IntoTheseRegions) {
  Program inference;
  inference.graph = dsl::zoo::lenet5().graph();
  run_passes(inference, tests::wide_machine(), inference_passes());
  EXPECT_EQ(regions_of(inference),
            "conv1 pool1 relu1: image, conv1.weight, conv1.bias -> relu1\n"
            "conv2 pool2 relu2: relu1, conv2.weight, conv2.bias -> relu2\n"
            "dense1 relu3: flatten1, dense1.weight, dense1.bias -> relu3\n"
            "dense2 relu4: relu3, dense2.weight, dense2.bias -> relu4\n"
            "dense3: relu4, dense3.weight, dense3.bias -> dense3\n"
            "softmax1: dense3 -> softmax1\n");
  Program training;
  training.graph = dsl::zoo::lenet5().graph();
  run_passes(training, tests::wide_machine(), training_passes());
  EXPECT_EQ(training.regions.size(), 29U) << regions_of(training);
}

}  // namespace
}  // namespace halcyon::compiler
