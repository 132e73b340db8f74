#include "compiler/passes/verify_program.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/graph/verify.h"
#include "compiler/passes/pipeline.h"
#include "dsl/zoo/lenet5.h"
#include "tests/passes/graph_text.h"

namespace halcyon::compiler {
namespace {

using tests::find;
using tests::wide_machine;

Program lenet5(std::span<const Pass> passes) {
  Program program;
  program.graph = dsl::zoo::lenet5().graph();
  run_passes(program, wide_machine(), passes);
  return program;
}

class VerifyProgram : public testing::Test {
 protected:
  Value value(const char* name) const { return find(program.graph, name); }
  Place& place(const char* name) { return program.memory.places.at(value(name)); }
  Region& region(const char* name) {
    const int32_t id = value(name).node;
    return *std::find_if(program.regions.begin(), program.regions.end(), [&](const Region& r) {
      return std::find(r.nodes.begin(), r.nodes.end(), id) != r.nodes.end();
    });
  }
  void expect_fault(std::string_view part) const {
    try {
      verify_program(program);
      FAIL() << "legal, expected: " << part;
    } catch (const InternalError& error) {
      const std::string text = error.what();
      EXPECT_TRUE(text.starts_with("illegal program: ")) << text;
      EXPECT_NE(text.find(part), text.npos) << text;
    }
  }

