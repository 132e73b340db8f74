// expect: pool_padding_reaches_kernel
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | max_pool(2, {.pad = 2});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
