// expect: tensors_of_different_networks
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  Network other("other");
  Tensor y = other.input("image", {.height = 8, .width = 8, .channels = 3});
  x = add(x, y);  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