  /// conv1 pool1 relu1, conv2 pool2 relu2, (flatten1,) dense1 relu3, dense2 relu4, dense3, softmax1
  Program program = lenet5(inference_passes());
};

TEST_F(VerifyProgram, AcceptsLenet5) {
  EXPECT_NO_THROW(verify_program(program));
  EXPECT_NO_THROW(verify(program.graph, Stage::inference));
  const Program training = lenet5(training_passes());
  EXPECT_NO_THROW(verify_program(training));
  EXPECT_NO_THROW(verify(training.graph, Stage::training));
}

TEST_F(VerifyProgram, SkipsWhatIsNotDecided) {
  program.memory = {};
  EXPECT_NO_THROW(verify_program(program));
  program.layouts.clear();
  program.weights.clear();
  EXPECT_NO_THROW(verify_program(program));
  program.regions.clear();
  EXPECT_NO_THROW(verify_program(program));
}

TEST_F(VerifyProgram, WantsEveryNodeInOneRegion) {
  region("softmax1").nodes.clear();
  region("dense3").outputs.clear();
  expect_fault("belongs to no region");
}

TEST_F(VerifyProgram, FindsANodeInTwoRegions) {
  region("softmax1").nodes.insert(region("softmax1").nodes.begin(), value("dense3").node);
  expect_fault("belongs to two regions");
}

TEST_F(VerifyProgram, FindsAViewInARegion) {
  region("conv2").nodes.push_back(value("flatten1").node);
  expect_fault("computes nothing and belongs to a region");
}

TEST_F(VerifyProgram, FindsANodeThatDoesNotExist) {
  region("conv2").nodes.push_back(99);
  expect_fault("%99: a region has it, the graph not");
}

TEST_F(VerifyProgram, WantsNodesInGraphOrder) {
  std::vector<int32_t>& nodes = region("conv1").nodes;
  std::reverse(nodes.begin(), nodes.end());
  expect_fault("its region is not in graph order");
}

TEST_F(VerifyProgram, WantsRegionsBehindThoseTheyRead) {
  std::swap(program.regions[0], program.regions[1]);
  expect_fault("is read by a region that does not run behind the one that computes it");
}

TEST_F(VerifyProgram, SeesOrderThroughViews) {
  std::swap(region("conv2"), region("dense1"));
  expect_fault("flatten 'flatten1'");
}

TEST_F(VerifyProgram, WantsAllInputsOfARegion) {
  std::erase(region("conv1").inputs, value("conv1.bias"));
  expect_fault("which its region does not list as input");
}

TEST_F(VerifyProgram, WantsAllOutputsOfARegion) {
  region("conv1").outputs.clear();
  expect_fault("is read outside its region, which does not list it as output");
}

TEST_F(VerifyProgram, WantsResultsAmongTheOutputs) {
  region("softmax1").outputs.clear();
  expect_fault("softmax 'softmax1'");
}

TEST_F(VerifyProgram, WantsOutputsThatTheRegionComputes) {
  region("conv1").outputs.push_back(value("dense3"));
  expect_fault("is listed as output of a region that does not compute it");
}

TEST_F(VerifyProgram, WantsALayoutOfEveryValueWithABatch) {
  program.layouts.erase(value("relu1"));
  expect_fault("has no layout");
}

TEST_F(VerifyProgram, WantsALayoutOfEveryWeight) {
  program.weights.erase(value("dense2.bias"));
  expect_fault("has no weight layout");
}

TEST_F(VerifyProgram, WantsGradientsInTheLayoutOfTheirParameters) {
  program = lenet5(training_passes());
  program.weights.at(value("dense1.weight")).filter_block *= 2;
  expect_fault("has another layout than parameter 'dense1.weight'");
}

TEST_F(VerifyProgram, WantsAPlaceForEveryValue) {
  program.memory.places.erase(value("relu1"));
  expect_fault("has no place");
}

TEST_F(VerifyProgram, WantsViewsWhereTheirBytesAre) {
  place("flatten1").offset_bytes += 64;
  expect_fault("is a view and lies elsewhere than what it shows");
}

TEST_F(VerifyProgram, WantsPlacesThatAreLargeEnough) {
  place("relu1").size_bytes -= 4;
  expect_fault("bytes, needs ");
}

TEST_F(VerifyProgram, WantsAlignedPlaces) {
  place("conv2.weight").offset_bytes += 4;
  expect_fault("which is not aligned to 64");
}

TEST_F(VerifyProgram, WantsAlignedPartsOfTheWorkspace) {
  program.memory.fixed_bytes += 4;
  expect_fault("which is no multiple of 64");
  program = lenet5(inference_passes());
  program.memory.per_sample_bytes += 60;
  expect_fault("which is no multiple of 64");
}

TEST_F(VerifyProgram, WantsPlacesInsideTheirBlock) {
  program.memory.per_sample_bytes = 64;
  expect_fault("outside its block of 64");
  program = lenet5(inference_passes());
  program.memory.parameter_bytes -= 64;
  expect_fault("outside its block of ");
  program = lenet5(inference_passes());
  place("conv1.weight").offset_bytes = -64;
  expect_fault("lies at -64");
}

TEST_F(VerifyProgram, WantsValuesApartThatLiveAtOnce) {
  place("relu4").offset_bytes = place("relu3").offset_bytes;
  expect_fault("while both are alive");
}

TEST_F(VerifyProgram, WantsParametersApart) {
  place("conv2.bias").offset_bytes = place("conv1.weight").offset_bytes;
  expect_fault("shares memory with parameter 'conv1.weight'");
}

TEST_F(VerifyProgram, WantsGradientsToLieAsTheirParameters) {
  program = lenet5(training_passes());
  std::swap(place("conv1.bias").offset_bytes, place("dense2.bias").offset_bytes);
  expect_fault("whose gradient it is");
}

bool never_rests(Program&, const PassContext&) { return true; }

TEST(Pipeline, NamesThePassThatNeverComesToRest) {
  Program program;
  program.graph = dsl::zoo::lenet5().graph();
  const Pass pass = {"circle", never_rests, Run::until_stable, "nothing"};
  try {
    run_passes(program, wide_machine(), {&pass, 1});
    FAIL() << "came to rest";
  } catch (const InternalError& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with("pass circle still changes the graph"))
        << error.what();
  }
}

}  // namespace
}  // namespace halcyon::compiler
