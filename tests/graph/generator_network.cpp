#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network tiny() {
  Network net("tiny");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 1});
  x = x | conv(4, 3, {.pad = same, .init = values(std::vector<float>(36, 0.1f))}) | relu | flatten |
      dense(10);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}
HALCYON_NETWORK(tiny);
