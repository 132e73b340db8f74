// expect: stencil_reaches_past_map
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Scalar slope(Window w) { return w(0, 8) - w(0, 0); }

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | custom("slope", slope);  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
