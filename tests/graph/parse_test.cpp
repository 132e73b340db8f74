#include "compiler/graph/parse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>

#include "dsl/layers.h"
#include "dsl/print.h"
#include "dsl/zoo/lenet5.h"
#include "tests/graph/examples.h"

namespace halcyon::compiler {
namespace {

using dsl::Graph;
using dsl::Node;

std::string text_of(const Graph& graph) {
  std::ostringstream out;
  dsl::print(graph, out);
  return out.str();
}

// Everything but the text, so that what print leaves out shows as well.
void expect_equal(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.name.view(), b.name.view());
  ASSERT_EQ(a.node_count(), b.node_count());
  for (int32_t id = 0; id < a.node_count(); ++id) {
    const Node& x = a.node(id);
    const Node& y = b.node(id);
    EXPECT_TRUE(x.op == y.op) << id << " " << dsl::attributes_text(x.op) << " "
                              << dsl::attributes_text(y.op);
    EXPECT_TRUE(x.inputs == y.inputs && x.outputs == y.outputs && x.name == y.name &&
                x.place == y.place)
        << id;
  }
  ASSERT_EQ(a.outputs.size(), b.outputs.size());
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    EXPECT_TRUE(a.outputs[i].name == b.outputs[i].name && a.outputs[i].value == b.outputs[i].value);
  }
  ASSERT_EQ(a.losses.size(), b.losses.size());
  for (std::size_t i = 0; i < a.losses.size(); ++i) {
    EXPECT_TRUE(a.losses[i].name == b.losses[i].name && a.losses[i].value == b.losses[i].value &&
                a.losses[i].weight == b.losses[i].weight);
  }
  EXPECT_EQ(a.constants, b.constants);
}

void expect_round_trip(const Graph& graph) {
  const std::string text = text_of(graph);
  SCOPED_TRACE(text);
  const Graph parsed = parse_graph(text);
  expect_equal(graph, parsed);
  EXPECT_EQ(text_of(parsed), text);
}

