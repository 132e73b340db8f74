/// Names that layers get, and the places in the source that they remember.

#include <gtest/gtest.h>

#include "dsl/layers.h"

namespace halcyon::dsl {
namespace {

const Node& node_of(const Network& net, Tensor x) { return net.graph().node(x.value); }

TEST(Names, CountEachKindOfLayer) {
  Network net("net");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | conv(4, 3);
  EXPECT_EQ(node_of(net, x).name.view(), "conv1");
  x = x | relu;
  EXPECT_EQ(node_of(net, x).name.view(), "relu1");
  x = x | conv(4, 3);
  EXPECT_EQ(node_of(net, x).name.view(), "conv2");
  EXPECT_EQ(net.parameters("conv2"), 4 * 4 * 9 + 4);
  EXPECT_EQ(net.shape("conv2.bias"), Shape{4});
}

TEST(Names, AreTakenAsGiven) {
  Network net("net");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | conv(4, 3, {.name = "stem"}) | max_pool(2, {.name = "stem.pool"});
  EXPECT_EQ(net.shape("stem"), (Shape{kBatch, 4, 6, 6}));
  EXPECT_EQ(net.shape("stem.pool"), (Shape{kBatch, 4, 3, 3}));
  EXPECT_EQ(net.parameters("stem"), 4 * 3 * 9 + 4);
}

TEST(Names, StepOverThoseGivenBefore) {
  constexpr auto net = [] {
    Network made("net");
    Tensor x = made.input("image", {.height = 8, .width = 8, .channels = 3});
    x = x | conv(5, 1, {.name = "conv1"}) | conv(6, 1) | conv(7, 1);
    return made;
  };
  static_assert(net().shape("conv1")[1] == 5);
  static_assert(net().shape("conv2")[1] == 6);
  static_assert(net().shape("conv3")[1] == 7);
}

TEST(Names, OfNothingAreFoundAsRankZero) {
  Network net("net");
  net.input("image", {.height = 8, .width = 8, .channels = 3});
  EXPECT_EQ(net.shape("conv1"), Shape{});
  EXPECT_EQ(net.parameters("conv1"), 0);
}

TEST(Places, AreTheLinesOfTheLayers) {
  Network net("net");
  const int line = __LINE__;
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  Tensor y = x | conv(4, 3);
  Tensor z = y | relu;
  Tensor sum = add(z, z);
  Tensor flat = sum | flatten;
  Tensor scores = flat | dense(10);
  Tensor loss = softmax_cross_entropy(scores, net.labels("label"));
  int offset = 0;
  for (Tensor t : {x, y, z, sum, flat, scores, loss}) {
    EXPECT_EQ(node_of(net, t).place.file.view(), "names_test.cpp");
    EXPECT_EQ(node_of(net, t).place.line, line + ++offset) << node_of(net, t).name.view();
  }
  EXPECT_EQ(net.graph().node(node_of(net, y).inputs[1]).place.line, line + 2);
}

TEST(Places, DropTheFolders) {
  static_assert(Place::here("/home/user/net.cpp", 3) == Place{"net.cpp", 3});
  static_assert(Place::here("net.cpp", 4) == Place{"net.cpp", 4});
}

}  // namespace
}  // namespace halcyon::dsl
