// expect: labels_do_not_match_scores
#include <halcyon/dsl.h>

using namespace halcyon::dsl;

constexpr Network wrong() {
  Network net("wrong");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3});
  Tensor label = net.target("label", {10});
  Tensor scores = x | flatten | dense(10);
  net.loss("loss", softmax_cross_entropy(scores, label));  // here
  net.output("scores", x);
  return net;
}
HALCYON_NETWORK(wrong);
