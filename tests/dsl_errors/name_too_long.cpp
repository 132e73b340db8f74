// expect: name_is_not_usable
#include <halcyon/dsl.h>

using namespace halcyon::dsl;
using halcyon::FixedString;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  FixedString name = "a_name_of_more_than_sixty_two_characters_which_is_too_long";
  name.append("_to_be_kept");
  x = x | conv(4, 3, {.name = name});  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
