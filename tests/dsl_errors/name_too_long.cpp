// expect: name_is_not_usable
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x |
      conv(4, 3,
           {.name = "a_name_of_more_than_sixty_two_characters_which_is_too_long_to_keep"});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
