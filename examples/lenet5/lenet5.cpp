/// LeNet-5, the network of the README: compiled at build time into a library that train.cpp links.
/// Sizes are never typed twice: each layer takes its input's from the one before.

#include <halcyon/dsl.h>
using namespace halcyon::dsl;

constexpr Network lenet5() {
  Network net("lenet5");
  Tensor x = net.input("image", {.height = 32, .width = 32, .channels = 3});
  x = x | conv(8, 5) | relu | max_pool(2)  // 14 x 14 x 8
      | conv(16, 5) | relu | max_pool(2)   //  5 x  5 x 16
      | flatten | dense(120) | relu | dense(84) | relu | dense(10);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}
static_assert(lenet5().parameter_count() == 62'958);

HALCYON_NETWORK(lenet5);
