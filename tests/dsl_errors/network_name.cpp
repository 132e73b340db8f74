// expect: name_is_not_a_c_identifier
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("3d-net");  // here
  net.output("scores", net.input("image", {.height = 8, .width = 8, .channels = 3}));
  return net;
}
HALCYON_NETWORK(wrong);
