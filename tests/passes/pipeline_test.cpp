#include "compiler/passes/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dsl/layers.h"
#include "dsl/zoo/googlenet.h"
#include "dsl/zoo/lenet5.h"
#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Tensor;
using tests::wide_machine;

/// Something for every pass to do.
Network busy_network() {
  Network net("busy");
  Tensor x = net.input("x", {.height = 8, .width = 8, .channels = 3});
  x = x | dsl::conv(5, 3, {.pad = 1}) | dsl::relu | dsl::max_pool(2);
  x = dsl::add(x | dsl::conv(5, 1), x | dsl::conv(5, 1)) | dsl::flatten | dsl::flatten;
  Tensor y = dsl::add(x | dsl::dense(4), dsl::concat({x}) | dsl::relu | dsl::dense(4));
  Tensor label = net.labels("label");
  net.output("y", y);
  net.output("likely", y | dsl::softmax);
  net.loss("a", dsl::softmax_cross_entropy(y, label));
  net.loss("b", dsl::softmax_cross_entropy(y, label), 2);
  return net;
}

TEST(Pipeline, TellsTheObserverOfEveryPassInOrder) {
  Program program;
  program.graph = dsl::zoo::lenet5().graph();
  std::vector<std::string_view> names;
  run_passes(program, wide_machine(), inference_passes(),
             [&](const Program&, const PassRecord& record) {
               EXPECT_GE(record.time_us, 0);
               EXPECT_FALSE(record.pass.promise.empty());
               names.push_back(record.pass.name);
               return true;
             });
  ASSERT_EQ(names.size(), inference_passes().size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(names[i], inference_passes()[i].name);
}

TEST(Pipeline, StopsWhereTheObserverSays) {
  Program program;
  program.graph = dsl::zoo::lenet5().graph();
  run_passes(program, wide_machine(), inference_passes(),
             [](const Program&, const PassRecord& record) { return record.pass.name != "fuse"; });
  EXPECT_FALSE(program.regions.empty());
  EXPECT_TRUE(program.layouts.empty());
}

TEST(Pipeline, RecordsWhichPassesChangedTheGraph) {
  Program program;
  program.graph = dsl::zoo::lenet5().graph();
  std::set<std::string_view> changed;
  run_passes(program, wide_machine(), inference_passes(),
             [&](const Program&, const PassRecord& record) {
               if (record.changed) changed.insert(record.pass.name);
               return true;
             });
  EXPECT_TRUE(changed.contains("drop_training"));
  EXPECT_TRUE(changed.contains("sink_relu_below_max_pool"));
  EXPECT_FALSE(changed.contains("merge_common_nodes"));
}

TEST(Pipeline, LeavesNothingForASecondRunOfAGraphPass) {
  const std::set<std::string_view> once = {"differentiate", "fuse", "assign_layouts",
                                           "choose_schedules", "plan_memory"};
  for (const std::span<const Pass> passes : {inference_passes(), training_passes()}) {
    Program program;
    program.graph = busy_network().graph();
    run_passes(program, wide_machine(), passes, [&](const Program& now, const PassRecord& record) {
      if (once.contains(record.pass.name)) return true;
      Program again = now;
      EXPECT_FALSE(record.pass.run(again, wide_machine())) << record.pass.name;
      return true;
    });
  }
}

TEST(Pipeline, PutsEveryComputingNodeIntoOneRegion) {
  for (const std::span<const Pass> passes : {inference_passes(), training_passes()}) {
    Program program;
    program.graph = busy_network().graph();
    run_passes(program, wide_machine(), passes);
    std::vector<int> times(program.graph.nodes().size());
    for (const Region& region : program.regions) {
      for (int32_t id : region.nodes) ++times[static_cast<std::size_t>(id)];
    }
    for (int32_t id = 0; id < program.graph.node_count(); ++id) {
      const bool computes =
          !program.graph.node(id).inputs.empty() && !program.views.contains({id, 0});
      EXPECT_EQ(times[static_cast<std::size_t>(id)], computes ? 1 : 0)
          << program.graph.node(id).name.view();
    }
  }
}

TEST(Pipeline, RunsEveryRegionBehindThoseItReads) {
  for (const std::span<const Pass> passes : {inference_passes(), training_passes()}) {
    Program program;
    program.graph = busy_network().graph();
    run_passes(program, wide_machine(), passes);
    std::set<Value> known;
    for (int32_t id = 0; id < program.graph.node_count(); ++id) {
      if (program.graph.node(id).inputs.empty()) known.insert({id, 0});
    }
    for (const Region& region : program.regions) {
      for (Value v : region.inputs) EXPECT_TRUE(known.contains(program.stored(v)));
      known.insert(region.outputs.begin(), region.outputs.end());
    }
  }
}

std::set<std::string_view> parameters_of(const Graph& graph) {
  std::set<std::string_view> names;
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<dsl::ops::Parameter>(node.op)) names.insert(node.name.view());
  }
  return names;
}

TEST(Pipeline, LeavesGoogLeNetsAuxiliaryHeadsToTraining) {
  const Network net = dsl::zoo::googlenet({.height = 64, .width = 64, .channels = 3});
  Program inference, training;
  inference.graph = training.graph = net.graph();
  run_passes(inference, wide_machine(), inference_passes());
  run_passes(training, wide_machine(), training_passes());

  // The network is written up to its scores first; both heads stand behind them.
  const int32_t scores = net.graph().outputs[0].value.node;
  std::set<std::string_view> of_network, of_heads;
  for (int32_t id = 0; id < net.graph().node_count(); ++id) {
    const Node& node = net.graph().node(id);
    if (!std::holds_alternative<dsl::ops::Parameter>(node.op)) continue;
    (id < scores ? of_network : of_heads).insert(node.name.view());
  }
  EXPECT_EQ(of_heads.size(), 2U * 6);  // weight and bias of a convolution and of two dense layers
  EXPECT_EQ(parameters_of(inference.graph), of_network);
  EXPECT_EQ(parameters_of(training.graph), parameters_of(net.graph()));

  ASSERT_EQ(inference.graph.outputs.size(), 1U);
  EXPECT_EQ(inference.graph.outputs[0].name.view(), "scores");
  EXPECT_TRUE(inference.graph.losses.empty());
  std::vector<std::string_view> losses;
  for (const dsl::Loss& loss : training.graph.losses) losses.push_back(loss.name.view());
  EXPECT_EQ(losses, (std::vector<std::string_view>{"loss", "auxiliary_4a", "auxiliary_4d"}));

  // The optimizer moves every parameter, those of the heads too.
  std::set<std::string_view> updated;
  for (const Node& node : training.graph.nodes()) {
    if (!std::holds_alternative<dsl::ops::Update>(node.op)) continue;
    for (std::size_t i = 0; i < node.inputs.size() / 2; ++i) {
      updated.insert(training.graph.node(node.inputs[i]).name.view());
    }
  }
  EXPECT_EQ(updated, parameters_of(net.graph()));
}

}  // namespace
}  // namespace halcyon::compiler
