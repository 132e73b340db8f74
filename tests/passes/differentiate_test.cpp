#include <gtest/gtest.h>

#include <sstream>

#include "compiler/passes/passes.h"
#include "compiler/reference/interpreter.h"
#include "dsl/layers.h"
#include "dsl/print.h"
#include "dsl/zoo/lenet5.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using tests::expect_error;

// One node a line, inputs by name: "grad.relu1.x = relu_grad (grad.flatten1.x, relu1)".
std::string text_of(const Graph& graph) {
  std::string text;
  for (const Node& n : graph.nodes()) {
    text += std::string(n.name.view()) + " = " + std::string(dsl::name_of(n.op)) + " (";
    for (Value v : n.inputs) {
      text += (text.back() == '(' ? "" : ", ") + std::string(graph.node(v).name.view());
      if (v.output > 0) text.append(".").append(std::to_string(v.output));
    }
    text += ")\n";
  }
  return text;
}

// What differentiate appended.
std::string backward_text(const Graph& forward, const PassContext& context = {}) {
  Program program{forward};
  EXPECT_TRUE(differentiate(program, context));
  const std::string text = text_of(program.graph);
  EXPECT_EQ(text.substr(0, text_of(forward).size()), text_of(forward));
  return text.substr(text_of(forward).size());
}

Network small_network() {
  Network net("small");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 1});
  x = x | dsl::conv(2, 3) | dsl::max_pool(2) | dsl::relu | dsl::flatten | dsl::dense(3);
  net.output("scores", x | dsl::softmax);
  net.loss("loss", dsl::softmax_cross_entropy(x, net.labels("label")), 0.5F);
  return net;
}

std::map<Value, HostTensor> evaluate_randomly(const Graph& graph) {
  std::map<std::string, HostTensor> given;
  for (const Node& n : graph.nodes()) {
    const auto* input = std::get_if<ops::Input>(&n.op);
    if (input == nullptr && !std::holds_alternative<ops::Parameter>(n.op)) continue;
    given[std::string(n.name.view())] = input != nullptr && input->dtype == DType::i32
                                            ? random_labels(input->classes, 2, 5)
                                            : random_tensor(n.outputs[0], 2, given.size());
  }
  return evaluate(graph, given, 2);
}

TEST(Differentiate, AppendsTheBackwardNodesFromTheLossToTheFirstLayer) {
  EXPECT_EQ(backward_text(small_network().graph()),
            "grad.softmax_cross_entropy1.x = softmax_cross_entropy_grad (dense1, label)\n"
            "grad.dense1.transpose = transpose_matrix (dense1.weight)\n"
            "grad.dense1.x = dense (grad.softmax_cross_entropy1.x, grad.dense1.transpose)\n"
            "grad.dense1.weight = dense_weight_grad (flatten1, grad.softmax_cross_entropy1.x)\n"
            "grad.dense1.bias = bias_grad (grad.softmax_cross_entropy1.x)\n"
            "grad.flatten1.x = unflatten (grad.dense1.x)\n"
            "grad.relu1.x = relu_grad (grad.flatten1.x, relu1)\n"
            "grad.pool1.x = max_pool_grad (grad.relu1.x, pool1.1)\n"
            "grad.conv1.weight = conv_weight_grad (image, grad.pool1.x)\n"
            "grad.conv1.bias = bias_grad (grad.pool1.x)\n"
            "update = update (conv1.weight, conv1.bias, dense1.weight, dense1.bias, "
            "grad.conv1.weight, grad.conv1.bias, grad.dense1.weight, grad.dense1.bias)\n");
}

TEST(Differentiate, KeepsOutputsLossesAndNodeNumbers) {
  const Graph forward = small_network().graph();
  Program program{forward};
  differentiate(program, {.optimizer = ops::Optimizer::adam});
  EXPECT_EQ(program.graph.name, forward.name);
  ASSERT_EQ(program.graph.outputs.size(), 1U);
  EXPECT_EQ(program.graph.outputs[0].value, forward.outputs[0].value);
  ASSERT_EQ(program.graph.losses.size(), 1U);
  EXPECT_EQ(program.graph.losses[0].value, forward.losses[0].value);
  const auto* update = std::get_if<ops::Update>(&program.graph.nodes().back().op);
  ASSERT_NE(update, nullptr);
  EXPECT_EQ(update->optimizer, ops::Optimizer::adam);
}

TEST(Differentiate, FoldsTheLossWeightIntoItsGradient) {
  Program program{small_network().graph()};
  differentiate(program, {});
  for (const Node& n : program.graph.nodes()) {
    const auto* grad = std::get_if<ops::SoftmaxCrossEntropyGrad>(&n.op);
    if (grad != nullptr) {
      EXPECT_EQ(grad->weight, 0.5F);
    }
  }
}

