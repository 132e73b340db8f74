#include "compiler/driver/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "dsl/blocks.h"
#include "dsl/zoo/googlenet.h"

namespace halcyon::compiler {
namespace {

using dsl::dense;
using dsl::max_pool;
using dsl::Network;
using dsl::Tensor;

const Target kWide = parse_target("x86-64-linux-avx512_skylake-avx512-avx-avx2-f16c-fma-sse41");

/// A classifier with a second head that only training needs.
Network small_network() {
  Network net("small");
  Tensor x = net.input("image", {.height = 6, .width = 6, .channels = 3});
  x = x | dsl::conv_relu(4, 3) | max_pool(2) | dsl::flatten;
  const Tensor label = net.labels("label");
  const Tensor scores = x | dense(2);
  net.output("scores", scores | dsl::softmax);
  net.loss("loss", dsl::softmax_cross_entropy(scores, label));
  net.loss("second", dsl::softmax_cross_entropy(x | dense(2, {.name = "second_head"}), label));
  return net;
}

TEST(Summary, ListsTheLayersThatInferenceNeeds) {
  const Summary s = summarize(small_network().graph(), kWide);
  std::string names;
  for (const LayerFacts& layer : s.layers) names += layer.name + " ";
  EXPECT_EQ(names, "image conv1 relu1 pool1 flatten1 dense1 softmax1 ");
  EXPECT_EQ(s.layers[1].parameters, 4 * 27 + 4);
  EXPECT_EQ(s.layers[1].macs, 4 * 4 * 4 * 27);
  EXPECT_EQ(s.layers[1].shape, (Shape{kBatch, 4, 4, 4}));
  EXPECT_EQ(s.parameters, 112 + 16 * 2 + 2);
  EXPECT_EQ(s.macs, 1728 + 32);
}

TEST(Summary, ListsTheFusedRegions) {
  const Summary s = summarize(small_network().graph(), kWide);
  ASSERT_EQ(s.regions.size(), 3U);
  EXPECT_EQ(s.regions[0].nodes, (std::vector<std::string>{"conv1", "pool1", "relu1"}));
  EXPECT_EQ(s.regions[0].outputs, std::vector<std::string>{"f32[N,4,2,2] block 4"});
  EXPECT_EQ(s.regions[0].macs, 1728);
}

TEST(Summary, SaysTheWorkspaceAndTheLeastThatItCouldBe) {
  const Summary s = summarize(small_network().graph(), kWide);
  EXPECT_GE(s.per_sample_bytes, s.per_sample_lower_bound_bytes);
  EXPECT_GE(s.per_sample_lower_bound_bytes, 16 * 4);
  EXPECT_GT(s.parameter_bytes, s.parameters * 4);
}

TEST(Summary, CountsNoRunningStatistics) {
  Network net("normed");
  const Tensor x = net.input("x", {.height = 3, .width = 3, .channels = 2});
  net.output("y", x | dsl::conv_bn_relu(5, 3));
  const Summary s = summarize(net.graph(), kWide);
  EXPECT_EQ(s.parameters, 5 * 18 + 2 * 5);
}

TEST(Summary, IsATable) {
  const std::string text = to_text(summarize(small_network().graph(), kWide));
  EXPECT_NE(text.find("layer     operator  shape      kB  parameters  multiply-adds\n"
                      "image     input     [N,3,6,6]   1\n"
                      "conv1     conv      [N,4,4,4]   1         112          1,728\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("\ntotal                                     146          1,760\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("\nconv1+pool1+relu1          1,728  f32[N,4,2,2] block 4\n"), text.npos)
      << text;
  EXPECT_NE(text.find("made for vectors of 16 and 512 kB of cache beside each core\n"), text.npos)
      << text;
}

TEST(Summary, KeepsApartWhatShallNotBeFused) {
  Network net("stem");
  const Tensor x = net.input("x", {.height = 9, .width = 9, .channels = 2});
  net.output("y", x | dsl::conv(5, 3) | max_pool(3, {.stride = 2}));
  EXPECT_EQ(summarize(net.graph(), kWide).regions.front().nodes.size(), 2U);
  EXPECT_EQ(summarize(net.graph(), kWide, {.pool = Fusing::never}).regions.front().nodes.size(),
            1U);
}

/// Layers that have no loop nest of their own where they are fused.
bool is_small(std::string_view name) {
  name.remove_prefix(name.rfind('.') + 1);  // of the module, or nothing
  for (std::string_view begin : {"relu", "bias", "concat", "dropout", "flatten", "copy", "slice"}) {
    if (name.starts_with(begin)) return true;
  }
  return false;
}

TEST(Summary, GoogLeNetsSmallLayersAndSiblingsShareTheLoopsOfOthers) {
  const Summary s = summarize(dsl::zoo::googlenet().graph(), kWide);
  std::set<std::string> merged;
  for (const RegionFacts& region : s.regions) {
    const std::set<std::string> nodes(region.nodes.begin(), region.nodes.end());
    EXPECT_FALSE(std::ranges::all_of(nodes, is_small)) << *nodes.begin() << " stands alone";
    for (const std::string& name : nodes) {
      const std::string module = name.substr(0, name.find('.'));
      // One convolution has the names of all that it was merged from.
      if (name == module + ".reduce3x3+" + module + ".reduce5x5+" + module + ".conv1x1")
        merged.insert(module);
    }
  }
  EXPECT_EQ(merged, (std::set<std::string>{"3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"}));
}

TEST(Summary, IsJson) {
  const nlohmann::json json = to_json(summarize(small_network().graph(), kWide));
  EXPECT_EQ(json.at("network"), "small");
  EXPECT_EQ(json.at("layers").at(1).at("shape"), nlohmann::json({4, 4, 4}));
  EXPECT_EQ(json.at("kernels").at(0).at("nodes").size(), 3U);
  EXPECT_EQ(json.at("macs"), 1760);
  EXPECT_EQ(json.at("l2_bytes"), kUsualL2Bytes);
}

}  // namespace
}  // namespace halcyon::compiler
