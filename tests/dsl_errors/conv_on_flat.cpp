// expect: input_has_wrong_rank
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | flatten | conv(4, 3);  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