TEST(Differentiate, BackwardNodesCarryTheUsersLine) {
  Program program{small_network().graph()};
  differentiate(program, {});
  for (const Node& n : program.graph.nodes()) {
    if (n.name.view() != "grad.conv1.weight") continue;
    EXPECT_EQ(n.place.file.view(), "differentiate_test.cpp");
    EXPECT_GT(n.place.line, 0);
  }
}

TEST(Differentiate, KeepsTheArgmaxOnlyWhereAGradientFlows) {
  Network net("two_pools");
  Tensor x = net.input("x", Shape{1, 8}) | dsl::max_pool(2);
  net.loss("loss",
           dsl::mean_square(x | dsl::conv(1, 1) | dsl::max_pool(2), net.target("wanted", {1, 2})));
  Program program{net.graph()};
  differentiate(program, {});
  std::vector<bool> found;
  for (const Node& n : program.graph.nodes()) {
    if (const auto* pool = std::get_if<ops::MaxPool>(&n.op)) {
      found.push_back(pool->with_argmax);
      EXPECT_EQ(n.outputs.size(), pool->with_argmax ? 2U : 1U);
    }
  }
  EXPECT_EQ(found, (std::vector<bool>{false, true}));
}

TEST(Differentiate, SumsTheGradientsOfAValueUsedSeveralTimes) {
  Network net("shared");
  Tensor x = net.input("x", Shape{2}) | dsl::dense(2);
  Tensor twice = dsl::add(x, x);
  Tensor y = dsl::add(twice, x | dsl::relu);
  net.loss("loss", dsl::mean_square(y, net.target("wanted", {2})));
  EXPECT_EQ(backward_text(net.graph()),
            "grad.mean_square1.x = mean_square_grad (add2, wanted)\n"
            "grad.relu1.x = relu_grad (grad.mean_square1.x, relu1)\n"
            "grad.dense1.sum = add (grad.relu1.x, grad.mean_square1.x)\n"
            "grad.dense1.sum2 = add (grad.dense1.sum, grad.mean_square1.x)\n"
            "grad.dense1.weight = dense_weight_grad (x, grad.dense1.sum2)\n"
            "grad.dense1.bias = bias_grad (grad.dense1.sum2)\n"
            "update = update (dense1.weight, dense1.bias, grad.dense1.weight, grad.dense1.bias)\n");
}

TEST(Differentiate, SumsTheGradientsOfAParameterOfTwoLayers) {
  Network net("shared_weight");
  Tensor x = net.input("x", Shape{2});
  Tensor weight = net.parameter("weight", {2, 2}, dsl::he());
  for (int i = 0; i < 2; ++i) {
    x = net.add(ops::Dense{.units = 2}, {x.value, weight.value}, i == 0 ? "a" : "b", {});
  }
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {2})));
  EXPECT_EQ(backward_text(net.graph()),
            "grad.mean_square1.x = mean_square_grad (b, wanted)\n"
            "grad.b.transpose = transpose_matrix (weight)\n"
            "grad.b.x = dense (grad.mean_square1.x, grad.b.transpose)\n"
            "grad.b.weight = dense_weight_grad (a, grad.mean_square1.x)\n"
            "grad.a.weight = dense_weight_grad (x, grad.b.x)\n"
            "grad.weight.sum = add (grad.b.weight, grad.a.weight)\n"
            "update = update (weight, grad.weight.sum)\n");
}

TEST(Differentiate, FrozenParametersProduceNoNodes) {
  // The layers in front of the only trained one cost nothing.
  EXPECT_EQ(backward_text(small_network().graph(), {.freeze = {"conv*"}}),
            "grad.softmax_cross_entropy1.x = softmax_cross_entropy_grad (dense1, label)\n"
            "grad.dense1.weight = dense_weight_grad (flatten1, grad.softmax_cross_entropy1.x)\n"
            "grad.dense1.bias = bias_grad (grad.softmax_cross_entropy1.x)\n"
            "update = update (dense1.weight, dense1.bias, grad.dense1.weight, "
            "grad.dense1.bias)\n");
  // A frozen layer behind a trained one costs only the way through.
  const std::string behind =
      backward_text(small_network().graph(), {.freeze = {"dense?.weight", "*.bias"}});
  EXPECT_NE(behind.find("grad.dense1.x = dense"), std::string::npos);
  EXPECT_EQ(behind.find("grad.dense1.weight"), std::string::npos);
  EXPECT_EQ(behind.find("bias_grad"), std::string::npos);
  EXPECT_NE(behind.find("update (conv1.weight, grad.conv1.weight)"), std::string::npos);
}

