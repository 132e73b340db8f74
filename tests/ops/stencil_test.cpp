/// What stencils mean, by hand, and their gradients as nodes of the graph.

#include <gtest/gtest.h>

#include "compiler/graph/parse.h"
#include "compiler/ops/rules.h"
#include "compiler/passes/passes.h"
#include "dsl/layers.h"
#include "dsl/print.h"

namespace halcyon::compiler {
namespace {

using dsl::Border;
using dsl::Network;
using dsl::Tensor;
using dsl::Window;

template <class F>
ops::Stencil stencil(const F& function, Border border = Border::zero) {
  return dsl::custom("mine", function, {.border = border}).op;
}

std::vector<double> values(const ops::Stencil& op, const Shape& shape,
                           const std::vector<double>& x) {
  const HostTensor in{shape, x};
  return reference(op, {&in, 1}, shape[0])[0].values;
}

TEST(Stencil, ReadsItsNeighbours) {
  const auto ahead = [](Window x) { return 10.0f * x(1) + x(-1); };
  EXPECT_EQ(values(stencil(ahead), {1, 2, 3}, {1, 2, 3, 4, 5, 6}),
            (std::vector<double>{20, 31, 2, 50, 64, 5}));
  EXPECT_EQ(values(stencil(ahead, Border::edge), {1, 2, 3}, {1, 2, 3, 4, 5, 6}),
            (std::vector<double>{21, 31, 32, 54, 64, 65}));
}

TEST(Stencil, StepsAlongRowsAndColumnsAndPlanes) {
  EXPECT_EQ(values(stencil([](Window x) { return x(1, -1); }), {1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}),
            (std::vector<double>{0, 4, 5, 0, 0, 0}));
  EXPECT_EQ(values(stencil([](Window x) { return x(-1, 0, 1); }), {1, 1, 2, 1, 2}, {1, 2, 3, 4}),
            (std::vector<double>{0, 0, 2, 0}));
  EXPECT_EQ(values(stencil([](Window x) { return x(1, 1); }, Border::edge), {2, 1, 2, 2},
                   {1, 2, 3, 4, 5, 6, 7, 8}),
            (std::vector<double>{4, 4, 4, 4, 8, 8, 8, 8}));
}

TEST(Stencil, FindsTheVerticalEdgeThatAConvolutionFinds) {
  const ops::Stencil edge = stencil([](Window x) {
    dsl::Scalar sum = 0;
    for (int dy = -1; dy <= 1; ++dy) sum = sum + x(dy, -1) - x(dy, 1);
    return sum;
  });
  std::vector<double> picture;
  for (int y = 0; y < 6; ++y) picture.insert(picture.end(), {10, 10, 10, 0, 0, 0});
  const std::vector<double> edges = values(edge, {1, 1, 6, 6}, picture);
  for (std::size_t y = 1; y < 5; ++y) {
    const auto row = edges.begin() + static_cast<std::ptrdiff_t>(6 * y);
    EXPECT_EQ(std::vector<double>(row + 1, row + 5), (std::vector<double>{0, 30, 30, 0}));
  }
}

/// The operators behind the one forward node, by name.
std::string backward(const Tensor& end, Network& net) {
  net.loss("loss", dsl::mean_square(end, net.target("wanted", {2, 5})));
  Program program;
  program.graph = net.graph();
  differentiate(program, {});
  std::string text;
  for (const Node& n : program.graph.nodes()) {
    const std::string_view name = n.name;
    if (name.starts_with("grad.mine")) {
      text += std::string(std::visit([](const auto& o) { return o.name; }, n.op)) + " of " +
              std::to_string(n.inputs.size()) + "; ";
    }
  }
  return text;
}

TEST(StencilGradient, ReadsTheInputOnlyWhereADerivativeDoes) {
  Network sum("sum");
  EXPECT_EQ(backward(sum.input("x", {2, 5}) | dsl::conv(2, 1) |
                         dsl::custom("mine", [](Window x) { return x(1) - x(0); }),
                     sum),
            "stencil_grad of 1; ");
  Network product("product");
  EXPECT_EQ(backward(product.input("x", {2, 5}) | dsl::conv(2, 1) |
                         dsl::custom("mine", [](Window x) { return x(1) * x(0); },
                                     {.border = Border::edge}),
                     product),
            "stencil_grad of 2; pad_grad of 1; ");
}

TEST(Stencil, SurvivesPrintingAndParsing) {
  Network net("net");
  const Tensor x = net.input("image", {.height = 5, .width = 4, .channels = 3});
  net.output(
      "y", x | dsl::custom("my own", [](Window w) { return exp(-w(-3, 2)) / (w(0, 0) + w(-3, 2)); },
                           {.border = Border::edge}));
  std::ostringstream text;
  dsl::print(net.graph(), text);
  const dsl::Graph parsed = parse_graph(text.str());
  EXPECT_TRUE(parsed.node(1).op == net.graph().node(1).op) << text.str();
  std::ostringstream again;
  dsl::print(parsed, again);
  EXPECT_EQ(again.str(), text.str());
}

std::string message(const std::string& attributes) {
  try {
    parse_graph(
        "network \"net\"\n%0 = input \"x\" () {shape=[N,3,4,4]} -> [N,3,4,4]\n"
        "%1 = stencil \"s\" (%0) {" +
        attributes + "} -> [N,3,4,4]\n");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

void expect_holds(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Stencil, TextThatIsNoneIsRefused) {
  EXPECT_EQ(message("formula=\"x(0,1)\""), "no error");
  expect_holds(message(""), "the formula is missing");
  expect_holds(message("formula=\"1 + 2\""), "the formula reads no neighbour");
  expect_holds(message("formula=\"x0\""), "x0 is not a neighbour, expected one such as x(0,1)");
  expect_holds(message("formula=\"x(1)\""),
               "neighbours are given by 1 steps, x has 2 spatial axes");
  expect_holds(message("formula=\"x(1) + x(1,1)\""), "given by 2 steps, the first one by 1");
  expect_holds(message("formula=\"x(0,4)\""),
               "no position has a neighbour 4 steps away on axis 3, which has 4 positions");
  expect_holds(message("formula=\"x(0,99999)\""), "99999");
  expect_holds(message("formula=\"x(1,2,3,4)\""), "a neighbour has at most 3 steps");
  expect_holds(message("formula=\"x()\""), "formula: a step");
}

}  // namespace
}  // namespace halcyon::compiler