std::string message(const std::string& text) {
  try {
    parse_graph(text, "net.txt");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

// A text that is right up to `line`, which stands in line 4.
std::string message_for(const std::string& line) {
  return message(
      "network \"net\"\n"
      "%0 = input \"image\" () {shape=[N,3,8,8] dtype=f32} -> [N,3,8,8]\n"
      "%1 = parameter \"w\" () {shape=[4,3,3,3]} -> [4,3,3,3]\n" +
      line + "\n");
}

TEST(Parse, ReadsLenet5) { expect_round_trip(dsl::zoo::lenet5().graph()); }

TEST(Parse, ReadsAResidualNetworkOfSeveralHeads) {
  using namespace dsl;
  Network net("residual");
  Tensor x = net.input("image", {.height = 32, .width = 32, .channels = 3, .order = Order::chw});
  Tensor label = net.labels("label");
  x = x | conv(16, 7, {.stride = 2, .pad = same}) | relu | max_pool(3, {.stride = 2, .pad = 1});
  for (int block = 0; block < 4; ++block) {
    Tensor y = x | conv(16, 3, {.pad = 1, .bias = false, .init = xavier()}) | relu |
               conv(16, 3, {.pad = 1, .groups = 4, .init = fan_in()});
    x = add(x, y) | relu;
  }
  x = concat({x, x | average_pool(3, {.stride = 1, .pad = 1, .count_padding = true})});
  Tensor main = x | average_pool(8) | flatten | dense(10);
  Tensor side = x | flatten | dense(10, {.name = "side"});
  net.output("scores", main | softmax);
  net.loss("main", softmax_cross_entropy(main, label));
  net.loss("side", softmax_cross_entropy(side, label), 0.3f);
  expect_round_trip(net.graph());
}

TEST(Parse, KeepsEveryBitOfGivenValues) {
  using namespace dsl;
  Network net("given");
  Tensor x = net.input("features", {2});
  x = x | dense(3, {.init = values({0.1f, -0.0f, 1e-45f, 3.4028235e38f, -1.1754944e-38f, 7}),
                    .bias_init = values({1.0f / 3, -2, 0})});
  net.output("y", x);
  expect_round_trip(net.graph());
  const Graph parsed = parse_graph(text_of(net.graph()));
  EXPECT_TRUE(std::signbit(parsed.constants.at(0).at(1)));
}

template <class Operator, class Owner, class Member>
void expect_changed(const Operator& op, const dsl::Attribute<Owner, Member>& field) {
  EXPECT_FALSE(op.*(field.member) == Operator{}.*(field.member))
      << Operator::name << "." << field.name;
}

TEST(Parse, ReadsEveryOperatorWithEveryAttribute) {
  for (const tests::Example& example : tests::all_examples()) {
    expect_round_trip(tests::graph_of(example));
    // An attribute that is forgotten only shows if it is not at its default.
    std::visit(
        []([[maybe_unused]] const auto& op) {
          op.fields()([&](const auto& f) { expect_changed(op, f); });
        },
        example.op);
  }
}

TEST(Parse, ReplacesWhatWouldEndAName) {
  Graph graph;
  graph.name = "net";
  graph.add(dsl::ops::Input{.shape = {kBatch, 3}}, {}, "image", {"my \"net\".cpp", 3});
  EXPECT_EQ(parse_graph(text_of(graph)).node(0).place.file.view(), "my _net_.cpp");
}

TEST(Parse, TakesDefaultsCommentsAndEmptyLines) {
  const Graph graph = parse_graph(
      "# a comment\n\n  network \"net\"\n\t%0 = input \"x\" () {shape=[N,3,8,8]} -> [N,3,8,8]\n"
      "%1=max_pool\"p\"(%0){stride=[1,1]}->[N,3,7,7]@\"f.cpp\":7\n\noutput \"y\" %1");
  ASSERT_EQ(graph.node_count(), 2);
  EXPECT_EQ(std::get<dsl::ops::MaxPool>(graph.node(1).op).kernel, dsl::Spatial(2));
  EXPECT_EQ(graph.node(1).place.line, 7);
}

TEST(ParseErrors, SayWhatWasExpected) {
  EXPECT_EQ(message(""), "net.txt: found no graph, expected 'network \"name\"'");
  EXPECT_EQ(message("\nnetwrk \"x\""), "net.txt:2: expected 'network', found 'netwrk \"x\"'");
  EXPECT_EQ(message("network x"),
            "net.txt:1: expected the network's name in quotation marks, found 'x'");
  EXPECT_EQ(message("network \"x"), "net.txt:1: the network's name has no closing quotation mark");
  EXPECT_EQ(message("network \"x\" y"), "net.txt:1: expected the end of the line, found 'y'");
  EXPECT_EQ(message("network \"" + std::string(64, 'x') + "\""),
            "net.txt:1: the network's name has 64 characters, expected at most 63");
  EXPECT_EQ(message("network \"x\"\nnetwork \"y\""),
            "net.txt:2: a second network, expected one in a text");
  EXPECT_EQ(message_for("outputs \"y\" %0"),
            "net.txt:4: expected '%', 'output', 'loss' or 'constant', found 'outputs'");
  EXPECT_EQ(message_for("\x01\xff"),
            "net.txt:4: expected '%', 'output', 'loss' or 'constant', found '\?\?'");
  EXPECT_EQ(message_for("%2 = relu \"r\" %0"), "net.txt:4: expected '(', found '%0'");
  EXPECT_EQ(message_for("%2 = relu \"r\" (%0"),
            "net.txt:4: expected ',', found the end of the line");
  EXPECT_EQ(message_for("%2 = relu \"r\" (%0) {} -> [N,3,8,8] @"),
            "net.txt:4: expected the file's name in quotation marks, found the end of the line");
  EXPECT_EQ(message_for("loss \"l\" %0 weight=heavy"),
            "net.txt:4: the loss's weight is 'heavy', expected a finite number of type f32");
  EXPECT_EQ(message_for("loss \"l\" %0 weight=nan"),
            "net.txt:4: the loss's weight is 'nan', expected a finite number of type f32");
}

TEST(ParseErrors, NameTheNode) {
  EXPECT_EQ(message_for("%1 = relu \"r\" (%0) {} -> [N,3,8,8]"),
            "net.txt:4: %1 is already defined in line 3");
  EXPECT_EQ(message_for("%7 = relu \"r\" (%0) {} -> [N,3,8,8]"),
            "net.txt:4: expected %2, found %7\n"
            "  hint: nodes are numbered in the order they stand in");
  EXPECT_EQ(message_for("%99999999999999999999 = relu"),
            "net.txt:4: the node's number is 99999999999999999999, expected 0 to 2147483647");
  EXPECT_EQ(message_for("%2 = relu \"r\" (%2) {} -> [N,3,8,8]"),
            "net.txt:4: %2 is not defined above\n"
            "  hint: a node stands above those that read it");
  EXPECT_EQ(message_for("%2 = relu \"r\" (%0.1) {} -> [N,3,8,8]"),
            "net.txt:4: %0 has 1 output, found %0.1");
  EXPECT_EQ(message_for("output \"y\" %5"),
            "net.txt:4: %5 is not defined above\n"
            "  hint: a node stands above those that read it");
  EXPECT_EQ(message_for("loss \"y\" 5"), "net.txt:4: expected a value such as '%0', found '5'");
}

TEST(ParseErrors, ListWhatIsKnown) {
  const std::string unknown = message_for("%2 = convolve \"c\" (%0) {} -> [N,3,8,8]");
  EXPECT_EQ(unknown.substr(0, 69),
            "net.txt:4: unknown operator 'convolve'\n  hint: the operators: input, ");
  for (const tests::Example& example : tests::all_examples()) {
    const std::string name(dsl::operator_text(example.op).name);
    EXPECT_NE(unknown.find(name), unknown.npos) << name;
  }
  for (const dsl::Function& row : dsl::kFunctions) {
    EXPECT_NE(unknown.find(row.name), unknown.npos) << row.name;
  }
  EXPECT_EQ(message_for("%2 = max_pool \"p\" (%0) {size=2} -> [N,3,4,4]"),
            "net.txt:4: max_pool has no attribute 'size'\n"
            "  hint: its attributes: kernel, stride, dilation, pad_begin, pad_end, ceil, "
            "with_argmax");
  EXPECT_EQ(message_for("%2 = relu \"r\" (%0) {size=2} -> [N,3,4,4]"),
            "net.txt:4: relu has no attribute 'size'\n  hint: its attributes: none");
  EXPECT_EQ(message_for("%2 = max_pool \"p\" (%0) {kernel=2 kernel=2} -> [N,3,4,4]"),
            "net.txt:4: attribute 'kernel' is given twice");
  EXPECT_EQ(message_for("%2 = max_pool \"p\" (%0) {with_argmax=2} -> [N,3,4,4]"),
            "net.txt:4: with_argmax is '2', expected one of false, true");
  EXPECT_EQ(message_for("%2 = input \"p\" () {dtype=f64} -> [N,3,4,4]"),
            "net.txt:4: dtype is 'f64', expected one of f32, i32, u8");
}

TEST(Parse, ReadsFunctionsByTheirNameOrTheirFormula) {
  const auto first_op = [](const std::string& line) {
    return parse_graph("network \"net\"\n%0 = input \"x\" () {shape=[N,3]} -> [N,3]\n" + line)
        .node(1)
        .op;
  };
  const dsl::Scalar x = dsl::Scalar::input(0);
  EXPECT_TRUE(first_op("%1 = relu \"r\" (%0) {} -> [N,3]") == dsl::Op(dsl::pointwise(dsl::relu)));
  EXPECT_TRUE(first_op("%1 = clip \"r\" (%0) {max=6 min=-1} -> [N,3]") ==
              dsl::Op(dsl::ops::Pointwise{"clip", clip(x, -1, 6).formula}));
  EXPECT_TRUE(first_op("%1 = elu \"r\" (%0) {} -> [N,3]") ==
              dsl::Op(dsl::ops::Pointwise{"elu", elu(x, 1).formula}));
  EXPECT_TRUE(first_op("%1 = pointwise \"r\" (%0) {function=\"f\" formula=\"x0 * x0\"} -> [N,3]") ==
              dsl::Op(dsl::ops::Pointwise{"f", (x * x).formula}));
  EXPECT_EQ(message_for("%2 = clip \"c\" (%0) {least=1} -> [N,3,8,8]"),
            "net.txt:4: clip has no attribute 'least'\n  hint: its attributes: min, max");
  EXPECT_EQ(message_for("%2 = pointwise \"c\" (%0) {} -> [N,3,8,8]"),
            "net.txt:4: pointwise 'c': the formula is missing; inputs [N,3,8,8]\n"
            "  hint: for example formula=\"x0 * sigmoid(x0)\"");
  EXPECT_EQ(message_for("%2 = pointwise \"c\" (%0) {formula=\"x0 * (x0\"} -> [N,3,8,8]"),
            "net.txt:4: expected ')', found the end of the line");
}

TEST(ParseErrors, ComeFromTheShapeRuleToo) {
  EXPECT_EQ(message_for("%2 = conv \"c\" (%0, %1) {filters=4 kernel=[3,3]} -> [N,4,8,8]"),
            "net.txt:4: the shapes after -> are [N,4,8,8], the shape rule of conv gives "
            "[N,4,6,6]");
  EXPECT_EQ(message_for("%2 = conv \"c\" (%0, %1) {filters=4 kernel=[3,3]} ->"),
            "net.txt:4: the shapes after -> are none, the shape rule of conv gives [N,4,6,6]");
  EXPECT_EQ(message_for("%2 = conv \"c\" (%0, %1) {filters=4 kernel=[5,5]} -> [N,4,4,4] @ "
                        "\"f.cpp\":9"),
            "net.txt:4: conv 'c' (f.cpp:9): weight is [4,3,3,3], expected [4,3,5,5]; inputs "
            "[N,3,8,8], [4,3,3,3]");
  EXPECT_EQ(message_for("%2 = add \"a\" (%0, %1) {} -> [N,3,8,8]"),
            "net.txt:4: add 'a': parameter [4,3,3,3] has as many axes as [N,3,8,8] and no batch; "
            "inputs [N,3,8,8], [4,3,3,3]\n"
            "  hint: leave the batch's axis out: [C,1,1] in place of [1,C,1,1]");
}

TEST(ParseErrors, RefuseAbsurdSizes) {
  EXPECT_EQ(message_for("%2 = input \"x\" () {shape=[N,99999999999]} -> [N]"),
            "net.txt:4: an extent of shape is 99999999999, expected 1 to 2147483647");
  EXPECT_EQ(message_for("%2 = input \"x\" () {shape=[N,0]} -> [N]"),
            "net.txt:4: an extent of shape is 0, expected 1 to 2147483647");
  EXPECT_EQ(message_for("%2 = input \"x\" () {shape=[3,N]} -> [N]"),
            "net.txt:4: expected an extent of shape, found 'N]} -> [N]'");
  EXPECT_EQ(message_for("%2 = input \"x\" () {shape=[N,2000000000,2000000000]} -> [N]"),
            "net.txt:4: input 'x': [N,2000000000,2000000000] has more than 2147483647 values per "
            "sample");
  EXPECT_EQ(message_for("%2 = input \"x\" () {shape=[N,1,1,1,1,1,1]} -> [N]"),
            "net.txt:4: shape has more than 6 extents");
  EXPECT_EQ(message_for("%2 = max_pool \"p\" (%0) {kernel=[2,2,2,2]} -> [N]"),
            "net.txt:4: kernel has more than 3 numbers");
  EXPECT_EQ(message_for("%2 = pad \"d\" (%0) {between=[0,2000000000,2000000000]} -> [N]"),
            "net.txt:4: pad 'd': [N,3,14000000008,14000000008] has more than 2147483647 values "
            "per sample; inputs [N,3,8,8]");
  EXPECT_EQ(message_for("%2 = pad_grad \"p\" (%0) {pad={begin=2 size=3}} -> [N]"),
            "net.txt:4: pad has no attribute 'size'\n"
            "  hint: its attributes: begin, end, between, mode, value");
  EXPECT_EQ(message_for("%2 = flip_filter \"f\" (%1) {groups=0} -> [3,4,3,3]"),
            "net.txt:4: flip_filter 'f': groups is 0, expected at least 1; inputs [4,3,3,3]");
}

TEST(ParseErrors, CountGivenValues) {
  const std::string parameter = "%2 = parameter \"b\" () {shape=[3] init=values values=0} -> [3]\n";
  EXPECT_EQ(message_for(parameter),
            "net.txt:4: parameter 'b' takes its values from constant 0, the text has 0 constants");
  EXPECT_EQ(message_for(parameter + "constant 0 [1,2]"),
            "net.txt:4: parameter 'b': constant 0 has 2 values, [3] needs 3");
  EXPECT_EQ(message_for(parameter + "constant 1 [1,2,3]"),
            "net.txt:5: expected constant 0, found constant 1");
  EXPECT_EQ(message_for(parameter + "constant 0 [1,2,1e99]"),
            "net.txt:5: a value of constant 0 is '1e99', expected a finite number of type f32");
  EXPECT_EQ(message_for(parameter + "constant 0 [1,2,--3]"),
            "net.txt:5: a value of constant 0 is '--3', expected a finite number of type f32");
  EXPECT_EQ(message_for(parameter + "constant 0 [1,0x1p-1,-3]"), "no error");
}

}  // namespace
}  // namespace halcyon::compiler
