#include "compiler/graph/verify.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <regex>
#include <string>

#include "compiler/graph/parse.h"
#include "dsl/layers.h"
#include "dsl/zoo/lenet5.h"

namespace halcyon::compiler {
namespace {

using dsl::Graph;
using dsl::Op;
using dsl::Value;
namespace ops = dsl::ops;

// A legal graph: dense of features, one output, one loss.
Graph small() {
  using namespace dsl;
  Network net("small");
  Tensor x = net.input("features", {4}) | dense(3);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net.graph();
}

constexpr int32_t kFeatures = 0, kWeight = 1, kBias = 2, kDense = 3, kSoftmax = 4, kLabel = 5,
                  kLoss = 6;

// What is wrong with small() after `change`, for the user.
std::string mistake(const std::function<void(Graph&)>& change) {
  Graph graph = small();
  change(graph);
  try {
    verify(graph, Stage::source);
  } catch (const UserError& error) {
    // Lines of this file are no part of what is promised.
    static const std::regex place(" \\(verify_test.cpp:[0-9]+\\)");
    return std::regex_replace(error.what(), place, "");
  }
  return "legal";
}

template <class Operator>
void change_op(Graph& graph, int32_t id, const std::function<void(Operator&)>& change) {
  Operator op = std::get<Operator>(graph.node(id).op);
  change(op);
  graph.replace_op(id, op);
}

TEST(Verify, TakesWhatTheLanguageMakes) {
  EXPECT_NO_THROW(verify(dsl::zoo::lenet5().graph(), Stage::source));
  EXPECT_NO_THROW(verify(small(), Stage::source));
  EXPECT_NO_THROW(verify(small()));
}

TEST(Verify, LeavesToTrainingWhatOnlyAStepHas) {
  EXPECT_EQ(mistake([](Graph& g) { g.add(ops::RandomMask{}, {{kDense}}, "mask", {}); }),
            "random_mask 'mask': only a training step has it\n"
            "  hint: the compiler makes it from batch_norm or dropout");
  EXPECT_EQ(mistake([](Graph& g) {
              g.add(ops::MoveStatistics{}, {{kBias}, {kBias}, {kBias}, {kBias}}, "move", {});
            }),
            "move_statistics 'move': only a training step has it\n"
            "  hint: the compiler makes it from batch_norm or dropout");
}

TEST(Verify, WantsNamesToBeUnique) {
  EXPECT_EQ(mistake([](Graph& g) {
              const int32_t id = g.add(ops::Input{.shape = {kBatch, 2}}, {}, "features", {});
              g.outputs.push_back({"other", {id}});
            }),
            "input 'features': the name is already taken\n  hint: choose another .name");
  EXPECT_EQ(mistake([](Graph& g) {
              g.add(ops::Parameter{.id = 9, .shape = {2}}, {}, "dense1.bias", {});
            }),
            "parameter 'dense1.bias': the name is already taken\n  hint: choose another .name");
  EXPECT_EQ(mistake([](Graph& g) { g.outputs.push_back(g.outputs[0]); }),
            "output \"scores\": the name is already taken\n  hint: choose another .name");
  EXPECT_EQ(mistake([](Graph& g) { g.losses.push_back(g.losses[0]); }),
            "loss \"loss\": the name is already taken\n  hint: choose another .name");
  EXPECT_EQ(mistake([](Graph& g) { g.outputs[0].name = ""; }), "output \"\": has no name");
  EXPECT_EQ(
      mistake([](Graph& g) { change_op<ops::Parameter>(g, kBias, [](auto& p) { p.id = 0; }); }),
      "parameter 'dense1.bias': another parameter has the id 0");
  EXPECT_EQ(mistake([](Graph& g) { g.name = "7up"; }),
            "network \"7up\": not a usable name for a network\n"
            "  hint: at most 40 letters, digits and _; it becomes part of the C functions' names");
}

TEST(Verify, WantsShapesToFollowTheRules) {
  EXPECT_EQ(mistake([](Graph& g) {
              change_op<ops::Input>(g, kFeatures, [](auto& x) { x.shape = {kBatch, 5}; });
            }),
            "input 'features': has the shapes [N,4], the shape rule gives [N,5]");
  EXPECT_EQ(
      mistake([](Graph& g) { change_op<ops::Dense>(g, kDense, [](auto& d) { d.units = 4; }); }),
      "dense 'dense1': weight is [3,4], expected [4,4]");
}

TEST(Verify, WantsOutputsThatAHostCanReceive) {
  EXPECT_EQ(mistake([](Graph& g) { g.outputs.clear(); }),
            "network \"small\" has no output\n  hint: add net.output(\"scores\", x)");
  EXPECT_EQ(mistake([](Graph& g) {
              g.outputs.push_back({"w", {kWeight}});
            }),
            "output \"w\": parameter 'dense1.weight' is [3,4], expected a batch in front, [N,...]\n"
            "  hint: what the host receives has a value for each sample");
  EXPECT_EQ(mistake([](Graph& g) {
              g.outputs.push_back({"l", {kLabel}});
            }),
            "output \"l\": input 'label' is not f32");
  EXPECT_EQ(mistake([](Graph& g) {
              g.outputs.push_back({"z", {99}});
            }),
            "output \"z\": %99 does not exist");
  EXPECT_EQ(mistake([](Graph& g) {
              g.outputs.push_back({"z", {kSoftmax, 1}});
            }),
            "output \"z\": %4.1 does not exist");
  EXPECT_EQ(mistake([](Graph& g) {
              g.outputs.push_back({"z", {-1}});
            }),
            "output \"z\": %-1 does not exist");
}

TEST(Verify, KeepsTargetsOutOfOutputs) {
  EXPECT_EQ(
      mistake([](Graph& g) {
        const int32_t wanted =
            g.add(ops::Input{.shape = {kBatch, 3}, .target = true}, {}, "wanted", {});
        const int32_t grad = g.add(ops::MeanSquareGrad{}, {{kDense}, {wanted}}, "difference", {});
        g.outputs.push_back({"difference", {grad}});
      }),
      "output \"difference\": mean_square_grad 'difference' needs a target, and a network "
      "has none when it classifies\n"
      "  hint: net.loss() is for values that depend on a target");
  EXPECT_EQ(mistake([](Graph& g) {
              const int32_t wanted =
                  g.add(ops::Input{.shape = {kBatch, 3}, .target = true}, {}, "wanted", {});
              g.add(dsl::pointwise(dsl::relu), {{wanted}}, "r", {});
            }),
            "relu 'r': reads target \"wanted\", which only a loss may do\n"
            "  hint: a network has no targets when it classifies");
}

TEST(Verify, WantsLossesToBeScalarsOfLabelsWithClasses) {
  EXPECT_EQ(mistake([](Graph& g) {
              g.losses.push_back({"other", {kDense}, 1});
            }),
            "loss \"other\": dense 'dense1' is [N,3], expected a scalar []\n"
            "  hint: make it with softmax_cross_entropy or mean_square");
  EXPECT_EQ(mistake([](Graph& g) { g.losses[0].weight = std::nanf(""); }),
            "loss \"loss\": its weight is not a finite number");
  EXPECT_EQ(mistake([](Graph& g) {
              g.losses[0].value = {kLoss, 1};
            }),
            "loss \"loss\": %6.1 does not exist");
  EXPECT_EQ(mistake([](Graph& g) {
              change_op<ops::Input>(g, kLabel, [](auto& label) { label.classes = 0; });
            }),
            "input 'label': has 0 classes, softmax_cross_entropy 'softmax_cross_entropy1' has "
            "scores of 3");
  EXPECT_EQ(mistake([](Graph& g) {
              change_op<ops::Input>(g, kLabel, [](auto& label) {
                label.dtype = DType::f32;
                label.classes = 0;
              });
            }),
            "softmax_cross_entropy 'softmax_cross_entropy1': input 1 is f32 (input 'label'), "
            "expected i32");
}

TEST(Verify, WantsEverythingToBeRead) {
  EXPECT_EQ(mistake([](Graph& g) {
              g.add(ops::Parameter{.id = 9, .shape = {2}}, {}, "lonely", {"net.cpp", 12});
            }),
            "parameter 'lonely' (net.cpp:12): is read by nothing\n"
            "  hint: use it, or take it out of the network");
  EXPECT_EQ(mistake([](Graph& g) {
              g.add(ops::Input{.shape = {kBatch, 2}}, {}, "lonely", {"net.cpp", 12});
            }),
            "input 'lonely' (net.cpp:12): is read by nothing\n"
            "  hint: use it, or take it out of the network");
}

TEST(Verify, ChecksNumbersAndGivenValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(mistake([&](Graph& g) {
              change_op<ops::Parameter>(g, kWeight, [&](auto& p) { p.scale = infinity; });
            }),
            "parameter 'dense1.weight': scale is not a finite number");
  const auto given = [](Graph& g, std::vector<float> values) {
    g.constants = {std::move(values)};
    change_op<ops::Parameter>(g, kBias, [](auto& p) {
      p.init = ops::InitKind::values;
      p.values = 0;
    });
  };
  EXPECT_EQ(mistake([&](Graph& g) { given(g, {1, 2, 3}); }), "legal");
  EXPECT_EQ(mistake([&](Graph& g) {
              given(g, {1, 2});
            }),
            "parameter 'dense1.bias': 2 values given, [3] needs 3");
  EXPECT_EQ(mistake([&](Graph& g) {
              given(g, {1, 2, infinity});
            }),
            "parameter 'dense1.bias': given value 2 is not a finite number");
  EXPECT_EQ(mistake([&](Graph& g) {
              given(g, {1, 2, 3});
              g.constants.clear();
            }),
            "parameter 'dense1.bias': takes its values from constant 0, the graph has 0");
}

TEST(Verify, BlamesThePassesLater) {
  Graph graph = small();
  graph.outputs.push_back({"z", {99}});
  for (Stage stage : {Stage::passes, Stage::inference, Stage::training}) {
    try {
      verify(graph, stage);
      FAIL() << "legal";
    } catch (const InternalError& error) {
      EXPECT_STREQ(error.what(), "illegal graph: output \"z\": %99 does not exist");
    }
  }
}

std::string fault(const Graph& graph, Stage stage) {
  try {
    verify(graph, stage);
  } catch (const InternalError& error) {
    return error.what();
  }
  return "legal";
}

// Pools a square of `pooled` by `pooled` to one value, whose gradient goes to `spread` by `spread`.
Graph pool_and_scatter(int pooled, int spread) {
  const auto map = [](int extent) {
    return "[N,1," + std::to_string(extent) + "," + std::to_string(extent) + "]";
  };
  return parse_graph(
      "network \"t\"\n%0 = input \"x\" () {shape=" + map(pooled) + "} -> " + map(pooled) +
      "\n%1 = max_pool \"p\" (%0) {with_argmax=true kernel=" + std::to_string(pooled) + "} -> " +
      map(1) + map(1) + "\n%2 = max_pool_grad \"g\" (%1, %1.1) {kernel=" + std::to_string(spread) +
      " input=" + map(spread) + "} -> " + map(spread) + "\noutput \"dx\" %2\n");
}

TEST(Verify, KnowsWhatHoldsAPositionInsideAWindow) {
  EXPECT_EQ(fault(pool_and_scatter(16, 16), Stage::passes), "legal");
  EXPECT_EQ(fault(pool_and_scatter(17, 17), Stage::passes), "legal");
  EXPECT_EQ(fault(pool_and_scatter(17, 16), Stage::passes),
            "illegal graph: max_pool_grad 'g': input 1 is i32 (max_pool 'p'), expected u8");
  EXPECT_EQ(fault(pool_and_scatter(16, 17), Stage::passes),
            "illegal graph: max_pool_grad 'g': input 1 is u8 (max_pool 'p'), expected i32");
}

// Both parameters and gradients for them.
Graph with_update(int copies = 1, bool trainable = true) {
  Graph graph = parse_graph(
      "network \"t\"\n"
      "%0 = input \"x\" () {shape=[N,4]} -> [N,4]\n"
      "%1 = parameter \"w\" () {id=0 shape=[3,4] trainable=" +
      std::string(trainable ? "true" : "false") +
      "} -> [3,4]\n"
      "%2 = dense \"d\" (%0, %1) {units=3} -> [N,3]\n"
      "%3 = input \"y\" () {shape=[N,3] target=true} -> [N,3]\n"
      "%4 = mean_square \"m\" (%2, %3) {} -> []\n"
      "%5 = mean_square_grad \"g\" (%2, %3) {} -> [N,3]\n"
      "%6 = dense_weight_grad \"dw\" (%0, %5) {} -> [3,4]\n"
      "output \"d\" %2\n"
      "loss \"loss\" %4 weight=1\n");
  std::vector<Value> inputs(static_cast<std::size_t>(copies), Value{1});
  inputs.insert(inputs.end(), static_cast<std::size_t>(copies), Value{6});
  graph.add(ops::Update{}, inputs, "update", {});
  return graph;
}

TEST(Verify, KnowsWhatATrainingGraphIs) {
  EXPECT_EQ(fault(with_update(), Stage::training), "legal");
  EXPECT_EQ(fault(small(), Stage::training), "illegal graph: a training graph has no update");
  EXPECT_EQ(fault(with_update(2), Stage::training),
            "illegal graph: update 'update': changes parameter 'w' twice");
  EXPECT_EQ(fault(with_update(1, false), Stage::training),
            "illegal graph: update 'update': changes parameter 'w', which is no trainable "
            "parameter");
  Graph early = with_update();
  early.add(dsl::pointwise(dsl::relu), {{2}}, "late", {});
  EXPECT_EQ(fault(early, Stage::training),
            "illegal graph: relu 'late': stands behind the update and is no copy of an output");
  Graph copied = with_update();
  copied.outputs[0].value = {copied.add(ops::Copy{}, {{2}}, "copy", {})};
  EXPECT_EQ(fault(copied, Stage::training), "legal");
  copied.outputs[0].value = {2};
  EXPECT_EQ(fault(copied, Stage::training),
            "illegal graph: copy 'copy': stands behind the update and is no copy of an output");
  const auto with = [](const Op& op, const std::vector<Value>& inputs) {
    Graph graph = parse_graph(
        "network \"t\"\n%0 = input \"x\" () {shape=[N,4]} -> [N,4]\n"
        "%1 = parameter \"b\" () {id=0 shape=[4]} -> [4]\n");
    graph.add(op, inputs, "n", {});
    graph.losses = {{"loss", {graph.add(ops::MeanSquare{}, {{0}, {0}}, "m", {})}, 1}};
    return graph;
  };
  EXPECT_EQ(fault(with(ops::Dropout{}, {{0}}), Stage::training),
            "illegal graph: dropout 'n': a training graph has a dropout without its mask");
  EXPECT_EQ(fault(with(ops::MoveStatistics{}, {{1}, {1}, {1}, {1}}), Stage::training),
            "illegal graph: move_statistics 'n': moves parameter 'b', which is no parameter, or "
            "one that is trained");
  Graph twice = with_update();
  twice.add(ops::Update{}, {{1}, {6}}, "again", {});
  EXPECT_EQ(fault(twice, Stage::training), "illegal graph: update 'again': is a second update");
  Graph lossless = with_update();
  lossless.losses.clear();
  EXPECT_EQ(fault(lossless, Stage::training), "illegal graph: a training graph has no loss");
  EXPECT_THROW(verify(with_update(), Stage::source), UserError);
}

TEST(Verify, KnowsWhatAnInferenceGraphIs) {
  EXPECT_EQ(fault(small(), Stage::inference), "illegal graph: an inference graph has losses");
  Graph graph = small();
  graph.losses.clear();
  const std::string text = fault(graph, Stage::inference);
  EXPECT_NE(text.find("an inference graph has a target"), text.npos) << text;
  const Graph plain =
      parse_graph("network \"t\"\n%0 = input \"x\" () {shape=[N,4]} -> [N,4]\noutput \"y\" %0\n");
  EXPECT_EQ(fault(plain, Stage::inference), "legal");
}

}  // namespace
}  // namespace halcyon::compiler
