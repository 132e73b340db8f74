#include "tests/emit/networks.h"

#include "dsl/layers.h"

namespace halcyon::tests {

using namespace dsl;

Graph small_classifier(int64_t filters) {
  Network net("small");
  Tensor x = net.input("image", {.height = 9, .width = 7, .channels = 3});
  x = x | conv(filters, 3, {.pad = 1}) | relu | max_pool(2) |
      conv(10, 3, {.pad = same, .groups = 2}) | relu | flatten | dense(5);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net.graph();
}

Graph only_relu() {
  Network net("only_relu");
  net.output("y", net.input("x", {.height = 4, .width = 4, .channels = 2}) | relu);
  return net.graph();
}

Graph odd_names() {
  Network net("odd");
  const Tensor a = net.input("a/*b*/ c", {.height = 4, .width = 4, .channels = 2});
  const Tensor b = net.input("class", {.height = 4, .width = 4, .channels = 2});
  net.output("info", a | relu);
  net.output("class", b | relu);
  net.output("2nd", add(a, b));
  net.output("int64_t", add(b, a) | relu);
  return net.graph();
}

compiler::Artifact compile_network(const Graph& graph, bool train, const std::string& name) {
  compiler::CompileOptions options;
  options.name = name;
  options.train = train;
  options.cache = HALCYON_KERNEL_CACHE;
  return compiler::compile(graph, options).value();
}

}  // namespace halcyon::tests
