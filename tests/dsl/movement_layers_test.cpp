/// Shapes of the layers that move values, checked while this file is compiled, and their mistakes.

#include <gtest/gtest.h>

#include "dsl/layers.h"

namespace halcyon::dsl {
namespace {

template <class Layer>
constexpr Shape shape_after(const Layer& layer, const Shape& sample = {6, 8, 10}) {
  Network net("net");
  return (net.input("x", sample) | layer).shape();
}

template <class Layer>
std::string mistake_of(const Layer& layer) {
  Network net("net");
  const Tensor x = net.input("x", {6, 8, 10});
  try {
    x | layer;
  } catch (const UserError& error) {
    const std::string text = error.what();
    return text.substr(text.find("): ") + 3);
  }
  return "no mistake";
}

TEST(Pad, AddsABorder) {
  static_assert(shape_after(pad(2)) == Shape{kBatch, 6, 12, 14});
  static_assert(shape_after(pad({{1, 0}, {0, 3}}, {.channels_end = 2})) == Shape{kBatch, 8, 9, 13});
  EXPECT_EQ(mistake_of(pad(9, {.mode = ops::PadMode::reflect})),
            "a reflected border of 9 needs at least 10 positions, axis 2 has 8; inputs "
            "[N,6,8,10]\n  hint: use edge, or pad twice");
  EXPECT_EQ(mistake_of(pad(-1)),
            "padding is -1, expected at least 0; inputs [N,6,8,10]\n"
            "  hint: to cut a border off, use slice");
}

TEST(Slice, CutsOneAxis) {
  static_assert(shape_after(slice(1, 2, 5)) == Shape{kBatch, 3, 8, 10});
  static_assert(shape_after(slice(3, 9, -1, {.step = -4})) == Shape{kBatch, 6, 8, 3});
  static_assert(shape_after(crop({{1, 0}, {2, 3}})) == Shape{kBatch, 6, 5, 7});
  EXPECT_EQ(mistake_of(slice(2, 3, 9)),
            "axis 2: no position from 3 up to 9 in steps of 1, or not all of them among the "
            "input's 8; inputs [N,6,8,10]\n  hint: 0 <= begin < end <= 8");
  EXPECT_EQ(mistake_of(slice(0, 0, 1)),
            "axis 0 is not one of 1 to 3; inputs [N,6,8,10]\n"
            "  hint: 0 is the batch, 1 the channels, 2 the first spatial axis");
}

TEST(Split, CutsIntoPartsThatFillTheAxis) {
  constexpr auto shapes = [] {
    Network net("net");
    const Tensor x = net.input("x", {6, 8, 10});
    const std::vector<Tensor> unlike = split(x, {1, 2, 3});
    const std::vector<Tensor> alike = split(x, 4, 2);
    return std::array{unlike[2].shape(), alike[3].shape()};
  };
  static_assert(shapes()[0] == Shape{kBatch, 3, 8, 10});
  static_assert(shapes()[1] == Shape{kBatch, 6, 2, 10});
  EXPECT_EQ(mistake_of([](Tensor x) {
              return split(x, {2, 3})[0];
            }),
            "the parts of axis 1 hold 5 positions, x has 6; inputs [N,6,8,10]");
  EXPECT_EQ(mistake_of([](Tensor x) { return split(x, 3, 2)[0]; }),
            "the 8 positions of axis 2 cannot be split into 3 equal parts; inputs [N,6,8,10]\n"
            "  hint: give the extent of each part");
}

TEST(Concat, JoinsAnyAxisButTheBatch) {
  static_assert(shape_after([](Tensor x) {
                  return concat({x, x | crop(Padding({0, 0}, {0, 4}))}, 3);
                }) == Shape{kBatch, 6, 8, 16});
  EXPECT_EQ(mistake_of([](Tensor x) {
              return concat({x, x}, 4);
            }),
            "axis 4 is not one of 1 to 3; inputs [N,6,8,10], [N,6,8,10]\n"
            "  hint: 0 is the batch, 1 the channels, 2 the first spatial axis");
  EXPECT_EQ(mistake_of([](Tensor x) {
              return concat({x, x | slice(1, 0, 2)}, 2);
            }),
            "concat joins axis 2; axis 1 has 2 here and 6 in the first input; inputs [N,6,8,10], "
            "[N,2,8,10]\n  hint: every axis but the joined one must agree");
}

TEST(Reshape, FindsOneExtentFromTheOthers) {
  static_assert(shape_after(reshape({12, 40})) == Shape{kBatch, 12, 40});
  static_assert(shape_after(reshape({5, -1, 3})) == Shape{kBatch, 5, 32, 3});
  EXPECT_EQ(mistake_of(reshape({7, 8})),
            "[N,6,8,10] has 480 values per sample, [N,7,8] has 56; inputs [N,6,8,10]");
  EXPECT_EQ(mistake_of(reshape({-1, 7})),
            "the extent -1 cannot be found from the 480 values of x; inputs [N,6,8,10]\n"
            "  hint: at most one extent may be -1, and the others must divide the values");
}

TEST(Transpose, NamesEachAxisOnce) {
  static_assert(shape_after(transpose({2, 3, 1})) == Shape{kBatch, 8, 10, 6});
  EXPECT_EQ(mistake_of(transpose({2, 2, 1})),
            "the permutation names axis 2 twice; inputs [N,6,8,10]");
  EXPECT_EQ(mistake_of(transpose({0, 2, 1})),
            "the permutation names axis 0, expected 1 to 3; inputs [N,6,8,10]\n"
            "  hint: the batch, axis 0, stays in front and is not named");
}

TEST(Rearranging, CountsBlocksAndGroups) {
  static_assert(shape_after(channel_shuffle(3)) == Shape{kBatch, 6, 8, 10});
  static_assert(shape_after(space_to_depth(2)) == Shape{kBatch, 24, 4, 5});
  static_assert(shape_after(depth_to_space(2), {12, 3, 5}) == Shape{kBatch, 3, 6, 10});
  static_assert(shape_after(depth_to_space(3), {6, 5}) == Shape{kBatch, 2, 15});
  EXPECT_EQ(mistake_of(depth_to_space(2)),
            "6 channels are no multiple of block^2, block is 2; inputs [N,6,8,10]");
  EXPECT_EQ(mistake_of(space_to_depth(4)),
            "extent 10 of axis 3 is no multiple of the block's 4; inputs [N,6,8,10]");
}

TEST(Resize, TakesSizesScalesAndFactors) {
  static_assert(shape_after(resize({3, 21})) == Shape{kBatch, 6, 3, 21});
  static_assert(shape_after(rescale({0.3f, 1.5f})) == Shape{kBatch, 6, 2, 15});
  static_assert(shape_after(upsample(2)) == Shape{kBatch, 6, 16, 20});
  EXPECT_EQ(mistake_of(rescale(0)),
            "the scale is not positive, or too large; inputs [N,6,8,10]\n"
            "  hint: give each spatial axis a .size or a .scale above 0");
  EXPECT_EQ(mistake_of(rescale(0.1f)),
            "the scale leaves nothing of an extent of 8; inputs [N,6,8,10]\n"
            "  hint: scale times extent must be at least 1");
}

TEST(ConvTranspose, EnlargesByItsStride) {
  static_assert(shape_after(conv_transpose(4, 3)) == Shape{kBatch, 4, 10, 12});
  static_assert(shape_after(conv_transpose(4, 3, {.stride = 2, .pad = same})) ==
                Shape{kBatch, 4, 16, 20});
  static_assert(shape_after(conv_transpose(4, 1, {.stride = 3, .pad = same})) ==
                Shape{kBatch, 4, 24, 30});
  static_assert(shape_after(conv_transpose(
                    4, 3, {.stride = 2, .pad = 1, .output_padding = 1, .groups = 2})) ==
                Shape{kBatch, 4, 16, 20});
  EXPECT_EQ(mistake_of(conv_transpose(4, 3, {.stride = 2, .output_padding = 2})),
            "output_padding 2 is below neither the stride's 2 nor the dilation's 1; inputs "
            "[N,6,8,10], [6,4,3,3], [4]\n"
            "  hint: it chooses among the sizes that the stride makes possible");
  EXPECT_EQ(mistake_of(conv_transpose(4, 1, {.pad = 4})),
            "padding 4 and 4 cut off all 8 positions; inputs [N,6,8,10], [6,4,1,1], [4]");
}

TEST(Pool, RoundsUpInCeilModeAndDilates) {
  static_assert(shape_after(max_pool(3, {.stride = 3, .ceil = true})) == Shape{kBatch, 6, 3, 4});
  static_assert(shape_after(max_pool(3, {.stride = 3, .pad = 1, .ceil = true}), {1, 5}) ==
                Shape{kBatch, 1, 2});
  static_assert(shape_after(average_pool(3, {.stride = 1, .dilation = 2})) ==
                Shape{kBatch, 6, 4, 6});
  EXPECT_EQ(mistake_of([](Tensor x) {
              return x | slice(2, 0, 1) |
                     max_pool({2, 1}, {.stride = 1, .pad = {{1, 0}, {1, 0}}, .dilation = 2});
            }),
            "a window with dilation 2 and padding 1 steps over all 1 of the input; inputs "
            "[N,6,1,10]\n  hint: a window that holds padding alone has no maximum");
}

}  // namespace
}  // namespace halcyon::dsl
