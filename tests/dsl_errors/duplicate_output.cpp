// expect: name_is_already_taken
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  net.output("scores", x | relu);  // once
  net.output("scores", x);         // here
  return net;
}
HALCYON_NETWORK(wrong);
