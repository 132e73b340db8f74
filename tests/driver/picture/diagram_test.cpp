#include "compiler/driver/picture/diagram.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/driver/picture/describe.h"
#include "tests/driver/picture/networks.h"

namespace halcyon::compiler {
namespace {

using tests::planned;
using tests::small_network;

const Box& box_of(const Diagram& diagram, const std::string& name) {
  const auto found = std::find_if(diagram.boxes.begin(), diagram.boxes.end(),
                                  [&](const Box& box) { return box.name == name; });
  if (found == diagram.boxes.end()) throw InternalError("no box is named " + name);
  return *found;
}

std::string fact(const std::vector<Fact>& facts, const std::string& name) {
  for (const Fact& f : facts) {
    if (f.name == name) return f.value;
  }
  return "(none)";
}

TEST(Diagram, HasABoxForEachNodeButParametersAndForEachResult) {
  const Diagram diagram = diagram_of(small_network().graph(), false);
  std::string names;
  for (const Box& box : diagram.boxes) names += box.name + " ";
  EXPECT_EQ(names,
            "image conv1 relu1 conv2 add1 pool1 flatten1 dense1 softmax1 label "
            "softmax_cross_entropy1 scores loss ");
  EXPECT_TRUE(diagram.groups.empty());
}

TEST(Diagram, SaysWhatANodeReadsAndCosts) {
  const Diagram diagram = diagram_of(small_network().graph(), false);
  const Box& conv = box_of(diagram, "conv1");
  EXPECT_EQ(conv.brief, "conv 3x3, 4");
  EXPECT_EQ(conv.kind, Kind::convolution);
  EXPECT_EQ(fact(conv.facts, "parameters"), "112");
  EXPECT_EQ(fact(conv.facts, "multiply-adds"), "3,888");
  EXPECT_EQ(fact(conv.facts, "pad_begin"), "[1,1]");
  EXPECT_EQ(fact(conv.facts, "output"), "[N,4,6,6]");
  EXPECT_EQ(fact(conv.facts, "reads parameters"), "conv1.weight [4,3,3,3]\nconv1.bias [4]");
}

TEST(Diagram, MarksWhatOnlyTrainingNeeds) {
  for (const bool train : {false, true}) {
    const Diagram diagram = diagram_of(small_network().graph(), train);
    for (const char* name : {"label", "softmax_cross_entropy1", "loss"})
      EXPECT_EQ(box_of(diagram, name).training_only, !train) << name;
    for (const char* name : {"image", "dense1", "scores"})
      EXPECT_FALSE(box_of(diagram, name).training_only) << name;
  }
}

TEST(Diagram, GroupsTheNodesOfARegionAndSaysTheirKernel) {
  const Program program = planned(small_network().graph(), false);
  const Diagram diagram = diagram_of(program, tests::wide_context().target);
  ASSERT_EQ(diagram.groups.size(), program.regions.size());
  const Box& sum = box_of(diagram, "add1");
  ASSERT_GE(sum.group, 0);
  EXPECT_EQ(sum.group, box_of(diagram, "conv2").group);
  EXPECT_LT(box_of(diagram, "flatten1").group, 0);
  const Group& group = diagram.groups[static_cast<std::size_t>(sum.group)];
  EXPECT_EQ(fact(group.facts, "kernel"), "conv2+add1+pool1");
  EXPECT_NE(fact(group.facts, "choice").find("tile_x="), std::string::npos);
  EXPECT_NE(fact(box_of(diagram, "relu1").facts, "output").find("workspace + N * "),
            std::string::npos);
  EXPECT_NE(fact(box_of(diagram, "conv2").facts, "output").find("never stored"), std::string::npos);
}

TEST(Diagram, DrawsTheTrainingStep) {
  const Diagram diagram =
      diagram_of(planned(small_network().graph(), true), tests::wide_context().target);
  EXPECT_EQ(box_of(diagram, "update").kind, Kind::gradient);
}

TEST(Describe, LayoutsInFewWords) {
  Layout layout;
  layout.shape = {kBatch, 32, 8, 8};
  EXPECT_EQ(short_text(layout), "NCHW");
  layout.block = 16;
  layout.before = {1, 1};
  layout.after = {1, 1};
  EXPECT_EQ(short_text(layout), "NCHW16c halo 1");
  layout.after = {2, 0};
  EXPECT_EQ(short_text(layout), "NCHW16c halo 1+2x0");
  layout = {.shape = {kBatch, 3, 8, 8}, .dtype = DType::u8, .block = 3};
  EXPECT_EQ(short_text(layout), "u8 NHWC");
}

TEST(Describe, EveryOperatorHasAKind) {
  const auto check = []<class... T>(const std::variant<T...>*) {
    for (const Op& op : {Op(T{})...}) EXPECT_NE(kind_of(op), Kind::other) << dsl::name_of(op);
  };
  check(static_cast<const Op*>(nullptr));
}

}  // namespace
}  // namespace halcyon::compiler
