/// Networks of depthwise, grouped and dense blocks, against the tables of their papers.

#include "dsl/zoo/densenet.h"
#include "dsl/zoo/mobilenet.h"
#include "dsl/zoo/shufflenet.h"
#include "dsl/zoo/unet.h"
#include "tests/dsl/zoo_facts.h"

namespace halcyon::dsl {
namespace {

using tests::facts_of;

// Table 8: 4.2 million parameters and 569 million multiply-adds.
constexpr auto kMobileNet = facts_of<1>(zoo::mobilenet_v1(), {"relu27"});
static_assert(kMobileNet.parameters == 4'231'976);
static_assert(kMobileNet.macs == 568'740'352);
static_assert(kMobileNet.shapes[0] == Shape{kBatch, 1024, 7, 7});

// Table 4: 3.4 million parameters and 300 million multiply-adds; the count is torchvision's.
constexpr auto kMobileNetV2 = facts_of<2>(zoo::mobilenet_v2(), {"add8", "pool1"});
static_assert(kMobileNetV2.parameters == 3'504'872);
static_assert(kMobileNetV2.macs == 300'774'272);
static_assert(kMobileNetV2.shapes[0] == Shape{kBatch, 96, 14, 14});
static_assert(kMobileNetV2.shapes[1] == Shape{kBatch, 1280, 1, 1});

// Table 1: 240, 480 and 960 channels; about 140 million multiply-adds.
constexpr auto kShuffleNet = facts_of<3>(zoo::shufflenet(), {"concat1", "concat2", "concat3"});
static_assert(kShuffleNet.parameters == 1'865'728);
static_assert(kShuffleNet.macs == 137'460'672);
static_assert(kShuffleNet.shapes[0] == Shape{kBatch, 240, 28, 28});
static_assert(kShuffleNet.shapes[1] == Shape{kBatch, 480, 14, 14});
static_assert(kShuffleNet.shapes[2] == Shape{kBatch, 960, 7, 7});

// torchvision's densenet121; table 1: 1024 channels at 7x7.
constexpr auto kDenseNet = facts_of<1>(zoo::densenet121(), {"concat58"});
static_assert(kDenseNet.parameters == 7'978'856);
static_assert(kDenseNet.macs == 2'834'161'664);
static_assert(kDenseNet.shapes[0] == Shape{kBatch, 1024, 7, 7});

// Figure 1: 28x28 at the bottom, scores of 388x388; 31 million parameters.
constexpr auto kUNet = facts_of<2>(zoo::unet(), {"conv10", "conv19"});
static_assert(kUNet.parameters == 31'030'658);
static_assert(kUNet.macs == 150'428'424'448);
static_assert(kUNet.shapes[0] == Shape{kBatch, 1024, 28, 28});
static_assert(kUNet.shapes[1] == Shape{kBatch, 2, 388, 388});

}  // namespace
}  // namespace halcyon::dsl
