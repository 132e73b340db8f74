/// The first filter of many a course: one column less another, on a picture of 6 x 6.

#include <halcyon/dsl.h>
using namespace halcyon::dsl;

constexpr Network vertical_edges() {
  Network net("vertical_edges");
  const Tensor picture = net.input("picture", {.height = 6, .width = 6, .channels = 1});
  net.output("edges", picture | conv(1, 3,
                                     {.bias = false,
                                      .init = values({1, 0, -1,  //
                                                      1, 0, -1,  //
                                                      1, 0, -1})}));
  return net;
}

HALCYON_NETWORK(vertical_edges);
