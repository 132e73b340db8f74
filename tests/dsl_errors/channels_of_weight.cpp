// expect: input_channels_do_not_match
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  Tensor weight = net.parameter("weight", {4, 1, 3, 3}, he());
  x = net.add(ops::Conv{.filters = 4, .kernel = {3, 3}}, {x.value, weight.value}, "conv",  // here
              Place::here());
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