TEST(Differentiate, MarksWhatIsTrained) {
  Network net = small_network();
  net.output("other", dsl::Tensor{&net, {0, 0}} | dsl::conv(1, 1, {.name = "unused"}));
  for (int32_t id = 0; id < net.graph().node_count(); ++id) {
    const auto* bias = std::get_if<ops::Parameter>(&net.graph().node(id).op);
    if (bias == nullptr || net.graph().node(id).name.view() != "conv1.bias") continue;
    ops::Parameter fixed = *bias;
    fixed.trainable = false;
    net.graph().replace_op(id, fixed);
  }
  Program program{net.graph()};
  differentiate(program, {.freeze = {"dense1.weight"}});
  std::string trained;
  for (const Node& n : program.graph.nodes()) {
    const auto* p = std::get_if<ops::Parameter>(&n.op);
    if (p != nullptr && p->trainable) trained += std::string(n.name.view()) + " ";
  }
  EXPECT_EQ(trained, "conv1.weight dense1.bias ");
}

TEST(Differentiate, TrainsLenet5WithoutAGradientTowardsThePicture) {
  const std::string text = backward_text(dsl::zoo::lenet5().graph());
  EXPECT_EQ(text.find("grad.conv1.x"), std::string::npos);
  EXPECT_NE(text.find("grad.conv2.x"), std::string::npos);
  Program program{dsl::zoo::lenet5(16, 16, 1, 4).graph()};
  differentiate(program, {});
  const std::map<Value, HostTensor> values = evaluate_randomly(program.graph);
  for (Value v : program.graph.nodes().back().inputs) EXPECT_TRUE(values.contains(v));
}

TEST(Differentiate, IsTheSameEveryTime) {
  std::ostringstream texts[2];
  for (std::ostringstream& text : texts) {
    Program program{small_network().graph()};
    differentiate(program, {});
    dsl::print(program.graph, text);
  }
  EXPECT_EQ(texts[0].str(), texts[1].str());
}

void expect_refused(const Graph& graph, const PassContext& context, const std::string& what,
                    const std::string& hint) {
  Program program{graph};
  std::ostringstream before, after;
  dsl::print(program.graph, before);
  expect_error<UserError>([&] { differentiate(program, context); }, what, "hint: " + hint);
  dsl::print(program.graph, after);
  EXPECT_EQ(before.str(), after.str());
}

TEST(Differentiate, RefusesANetworkWithoutALoss) {
  Network net("plain");
  net.output("y", net.input("x", Shape{2}) | dsl::dense(2));
  expect_refused(net.graph(), {}, "network 'plain' has no loss to train on", "add net.loss(");
}

TEST(Differentiate, RefusesALossThatIsNoScalarOrNoLossOperator) {
  Network net("odd");
  Tensor x = net.input("x", Shape{2}) | dsl::dense(2);
  net.graph().losses.push_back({"loss", x.value});  // net.loss() would refuse it
  expect_refused(net.graph(), {}, "loss 'loss': dense 'dense1' (differentiate_test.cpp:",
                 "give it the result of softmax_cross_entropy or mean_square");

  Network two("odd");
  Tensor y = two.input("x", Shape{2}) | dsl::dense(2);
  Tensor wanted = two.target("wanted", {2});
  Tensor a = dsl::mean_square(y, wanted);
  two.loss("total", dsl::add(a, a));
  expect_refused(two.graph(), {}, "loss 'total': add 'add1'", "give it the result of");
}

TEST(Differentiate, RefusesALossThatAnotherLossReads) {
  Network net("odd");
  Tensor x = net.input("x", Shape{2}) | dsl::dense(2);
  Tensor a = dsl::mean_square(x, net.target("wanted", {2}));
  net.loss("loss", dsl::mean_square(a, dsl::mean_square(x, x)));
  expect_refused(net.graph(), {}, "is read by an operator on the way to another loss",
                 "give each loss to net.loss");
}

TEST(Differentiate, RefusesWhenNothingIsLeftToTrain) {
  expect_refused(small_network().graph(), {.freeze = {"*"}},
                 "network 'small' has no parameter to train", "freeze fewer parameters");
  Network net("fixed");
  net.loss("loss", dsl::mean_square(net.input("x", Shape{2}), net.target("wanted", {2})));
  expect_refused(net.graph(), {}, "has no parameter to train", "give net.loss a value");
}

TEST(Differentiate, RefusesAPatternThatFreezesNothing) {
  for (const char* pattern : {"conv2*", "conv1", "?conv1.weight", "", "*.weigh"}) {
    expect_refused(small_network().graph(), {.freeze = {pattern}},
                   "no parameter is named like '" + std::string(pattern) + "'",
                   "patterns match whole names");
  }
}

TEST(Differentiate, RefusesOperatorsThatHaveNoGradient) {
  Network net("odd");
  Tensor x = net.input("x", Shape{3}) | dsl::dense(3);
  const ops::PadGrad back{.input = {kBatch, 2}, .pad = {.begin = {1}, .mode = ops::PadMode::edge}};
  x = net.add(back, {x.value}, "back", dsl::Place::here());
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {2})));
  expect_refused(net.graph(), {}, "pad_grad 'back' (differentiate_test.cpp:",
                 "it stands between a trainable parameter and a loss");
}

}  // namespace
}  // namespace halcyon::compiler
