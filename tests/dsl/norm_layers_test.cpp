/// Shapes, parameters and mistakes of the layers that reduce and normalise.

#include "dsl/norm_layers.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace halcyon::dsl {
namespace {

// The shape that a layer makes of a picture of 6 x 9 x 11.
template <class Layer>
constexpr Shape shape_after(const Layer& layer) {
  Network net("net");
  return (net.input("image", {.height = 9, .width = 11, .channels = 6}) | layer).shape();
}

TEST(Reduce, KeepsOrDropsAxes) {
  using Kind = ops::ReduceKind;
  static_assert(shape_after(reduce(Kind::sum, {2})) == Shape{kBatch, 6, 1, 11});
  static_assert(shape_after(reduce(Kind::max, {3, 1})) == Shape{kBatch, 1, 9, 1});
  static_assert(shape_after(reduce(Kind::max, {1}, {.keep_dims = false})) == Shape{kBatch, 9, 11});
  static_assert(shape_after(global_average_pool()) == Shape{kBatch, 6, 1, 1});
  static_assert(shape_after(global_max_pool({.keep_dims = false})) == Shape{kBatch, 6});
}

TEST(Norms, KeepTheShape) {
  constexpr Shape same = {kBatch, 6, 9, 11};
  static_assert(shape_after(batch_norm()) == same);
  static_assert(shape_after(instance_norm()) == same);
  static_assert(shape_after(group_norm(3)) == same);
  static_assert(shape_after(layer_norm()) == same);
  static_assert(shape_after(l2_normalize()) == same);
  static_assert(shape_after(local_response_norm(5)) == same);
  static_assert(shape_after(log_softmax()) == same);
  static_assert(shape_after(dropout(0.2f)) == same);
  static_assert(shape_after([](Tensor x) { return x | flatten | batch_norm() | dropout(); }) ==
                Shape{kBatch, 594});
}

TEST(BatchNorm, CountsWhatCanBeTrained) {
  constexpr auto network = [] {
    Network net("net");
    Tensor x = net.input("image", {.height = 9, .width = 9, .channels = 4});
    x = x | batch_norm();
    return net;
  };
  static_assert(network().parameter_count() == 8);
  static_assert(network().parameters("batch_norm1") == 8);
  const Network net = network();
  std::string names;
  for (const Node& n : net.graph().nodes()) {
    const auto* parameter = std::get_if<ops::Parameter>(&n.op);
    if (parameter != nullptr)
      names += std::string(n.name.view()) + (parameter->trainable ? " " : "* ");
  }
  EXPECT_EQ(names,
            "batch_norm1.weight batch_norm1.bias batch_norm1.running_mean* "
            "batch_norm1.running_var* ");
}

TEST(MatMul, FitsTheFactorsAsTheyAreTransposed) {
  constexpr auto shape = [](MatMulOptions options, const Shape& a, const Shape& b) {
    Network net("net");
    return matmul(net.input("a", a), net.input("b", b), options).shape();
  };
  static_assert(shape({}, {2, 3}, {3, 5}) == Shape{kBatch, 2, 5});
  static_assert(shape({.transpose_a = true}, {3, 2}, {3, 5}) == Shape{kBatch, 2, 5});
  static_assert(shape({.transpose_b = true}, {2, 3}, {5, 3}) == Shape{kBatch, 2, 5});
}

// What is wrong, without the node and its place.
std::string mistake(const std::function<void(Network&, Tensor)>& build) {
  Network net("net");
  const Tensor x = net.input("image", {.height = 8, .width = 6, .channels = 6});
  try {
    build(net, x);
  } catch (const UserError& error) {
    const std::string text = error.what();
    const std::size_t begin = text.find("): ");
    return begin == text.npos ? text : text.substr(begin + 3);
  }
  return "no mistake";
}

#define MISTAKE(...) \
  mistake([]([[maybe_unused]] Network& net, [[maybe_unused]] Tensor x) { __VA_ARGS__; })

TEST(Mistakes, OfReductionsNameTheAxis) {
  using Kind = ops::ReduceKind;
  EXPECT_EQ(MISTAKE(x | reduce(Kind::sum, {})),
            "no axis is given; inputs [N,6,8,6]\n"
            "  hint: 1 is the channels, 2 the first spatial axis");
  EXPECT_EQ(MISTAKE(x | reduce(Kind::sum, {0})),
            "axis 0 is not within [1,4), the axes of x behind the batch; inputs [N,6,8,6]\n"
            "  hint: the batch, axis 0, cannot be reduced");
  EXPECT_EQ(MISTAKE(x | reduce(Kind::sum, {1, 4})),
            "axis 4 is not within [1,4), the axes of x behind the batch; inputs [N,6,8,6]\n"
            "  hint: the batch, axis 0, cannot be reduced");
  EXPECT_EQ(MISTAKE(x | reduce(Kind::sum, {2, 2})), "axis 2 is given twice; inputs [N,6,8,6]");
}

TEST(Mistakes, OfNormsNameTheNumber) {
  EXPECT_EQ(MISTAKE(x | group_norm(4)),
            "6 channels cannot be split into 4 groups (6 % 4 = 2); inputs [N,6,8,6]\n"
            "  hint: choose a number of groups that divides the channels");
  EXPECT_EQ(MISTAKE(x | group_norm(0)), "groups is 0, expected at least 1; inputs [N,6,8,6]");
  EXPECT_EQ(MISTAKE(x | batch_norm({.epsilon = 0})),
            "epsilon is 0.000000, expected above 0; inputs [N,6,8,6], [6], [6], [6], [6]");
  EXPECT_EQ(MISTAKE(x | batch_norm({.momentum = 2})),
            "momentum is 2.000000, expected within [0,1]; inputs [N,6,8,6], [6], [6], [6], [6]");
  EXPECT_EQ(MISTAKE(x | local_response_norm(4, {.across = ops::Neighbours::positions})),
            "size is 4, expected an odd number; inputs [N,6,8,6]\n"
            "  hint: a window of positions has one in its middle");
  EXPECT_EQ(MISTAKE(x | local_response_norm(4, {.bias = 0})),
            "bias is 0.000000, expected above 0; inputs [N,6,8,6]");
  EXPECT_EQ(MISTAKE(x | dropout(1)),
            "probability is 1.000000, expected within [0,1); inputs [N,6,8,6]");
  EXPECT_EQ(
      MISTAKE(Tensor w = net.parameter("w", {5}, he()); net.add(
          ops::BatchNorm{}, {x.value, w.value, w.value, w.value, w.value}, "b", Place::here())),
      "gamma is [5], expected [6]; inputs [N,6,8,6], [5], [5], [5], [5]\n"
      "  hint: one number for each channel of x");
}

TEST(Mistakes, OfProductsNameBothExtents) {
  EXPECT_EQ(MISTAKE(matmul(net.input("a", {2, 3}), net.input("b", {4, 5}))),
            "a has 3 columns, b has 4 rows; inputs [N,2,3], [N,4,5]\n"
            "  hint: they are summed over together; transpose_a and transpose_b exchange the two");
}

}  // namespace
}  // namespace halcyon::dsl
