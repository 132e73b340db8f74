#include "compiler/schedules/words.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "compiler/passes/passes.h"
#include "compiler/passes/pipeline.h"
#include "dsl/layers.h"

namespace halcyon::compiler {
namespace {

using dsl::conv;

/// A kernel's words by the name of the node that it begins with.
std::map<std::string, std::string> words_of(const dsl::Network& net, bool exact = false) {
  PassContext context;
  context.target = {.features = "", .triple = "", .vector_width = 16, .vector_registers = 32};
  context.exact = exact;
  Program program;
  program.graph = net.graph();
  run_passes(program, context, inference_passes(), nullptr);
  std::map<std::string, std::string> words;
  for (const Region& region : program.regions) {
    const KernelSpec spec = make_kernel_spec(program, region, context.target);
    const std::string first(program.graph.node(region.nodes.front()).name.view());
    words[first] = algorithm_of(spec) + ": " + schedule_in_words(spec);
  }
  return words;
}

TEST(Words, SayWhatAKernelDoes) {
  dsl::Network net("net");
  dsl::Tensor x = net.input("x", {.height = 28, .width = 28, .channels = 16});
  x = x | conv(64, 1) | dsl::relu | conv(64, 3, {.pad = 1}) | conv(64, 3, {.pad = 1, .groups = 64});
  net.output("y", x | dsl::average_pool(28) | dsl::flatten | dsl::dense(10));
  const auto words = words_of(net);
  EXPECT_NE(words.at("conv1").find("direct: 7 outputs of 2 blocks in registers, "),
            std::string::npos)
      << words.at("conv1");
  EXPECT_NE(words.at("conv2").find("Winograd F(4x4, 3x3): "), std::string::npos)
      << words.at("conv2");
  EXPECT_NE(words.at("conv2").find(" of tiles in a chunk"), std::string::npos);
  EXPECT_EQ(words.at("conv3").substr(0, 11), "depthwise: ");
  EXPECT_EQ(words.at("dense1").substr(0, 8), "matrix: ");
  EXPECT_EQ(words_of(net, /*exact=*/true).at("conv2").substr(0, 8), "direct: ");
}

TEST(Words, CountTheMultiplyAddsOfTiles) {
  dsl::Network net("net");
  dsl::Tensor x = net.input("x", {.height = 32, .width = 32, .channels = 3});
  net.output("y", x | conv(32, 1) | conv(32, 3, {.pad = 1}) | dsl::relu);
  PassContext context;
  context.target = {.features = "", .triple = "", .vector_width = 16, .vector_registers = 32};
  Program program;
  program.graph = net.graph();
  run_passes(program, context, inference_passes(), nullptr);
  int64_t found = 0;
  for (const Region& region : program.regions) {
    const KernelSpec spec = make_kernel_spec(program, region, context.target);
    if (!std::holds_alternative<dsl::ops::WinogradConv>(spec.anchor().op)) continue;
    // 64 tiles of 36 products instead of 16 outputs of 9.
    EXPECT_EQ(spec.macs(), int64_t{32} * 32 * 9 * 32 * 32);
    EXPECT_EQ(computed_macs(spec), int64_t{64} * 36 * 32 * 32);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace halcyon::compiler
