/// How strong edges are, by two classic pairs of filters. Nothing is learned here: the weights are
/// given, and linked into the library.

#include <halcyon/dsl.h>
using namespace halcyon::dsl;

/// Filters that measure how brightness grows to the left and upwards, and the length of what both
/// say. `corner` and `side`: how much the three rows of the difference weigh.
constexpr auto edge_strength(float corner, float side) {
  return [=](Tensor grey) {
    const Tensor slopes =
        grey | conv(2, 3,
                    {.bias = false,
                     .init = values({corner, 0, -corner, side, 0, -side, corner, 0, -corner,

                                     corner, side, corner, 0, 0, 0, -corner, -side, -corner})});
    return slopes * slopes | reduce(ops::ReduceKind::sum, {1}) | sqrt;
  };
}

constexpr Network edges() {
  Network net("edges");
  // A tile of a picture, one pixel more on each side than comes out.
  const Tensor tile = net.input("tile", {.height = 66, .width = 66, .channels = 3});
  // Source: ITU-R BT.601, the brightness of red, green and blue.
  const Tensor grey = tile | conv(1, 1, {.bias = false, .init = values({0.299f, 0.587f, 0.114f})});
  net.output("sobel", grey | edge_strength(1, 2));
  net.output("scharr", grey | edge_strength(3, 10));
  return net;
}

HALCYON_NETWORK(edges);
