/// Shapes of the layers: most of it is checked by the compiler itself.

#include "dsl/layers.h"

#include <gtest/gtest.h>

namespace halcyon::dsl {
namespace {

// The shape that a layer makes of a picture of 3 x 9 x 11.
template <class Layer>
constexpr Shape shape_after(const Layer& layer) {
  Network net("net");
  return (net.input("image", {.height = 9, .width = 11, .channels = 3}) | layer).shape();
}

constexpr ops::Conv conv_with(const ConvOptions& options, Spatial kernel = 3) {
  Network net("net");
  const Tensor x = net.input("image", {.height = 9, .width = 11, .channels = 4});
  return std::get<ops::Conv>(net.graph().node((x | conv(8, kernel, options)).value).op);
}

constexpr bool pads(const ops::Conv& op, Spatial begin, Spatial end) {
  return op.pad_begin == begin && op.pad_end == end;
}

TEST(Conv, PadsAsAsked) {
  static_assert(shape_after(conv(8, 3)) == Shape{kBatch, 8, 7, 9});
  static_assert(shape_after(conv(8, 3, {.pad = valid})) == Shape{kBatch, 8, 7, 9});
  static_assert(shape_after(conv(8, 3, {.pad = same})) == Shape{kBatch, 8, 9, 11});
  static_assert(shape_after(conv(8, 3, {.pad = 2})) == Shape{kBatch, 8, 11, 13});
  static_assert(shape_after(conv(8, 3, {.pad = {1, 2}})) == Shape{kBatch, 8, 9, 13});
  static_assert(shape_after(conv(8, 3, {.pad = {{0, 1}, {2, 3}}})) == Shape{kBatch, 8, 9, 13});
}

TEST(Conv, PadsSameWithTheOddZeroAtTheEnd) {
  static_assert(pads(conv_with({.pad = same}, 3), {1, 1}, {1, 1}));
  static_assert(pads(conv_with({.pad = same}, 4), {1, 1}, {2, 2}));
  static_assert(pads(conv_with({.stride = 2, .pad = same}, 4), {1, 1}, {2, 2}));
  static_assert(pads(conv_with({.pad = same, .dilation = 2}, 3), {2, 2}, {2, 2}));
  static_assert(pads(conv_with({.stride = 4, .pad = same}, 1), {0, 0}, {0, 0}));
  static_assert(pads(conv_with({.pad = {{0, 1}, {2, 3}}}), {0, 1}, {2, 3}));
}

TEST(Conv, StridesAndDilates) {
  static_assert(shape_after(conv(8, 3, {.stride = 2})) == Shape{kBatch, 8, 4, 5});
  static_assert(shape_after(conv(8, 3, {.stride = {1, 2}})) == Shape{kBatch, 8, 7, 5});
  static_assert(shape_after(conv(8, 3, {.stride = 2, .pad = same})) == Shape{kBatch, 8, 5, 6});
  static_assert(shape_after(conv(8, 3, {.dilation = 2})) == Shape{kBatch, 8, 5, 7});
  static_assert(shape_after(conv(8, {1, 5})) == Shape{kBatch, 8, 9, 7});
  static_assert(shape_after(conv(8, {9, 11})) == Shape{kBatch, 8, 1, 1});
}

TEST(Conv, SplitsChannelsIntoGroups) {
  constexpr auto depthwise = [] {
    Network net("net");
    Tensor x = net.input("image", {.height = 9, .width = 9, .channels = 4});
    x = x | conv(8, 3, {.groups = 4});
    return net;
  };
  static_assert(depthwise().parameters("conv1") == 8 * 1 * 9 + 8);
  static_assert(depthwise().macs() == 7 * 7 * 8 * 9);
  static_assert(depthwise().shape("conv1.weight") == Shape{8, 1, 3, 3});
}

TEST(Conv, LeavesTheBiasOut) {
  constexpr auto plain = [] {
    Network net("net");
    Tensor x = net.input("image", {.height = 9, .width = 9, .channels = 4});
    x = x | conv(8, 3, {.bias = false}) | flatten | dense(5, {.bias = false});
    return net;
  };
  static_assert(plain().parameters("conv1") == 8 * 4 * 9);
  static_assert(plain().parameters("dense1") == 8 * 7 * 7 * 5);
}

TEST(Conv, WorksOnOneAndThreeAxes) {
  constexpr auto line = [] {
    Network net("net");
    Tensor x = net.input("sound", {2, 100});
    x = x | conv(8, 5, {.stride = 2, .pad = 2}) | max_pool(2) | average_pool(5);
    return net;
  };
  static_assert(line().shape("conv1") == Shape{kBatch, 8, 50});
  static_assert(line().shape("conv1.weight") == Shape{8, 2, 5});
  static_assert(line().shape("pool2") == Shape{kBatch, 8, 5});

  constexpr auto volume = [] {
    Network net("net");
    Tensor x = net.input("scan", {2, 10, 12, 14});
    x = x | conv(8, {3, 1, 5}, {.pad = same}) | max_pool({2, 3, 7}) | flatten;
    return net;
  };
  static_assert(volume().shape("conv1") == Shape{kBatch, 8, 10, 12, 14});
  static_assert(volume().shape("pool1") == Shape{kBatch, 8, 5, 4, 2});
  static_assert(volume().shape("flatten1") == Shape{kBatch, 320});
}

TEST(Pool, StridesByItsKernelUnlessTold) {
  static_assert(shape_after(max_pool(2)) == Shape{kBatch, 3, 4, 5});
  static_assert(shape_after(max_pool(3, {.stride = 2})) == Shape{kBatch, 3, 4, 5});
  static_assert(shape_after(max_pool(3, {.stride = 2, .pad = 1})) == Shape{kBatch, 3, 5, 6});
  static_assert(shape_after(max_pool(2, {.pad = same})) == Shape{kBatch, 3, 5, 6});
  static_assert(shape_after(average_pool({9, 11})) == Shape{kBatch, 3, 1, 1});
}

TEST(Pool, CountsPaddingOnlyIfAsked) {
  Network net("net");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  const Tensor plain = x | average_pool(3, {.pad = 1});
  const Tensor counted = x | average_pool(3, {.pad = 1, .count_padding = true});
  EXPECT_FALSE(std::get<ops::AveragePool>(net.graph().node(plain.value).op).count_padding);
  EXPECT_TRUE(std::get<ops::AveragePool>(net.graph().node(counted.value).op).count_padding);
}

TEST(Concat, JoinsChannels) {
  static_assert(shape_after([](Tensor x) {
                  return concat({x | conv(4, 1), x, x | conv(6, 3, {.pad = same})});
                }) == Shape{kBatch, 13, 9, 11});
}

TEST(Add, KeepsTheShape) {
  static_assert(shape_after([](Tensor x) { return add(x, x | relu); }) == Shape{kBatch, 3, 9, 11});
}

TEST(Softmax, KeepsTheShape) { static_assert(shape_after(softmax) == Shape{kBatch, 3, 9, 11}); }

TEST(Dense, TakesAVectorAsInput) {
  constexpr auto shape = [] {
    Network net("net");
    return (net.input("features", {7}) | dense(5)).shape();
  };
  static_assert(shape() == Shape{kBatch, 5});
}

TEST(Block, IsAFunctionFromTensorToTensor) {
  constexpr auto residual = [](int64_t filters) {
    return [=](Tensor x) { return add(x, x | conv(filters, 3, {.pad = same}) | relu); };
  };
  static_assert(shape_after([=](Tensor x) { return x | residual(3) | residual(3); }) ==
                Shape{kBatch, 3, 9, 11});
}

TEST(Losses, AreScalarsWithWeights) {
  Network net("net");
  const Tensor x = net.input("features", {6}) | dense(4);
  const Tensor label = net.labels("label");
  net.loss("class", softmax_cross_entropy(x, label));
  net.loss("value", mean_square(x, net.target("wanted", {4})), 0.25f);
  const Graph& graph = net.graph();
  ASSERT_EQ(graph.losses.size(), 2u);
  EXPECT_EQ(graph.losses[0].weight, 1.0f);
  EXPECT_EQ(graph.losses[1].weight, 0.25f);
  for (const Loss& loss : graph.losses) EXPECT_EQ(graph.shape(loss.value), Shape{});
  EXPECT_EQ(std::get<ops::Input>(graph.node(label.value).op).classes, 4);
  EXPECT_EQ(std::get<ops::Input>(graph.node(label.value).op).dtype, DType::i32);
}

TEST(Input, RemembersTheOrderOfItsPictures) {
  constexpr auto is_last = [](Order order) {
    Network net("net");
    const Tensor x = net.input("image", {.height = 4, .width = 6, .channels = 3, .order = order});
    return std::get<ops::Input>(net.graph().node(x.value).op).channels_last;
  };
  static_assert(is_last(Order::hwc));
  static_assert(!is_last(Order::chw));
}

}  // namespace
}  // namespace halcyon::dsl
