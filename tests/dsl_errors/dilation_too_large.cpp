// expect: window_does_not_fit_input
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | conv(4, 3, {.dilation = 4});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
