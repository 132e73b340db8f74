#include <gtest/gtest.h>

#include <string>

#include "compiler/passes/pipeline.h"
#include "dsl/norm_layers.h"

namespace halcyon::compiler {
namespace {

namespace ops = dsl::ops;
using dsl::Network;
using dsl::Tensor;

// "bn = batch_norm (x, bn.weight, ...)", without sources.
std::string text_of(const Graph& graph) {
  std::string text;
  for (const Node& n : graph.nodes()) {
    if (n.inputs.empty()) continue;
    text += std::string(n.name.view()) + " = " + std::string(dsl::name_of(n.op)) + " (";
    for (Value v : n.inputs) {
      text += (text.back() == '(' ? "" : ", ") + std::string(graph.node(v).name.view());
      if (v.output > 0) text.append(".").append(std::to_string(v.output));
    }
    text += ")\n";
  }
  return text;
}

Graph small_network() {
  Network net("net");
  Tensor x = net.input("x", {.height = 4, .width = 3, .channels = 2}) |
             dsl::batch_norm({.name = "bn"}) | dsl::dropout(0.5f, "drop") | dsl::flatten |
             dsl::dense(2, {.name = "end"});
  net.output("y", x);
  net.loss("loss", dsl::mean_square(x, net.target("wanted", {2})));
  return net.graph();
}

std::vector<bool> frozen(const Graph& graph, std::string_view name) {
  std::vector<bool> list;
  for (const Node& n : graph.nodes()) list.push_back(n.name == name);
  return list;
}

TEST(TrainingForm, UsesTheBatchsStatisticsAndMovesTheRunningOnes) {
  const Graph graph = small_network();
  const Graph form = training_form(graph, frozen(graph, ""));
  EXPECT_EQ(text_of(form),
            "bn.moments = moments (x)\n"
            "bn.batch_moments = batch_moments (bn.moments, bn.moments.1)\n"
            "bn.move_statistics = move_statistics (bn.running_mean, bn.running_var, "
            "bn.batch_moments, bn.batch_moments.1)\n"
            "bn = batch_norm (x, bn.weight, bn.bias, bn.batch_moments, bn.batch_moments.1)\n"
            "drop = random_mask (bn)\n"
            "flatten1 = flatten (drop)\n"
            "end = dense (flatten1, end.weight, end.bias)\n"
            "mean_square1 = mean_square (end, wanted)\n");
  for (const Node& n : form.nodes()) {
    const auto* move = std::get_if<ops::MoveStatistics>(&n.op);
    if (move != nullptr) {
      EXPECT_EQ(move->positions, 12);
    }
  }
}

TEST(TrainingForm, KeepsFrozenRunningStatistics) {
  const Graph graph = small_network();
  for (const char* name : {"bn.running_mean", "bn.running_var"}) {
    const std::string text = text_of(training_form(graph, frozen(graph, name)));
    EXPECT_NE(text.find("bn = batch_norm (x, bn.weight, bn.bias, bn.running_mean, bn.running_var)"),
              text.npos)
        << name;
    EXPECT_EQ(text.find("move_statistics"), text.npos) << name;
  }
}

TEST(TrainingForm, GivesEachDropoutItsStream) {
  Network net("net");
  Tensor x = net.input("x", {3});
  net.output("y", dsl::add(x | dsl::dropout(0.5f), x | dsl::dropout(0.5f)));
  Program program{net.graph()};
  EXPECT_FALSE(merge_common_nodes(program, {}));
  std::vector<int64_t> streams;
  const Graph form = training_form(net.graph(), frozen(net.graph(), ""));
  for (const Node& n : form.nodes()) {
    const auto* mask = std::get_if<ops::RandomMask>(&n.op);
    if (mask != nullptr) streams.push_back(mask->stream);
  }
  EXPECT_EQ(streams, (std::vector<int64_t>{0, 1}));
}

TEST(TrainingForm, MasksTheMapInFrontOfAFlatten) {
  Network net("net");
  Tensor x = net.input("x", {2, 3, 4}) | dsl::flatten | dsl::dropout(0.5f) | dsl::dropout(0.2f);
  net.output("y", x);
  EXPECT_EQ(text_of(training_form(net.graph(), frozen(net.graph(), ""))),
            "flatten1 = flatten (x)\n"
            "dropout1 = random_mask (x)\n"
            "flatten1 = flatten (dropout1)\n"
            "dropout2 = random_mask (dropout1)\n"
            "flatten1 = flatten (dropout2)\n");
}

TEST(TrainingForm, IsUnknownToInference) {
  Program program{small_network()};
  run_passes(program, {}, inference_passes());
  EXPECT_EQ(text_of(program.graph),
            "bn = batch_norm (x, bn.weight, bn.bias, bn.running_mean, bn.running_var)\n"
            "flatten1 = flatten (bn)\n"
            "end = dense (flatten1, end.weight, end.bias)\n"
            "y.copy = copy (end)\n");
}

TEST(TrainingForm, PassesThroughTheWholeTrainingPipeline) {
  Program program{small_network()};
  run_passes(program, {}, training_passes());
  int moves = 0;
  for (const Node& n : program.graph.nodes()) {
    if (std::holds_alternative<ops::MoveStatistics>(n.op)) ++moves;
    const auto* parameter = std::get_if<ops::Parameter>(&n.op);
    if (parameter == nullptr) continue;
    EXPECT_EQ(parameter->trainable, n.name.view().find("running") == std::string_view::npos)
        << n.name.view();
  }
  EXPECT_EQ(moves, 1);
}

}  // namespace
}  // namespace halcyon::compiler
