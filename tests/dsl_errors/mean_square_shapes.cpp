// expect: shapes_must_be_equal
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  Tensor wanted = net.target("wanted", {5});
  net.loss("loss", mean_square(x | flatten | dense(6), wanted));  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
