// expect: number_of_values_does_not_match
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | conv(1, 1, {.init = values({1, 2})});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
