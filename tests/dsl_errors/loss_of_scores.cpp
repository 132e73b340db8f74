// expect: loss_must_be_a_scalar
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  net.loss("loss", x | flatten | dense(10));  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
