// expect: labels_have_other_classes
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  Tensor label = net.labels("label");
  Tensor features = x | flatten;
  net.loss("main", softmax_cross_entropy(features | dense(10), label));
  net.loss("other", softmax_cross_entropy(features | dense(5), label));  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
