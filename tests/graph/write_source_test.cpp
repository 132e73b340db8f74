/// What is written of a graph, and that a C++ compiler makes the same graph of it.

#include "compiler/graph/write_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "compiler/graph/parse.h"
#include "dsl/print.h"
#include "dsl/zoo/zoo.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/support/every_layer.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
namespace zoo = dsl::zoo;

/// The graph's text without places, which are those of the file that was compiled.
std::string text_of(const dsl::Graph& graph) {
  std::ostringstream text;
  dsl::print(graph, text);
  static const std::regex kPlace(" @ \"[^\"]*\":[0-9]+");
  return std::regex_replace(text.str(), kPlace, "");
}

TEST(WriteSource, ReadsAsTheZooIsWritten) {
  EXPECT_EQ(write_source(zoo::lenet5().graph(), "LeNet-5."), R"(/// LeNet-5.
#include <halcyon/dsl.h>
using namespace halcyon::dsl;

constexpr Network lenet5() {
  Network net("lenet5");
  Tensor x = net.input("image", {.height = 32, .width = 32, .channels = 3});
  x = x | conv_relu(8, 5) | max_pool(2) | conv_relu(16, 5) | max_pool(2) | flatten | dense(120) |
      relu | dense(84) | relu | dense(10);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

HALCYON_NETWORK(lenet5);
)");
}

TEST(WriteSource, KeepsTheMainPathInOneVariableAndNamesThatWereGiven) {
  Network net("branches");
  const Tensor x = net.input("image", Shape{3, 8, 8});
  const Tensor a = x | dsl::conv_bn_relu(4, 1, {.name = "left"}) | dsl::conv(4, 3, {.pad = 1});
  const Tensor b = x | dsl::conv_relu(4, 1, {.name = "right"}) | dsl::named(dsl::tanh, "squash");
  net.output("sum", dsl::add(a, b, "join") | dsl::relu);
  const std::string text = write_source(net.graph());
  EXPECT_NE(text.find(R"(
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 3, .order = Order::chw});
  const Tensor a = x | conv_bn_relu(4, 1, {.name = "left"}) | conv(4, 3, {.pad = 1});
  x = x | conv_relu(4, 1, {.name = "right"}) | named(tanh, "squash");
  net.output("sum", add(a, x, "join") | relu);
)"),
            text.npos)
      << text;
}

TEST(WriteSource, PutsManyValuesIntoATable) {
  Network net("filters");
  const Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 1});
  net.output("edges", x | dsl::conv(2, 3,
                                    {.bias = false,
                                     .init = dsl::values({1, 0, -1, 2, 0, -2, 1, 0, -1,  //
                                                          1, 2, 1, 0, 0, 0, -1, -2, -1})}));
  const std::string text = write_source(net.graph());
  EXPECT_NE(text.find("constexpr float kValues1[] = {1.0f, 0.0f, -1.0f, 2.0f,"), text.npos) << text;
  EXPECT_NE(text.find(".init = values({std::begin(kValues1), std::end(kValues1)})"), text.npos)
      << text;
}

TEST(WriteSource, RefusesWhatTheLanguageCannotSay) {
  const auto write = [](const std::string& text) {
    return [=] { write_source(parse_graph("network \"test\"\n" + text)); };
  };
  const std::string input =
      "%0 = input \"x\" () {shape=[N,4] dtype=f32 channels_last=false} -> [N,4]\n";
  tests::expect_error<UserError>(
      write(input + "%1 = parameter \"w\" () {id=0 shape=[4] init=constant scale=0x1p+0 "
                    "trainable=false} -> [4]\n%2 = mul \"y\" (%0, %1) {} -> [N,4]\n"
                    "output \"y\" %2\n"),
      "parameter 'w' is frozen", "hint: a source is written of networks as they are before");
  tests::expect_error<UserError>(
      write(input + "%1 = relu \"y\" (%0) {} -> [N,4]\n%2 = tanh \"y\" (%1) {} -> [N,4]\n"
                    "output \"y\" %2\n"),
      "tanh 'y': the name is that of another node");
  tests::expect_error<UserError>(
      write("%0 = input \"x\" () {shape=[N,4] dtype=i32 channels_last=false} -> [N,4]\n"),
      "input 'x' is an input that the language has no word for");
}

