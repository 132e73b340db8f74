// expect: window_does_not_fit_input
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | average_pool(9);  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
