// expect: wrong_number_of_inputs
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = concat({});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
