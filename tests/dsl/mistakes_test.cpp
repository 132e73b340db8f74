/// The same mistakes as in tests/dsl_errors, made at run time: one message with the layer, its
/// place, the shapes and the arithmetic.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <regex>
#include <string>

#include "dsl/layers.h"

namespace halcyon::dsl {
namespace {

// What UserError says when `build` goes wrong, with HERE for a line of this file: which line the
// compiler gives to a statement within a macro is its own affair.
std::string mistake(const std::function<void(Network&, Tensor)>& build) {
  Network net("net");
  const Tensor x = net.input("image", {.height = 8, .width = 6, .channels = 3});
  try {
    build(net, x);
  } catch (const UserError& error) {
    static const std::regex place("\\(mistakes_test.cpp:[0-9]+\\)");
    return std::regex_replace(error.what(), place, "(HERE)");
  }
  return "no mistake";
}

#define MISTAKE(...) \
  mistake([]([[maybe_unused]] Network& net, [[maybe_unused]] Tensor x) { __VA_ARGS__; })

TEST(Mistakes, PointToTheLineOfTheLayer) {
  Network net("net");
  Tensor x = net.input("image", {.height = 8, .width = 6, .channels = 3});
  const int line = __LINE__ + 2;
  try {
    x | conv(4, 7);
    FAIL() << "no mistake";
  } catch (const UserError& error) {
    const std::string expected = "conv 'conv1' (mistakes_test.cpp:" + std::to_string(line) + "): ";
    EXPECT_EQ(std::string(error.what()).substr(0, expected.size()), expected);
  }
}

TEST(Mistakes, OfChannelsNameBothShapes) {
  EXPECT_EQ(MISTAKE(x | dense(10)),
            "dense 'dense1' (HERE): dense takes [N,C], x has rank 4; inputs [N,3,8,6]\n"
            "  hint: put flatten in front");
  EXPECT_EQ(MISTAKE(Tensor w = net.parameter("w", {4, 1, 3, 3}, he()); net.add(
                ops::Conv{.filters = 4, .kernel = {3, 3}}, {x.value, w.value}, "c", Place::here())),
            "conv 'c' (HERE): x has 3 channels, the weight needs 1; inputs [N,3,8,6], [4,1,3,3]\n"
            "  hint: change the input to 1 channels, or the weight's second extent times .groups "
            "to 3");
  EXPECT_EQ(MISTAKE(Tensor w = net.parameter("w", {4, 3, 5, 3}, he()); net.add(
                ops::Conv{.filters = 4, .kernel = {3, 3}}, {x.value, w.value}, "c", Place::here())),
            "conv 'c' (HERE): weight is [4,3,5,3], expected [4,3,3,3]; inputs [N,3,8,6], "
            "[4,3,5,3]");
  EXPECT_EQ(
      MISTAKE(Tensor w = net.parameter("w", {4, 3}, he()); Tensor b = net.parameter("b", {5}, he());
              net.add(ops::Dense{.units = 4},
                      {(x | average_pool({8, 6}) | flatten).value, w.value, b.value}, "d",
                      Place::here())),
      "dense 'd' (HERE): bias is [5], expected [4]; inputs [N,3], [4,3], [5]\n"
      "  hint: one bias per output channel");
}

TEST(Mistakes, OfNumbersThatAreNotFinite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(MISTAKE(net.constant("mean", {3}, {0, kNan, 0})),
            "constant 'mean' (HERE): one of its values is infinite or not a number");
  EXPECT_EQ(MISTAKE(x | conv(4, 3, {.init = constant(kInfinity)})),
            "parameter 'conv1.weight' (HERE): its initial value is infinite or not a number");
  EXPECT_EQ(MISTAKE(net.parameter("p", {2}, values({-kInfinity, 0}))),
            "parameter 'p' (HERE): one of its values is infinite or not a number");
  EXPECT_EQ(MISTAKE(net.loss("l", mean_square(x, net.target("t", {3, 8, 6})), kNan)),
            "loss 'l' (HERE): its weight is infinite or not a number");
  EXPECT_EQ(MISTAKE(x | leaky_relu(kNan)),
            "leaky_relu 'leaky_relu1' (HERE): a number of the formula is infinite or not a number");
  EXPECT_EQ(MISTAKE(x * kInfinity),
            "mul 'mul1' (HERE): a number of the formula is infinite or not a number");
  EXPECT_EQ(MISTAKE(x | custom("mine", [](Window w) { return w(0, 1) * kNan; })),
            "mine 'mine' (HERE): a number of the formula is infinite or not a number");
}

TEST(Mistakes, OfWindowsShowTheArithmetic) {
  EXPECT_EQ(MISTAKE(x | conv(4, 7)),
            "conv 'conv1' (HERE): a window of 7 (kernel 7, dilation 1) does not fit into 6 + 0 + 0 "
            "of padding; inputs [N,3,8,6], [4,3,7,7], [4]\n"
            "  hint: use a smaller kernel, more padding or a larger input");
  EXPECT_EQ(MISTAKE(x | conv(4, 3, {.pad = {{1, 0}, {1, 1}}, .dilation = {1, 4}})),
            "conv 'conv1' (HERE): a window of 9 (kernel 3, dilation 4) does not fit into 6 + 0 + 1 "
            "of padding; inputs [N,3,8,6], [4,3,3,3], [4]\n"
            "  hint: use a smaller kernel, more padding or a larger input");
  EXPECT_EQ(MISTAKE(x | max_pool({9, 2})),
            "max_pool 'pool1' (HERE): a window of 9 (kernel 9, dilation 1) does not fit into 8 + 0 "
            "+ 0 of padding; inputs [N,3,8,6]\n"
            "  hint: use a smaller kernel, more padding or a larger input");
  EXPECT_EQ(MISTAKE(x | average_pool(2, {.pad = 2})),
            "average_pool 'pool1' (HERE): padding 2 is not below the window's 2; inputs "
            "[N,3,8,6]\n"
            "  hint: a window that holds padding alone has no maximum");
}

TEST(Mistakes, OfAttributesNameThem) {
  EXPECT_EQ(MISTAKE(x | conv(4, 3, {.groups = 2})),
            "conv 'conv1' (HERE): 3 channels cannot be split into 2 groups (3 % 2 = 1); inputs "
            "[N,3,8,6]\n"
            "  hint: choose .groups that divides both the input channels and the filters");
  EXPECT_EQ(MISTAKE(x | conv(4, 3, {.groups = 0})),
            "conv 'conv1' (HERE): groups is 0, expected at least 1; inputs [N,3,8,6]");
  EXPECT_EQ(MISTAKE(x | conv(0, 3)),
            "conv 'conv1' (HERE): filters is 0, expected at least 1; inputs [N,3,8,6]");
  EXPECT_EQ(MISTAKE(x | conv(4, {3, 0})),
            "conv 'conv1' (HERE): kernel is 0, expected at least 1; inputs [N,3,8,6]");
  EXPECT_EQ(MISTAKE(x | conv_transpose(4, -2)),
            "conv_transpose 'conv_transpose1' (HERE): kernel is -2, expected at least 1; inputs "
            "[N,3,8,6]");
  EXPECT_EQ(MISTAKE(x | conv(4, 3, {.stride = 0, .pad = same})),
            "conv 'conv1' (HERE): stride is 0, expected at least 1; inputs [N,3,8,6]");
  EXPECT_EQ(MISTAKE(x | conv(4, int64_t{1} << 62, {.pad = same, .dilation = int64_t{1} << 62})),
            "conv 'conv1' (HERE): kernel is 4611686018427387904, expected at most 2147483647; "
            "inputs [N,3,8,6]");
  EXPECT_EQ(MISTAKE(x | conv(4, 3, {.stride = {1, 2, 3}})),
            "conv 'conv1' (HERE): stride has 3 numbers, x has 2 spatial axes; inputs [N,3,8,6]\n"
            "  hint: give one number for all axes, or one for each");
  EXPECT_EQ(MISTAKE(x | max_pool(2, {.pad = -1})),
            "max_pool 'pool1' (HERE): padding is -1, expected at least 0; inputs [N,3,8,6]\n"
            "  hint: to cut a border off, use slice");
}

TEST(Mistakes, OfSeveralInputsNameAllOfThem) {
  EXPECT_EQ(MISTAKE(add(x, x | conv(3, 3))),
            "add 'add1' (HERE): [N,3,6,4] cannot be repeated to fit [N,3,8,6]; inputs [N,3,8,6], "
            "[N,3,6,4]\n"
            "  hint: aligned from the last axis, extents are equal or 1; a parameter [C] is one "
            "number per channel");
  EXPECT_EQ(MISTAKE(concat({x, x | max_pool(2)})),
            "concat 'concat1' (HERE): concat joins channels; axis 2 has 4 here and 8 in the first "
            "input; inputs [N,3,8,6], [N,3,4,3]\n"
            "  hint: every axis but the channels must agree");
  EXPECT_EQ(MISTAKE(concat({})), "concat '' (HERE): 0 inputs given, 1 to 1024 expected");
  EXPECT_EQ(MISTAKE(Network other("other");
                    add(x, other.input("image", {.height = 8, .width = 6, .channels = 3}))),
            "add 'add1' (HERE): two tensors of different networks cannot be used together");
  EXPECT_EQ(MISTAKE(Tensor{} | relu),
            "a tensor that belongs to no network cannot be used\n"
            "  hint: the first tensors come from net.input()");
}

TEST(Mistakes, OfLossesNameScoresAndLabels) {
  EXPECT_EQ(MISTAKE(softmax_cross_entropy(x, net.labels("label"))),
            "softmax_cross_entropy 'softmax_cross_entropy1' (HERE): scores are [N,3,8,6], labels "
            "are [N]; inputs [N,3,8,6], [N]\n"
            "  hint: scores are [N,classes], labels [N]");
  EXPECT_EQ(MISTAKE(net.loss("loss", x | flatten)),
            "loss 'loss' (HERE): a loss is one number, x is [N,144]\n"
            "  hint: make it with softmax_cross_entropy or mean_square");
  EXPECT_EQ(MISTAKE(Tensor y = x | flatten; Tensor label = net.labels("label");
                    softmax_cross_entropy(y, label); softmax_cross_entropy(y | dense(5), label)),
            "softmax_cross_entropy 'softmax_cross_entropy2' (HERE): scores of 5 classes, but "
            "another loss reads the same labels as one of 144\n"
            "  hint: give each its own labels, or both as many classes");
  EXPECT_EQ(MISTAKE(softmax_cross_entropy(x | flatten, net.target("wanted", Shape{}))),
            "softmax_cross_entropy 'softmax_cross_entropy1' (HERE): the labels are no class "
            "numbers\n"
            "  hint: make them with net.labels()");
}

TEST(Mistakes, OfParametersCountTheValues) {
  EXPECT_EQ(MISTAKE(x | conv(2, 3, {.init = values({1, 2, 3})})),
            "parameter 'conv1.weight' (HERE): 3 values given, [2,3,3,3] needs 54 (2 * 3 * 3 * 3)");
  EXPECT_EQ(MISTAKE(net.parameter("w", {0, 3}, he())),
            "parameter 'w' (HERE): extent 0 of axis 0 is not positive");
  EXPECT_EQ(MISTAKE(net.parameter("w", {1 << 30, 1 << 30, 1 << 30}, he())),
            "parameter 'w' (HERE): [1073741824,1073741824,1073741824] has more than 2147483647 "
            "values per sample");
}

TEST(Mistakes, OfInputsNameTheExtent) {
  EXPECT_EQ(MISTAKE(net.input("other", {.height = 8, .width = -2, .channels = 3})),
            "input 'other' (HERE): extent -2 of axis 3 is not positive");
  EXPECT_EQ(MISTAKE(net.input("other", {1, 2, 3, 4, 5})),
            "input 'other' (HERE): x has rank 5, expected 0 to 4\n"
            "  hint: activations are [N,C,H,W]; flatten makes them [N,C]");
}

TEST(Mistakes, OfNamesSayWhatIsTaken) {
  EXPECT_EQ(MISTAKE(net.labels("image")),
            "input 'image' (HERE): the name is already taken in this network\n"
            "  hint: choose another .name");
  EXPECT_EQ(MISTAKE(x | conv(4, 1) | conv(4, 1, {.name = "conv1"})),
            "conv 'conv1' (HERE): the name is already taken in this network\n"
            "  hint: choose another .name");
  EXPECT_EQ(MISTAKE(net.output("y", x); net.output("y", x)),
            "output 'y' (HERE): the name is already taken in this network\n"
            "  hint: choose another .name");
  EXPECT_EQ(MISTAKE(x | conv(4, 1, {.name = "a\"b"})),
            "conv 'a\"b' (HERE): the name is empty, longer than 62 characters or has a \", a \\ or "
            "no ASCII in it\n"
            "  hint: names stand in headers, weight files and messages");
  EXPECT_EQ(MISTAKE(Network("2d")),
            "network '2d' (HERE): not a usable name for a network\n"
            "  hint: at most 40 letters, digits and _; it becomes part of the C functions' names");
}

}  // namespace
}  // namespace halcyon::dsl
