// expect: attribute_must_be_positive
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | conv(4, 3, {.stride = 0});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
