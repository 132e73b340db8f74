// expect: formula_is_too_long
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Scalar endless(Scalar x) {
  Scalar y = x;
  for (int i = 1; i < 200; ++i) y = y + static_cast<float>(i);
  return y;
}

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  x = x | custom("endless", endless);  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
