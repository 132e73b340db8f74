/// Stencils as values, and the layer that is made of one.

#include "dsl/stencil.h"

#include <gtest/gtest.h>

#include "dsl/layers.h"
#include "dsl/print.h"

namespace halcyon::dsl {
namespace {

template <class F>
constexpr Stencil stencil(const F& function) {
  Stencil neighbours;
  const Scalar result = function(Window(neighbours));
  return neighbours.with(result.formula);
}

TEST(Stencil, NumbersNeighboursAsTheFormulaReadsThem) {
  // Asked for in another order than used, and one for nothing.
  constexpr Stencil turned = stencil([](Window x) {
    [[maybe_unused]] const Scalar unused = x(5, 5);
    const Scalar right = x(0, 1), left = x(0, -1);
    return left - right;
  });
  constexpr Stencil plain = stencil([](Window x) {
    const Scalar left = x(0, -1), right = x(0, 1);
    return left - right;
  });
  static_assert(turned == plain);
  static_assert(turned.count == 2 && turned.rank == 2);
  static_assert(turned.at(0) == Offset{0, -1});
  static_assert(turned.before(0) == 0 && turned.before(1) == 1 && turned.after(1) == 1);
}

TEST(Stencil, PrintsItsNeighbours) {
  EXPECT_EQ(to_string(stencil([](Window x) { return x(0, -1) + 2.0f * x(3, 0); })),
            "x(0,-1) + 2 * x(3,0)");
  EXPECT_EQ(to_string(stencil([](Window x) {
              const Scalar e = exp(x(1));
              return e / (1.0f + e);
            })),
            "t0 = exp(x(1)); t0 / (1 + t0)");
}

constexpr Network laplace() {
  Network net("net");
  const Tensor x = net.input("image", {.height = 5, .width = 7, .channels = 3});
  const Tensor y = x | custom("laplace", [](Window w) {
                     return w(0, -1) + w(0, 1) + w(-1, 0) + w(1, 0) - 4 * w(0, 0);
                   });
  net.output("y", y | custom("laplace", [](Window w) { return w(1, 1) - w(0, 0); },
                             {.border = Border::edge, .name = "mine"}));
  return net;
}

TEST(Stencil, IsALayerThatKeepsTheShape) {
  static_assert(laplace().shape("laplace1") == Shape{kBatch, 3, 5, 7});
  static_assert(laplace().shape("mine") == Shape{kBatch, 3, 5, 7});
  const Network net = laplace();
  const Node& node = net.graph().node(1);
  EXPECT_EQ(name_of(node.op), "laplace");
  EXPECT_EQ(node.place.file.view(), "stencil_test.cpp");
  EXPECT_EQ(operator_text(node.op).name, "stencil");
  EXPECT_EQ(operator_text(node.op).attributes,
            "{function=\"laplace\" formula=\"x(0,-1) + x(0,1) + x(-1,0) + x(1,0) - 4 * x(0,0)\" "
            "border=zero}");
}

}  // namespace
}  // namespace halcyon::dsl
