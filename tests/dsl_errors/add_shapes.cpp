// expect: shapes_cannot_be_repeated
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = add(x, x | conv(4, 1));  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
