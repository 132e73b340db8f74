// expect: concat_extents_do_not_match
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = concat({x, x | max_pool(2)});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
