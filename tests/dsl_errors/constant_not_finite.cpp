// expect: value_is_not_finite
#include <halcyon/dsl.h>

#include <limits>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x * std::numeric_limits<float>::infinity();  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