/// What no layer says.
Network applied() {
  using namespace dsl;
  Network net("applied");
  const Tensor x = net.input("maps", Shape{8, 6, 10});
  const Tensor apart =
      apply(ops::Pad{.begin = {0, 1, 1}, .end = {0, 0, 0}, .between = {0, 1, 2}, .value = 3}, {x},
            "apart");
  net.output("apart", apart | relu);
  const Tensor most =
      apply(ops::MaxPool{{.kernel = {2, 2}, .stride = {1, 1}, .pad_end = {0, 1}}, true}, {x});
  net.output("most", most);
  net.output("where", most.output(1));
  return net;
}

/// Moments as a model may have them that was not written with our layers.
Network moments() {
  using namespace dsl;
  Network net("class");  // a word of C++
  const Tensor x = net.input("x", Shape{4, 6});
  const Tensor found = apply(ops::Moments{}, {x}, "found");
  net.output("variance", found.output(1));
  net.output("mean", found);
  const Tensor weight = net.parameter("gamma", Shape{4}, constant(1));
  net.output("y",
             apply(ops::Normalize{.epsilon = 0.5f}, {x, weight, weight, found, found.output(1)}));
  return net;
}

/// One program for all: most of the time goes into reading the headers.
TEST(WriteSource, CompilesToTheSameGraph) {
  std::string sources = "#include <halcyon/dsl.h>\n#include \"dsl/print.h\"\n";
  std::string calls, expected;
  const auto add = [&](const Network& net, const std::string& function) {
    const std::string text = write_source(net.graph());
    const std::size_t begin = text.find("\n\n");
    const std::string definition = text.substr(begin, text.find("HALCYON_NETWORK") - begin);
    // Tables of two files may be called alike.
    const std::string scope = "of_" + function;
    sources += "namespace " + scope + " {\nusing namespace halcyon::dsl;" + definition + "}\n";
    calls += "  halcyon::dsl::print(" + scope + "::" + function + "().graph(), std::cout);\n";
    expected += text_of(net.graph());
  };
  add(tests::convolutions(), "convolutions");
  add(tests::movements(), "movements");
  add(tests::norms_and_functions(), "norms_and_functions");
  add(applied(), "applied");
  add(moments(), "class_network");
  for (const zoo::Entry& entry : zoo::kNetworks) {
    add(entry.build(entry.picture), std::string(entry.name));
  }
  const tests::TemporaryFolder folder;
  std::ofstream(folder.file("networks.cpp")) << sources + "int main() {\n" + calls + "}\n";
  const std::string command = std::string(HALCYON_CXX) +
                              " -std=c++20 -O0 -DHALCYON_GENERATOR -I" HALCYON_SOURCE_DIR
                              " -I" HALCYON_SOURCE_DIR "/dsl/include " +
                              folder.file("networks.cpp") + " -o " + folder.file("networks") +
                              " && " + folder.file("networks") + " > " + folder.file("graphs");
  ASSERT_EQ(std::system(command.c_str()), 0) << sources;
  std::stringstream found;
  found << std::ifstream(folder.file("graphs")).rdbuf();
  static const std::regex kPlace(" @ \"[^\"]*\":[0-9]+");
  const std::string text = std::regex_replace(found.str(), kPlace, "");
  // Line by line: the difference is to be read.
  std::istringstream found_lines(text), expected_lines(expected);
  std::string found_line, expected_line;
  while (std::getline(expected_lines, expected_line)) {
    ASSERT_TRUE(std::getline(found_lines, found_line)) << "missing: " << expected_line;
    ASSERT_EQ(found_line, expected_line);
  }
  EXPECT_FALSE(std::getline(found_lines, found_line)) << found_line;
}

}  // namespace
}  // namespace halcyon::compiler
