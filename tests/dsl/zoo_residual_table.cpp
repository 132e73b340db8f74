/// Residual networks up to 152 layers, against torchvision's counts and table 1.

#include "dsl/zoo/resnet.h"
#include "dsl/zoo/resnet_cifar.h"
#include "tests/dsl/zoo_facts.h"

namespace halcyon::dsl {
namespace {

using tests::facts_of;

constexpr auto kResNet18 = facts_of<2>(zoo::resnet18(), {"pool1", "relu17"});
static_assert(kResNet18.parameters == 11'689'512);
static_assert(kResNet18.macs == 1'814'073'344);
static_assert(kResNet18.shapes[0] == Shape{kBatch, 64, 56, 56});
static_assert(kResNet18.shapes[1] == Shape{kBatch, 512, 7, 7});

// Table 1: 56, 28, 14 and 7 positions a side; 3.6, 3.8, 7.6 and 11.3 billion multiply-adds, where
// the first convolution of a stage's first bottleneck takes the steps of two. Here, as in
// torchvision, its 3x3 does, which costs 0.2 more.
constexpr auto kResNet34 = facts_of<4>(zoo::resnet34(), {"add3", "add7", "add13", "add16"});
static_assert(kResNet34.parameters == 21'797'672);
static_assert(kResNet34.macs == 3'663'761'408);
static_assert(kResNet34.shapes[0] == Shape{kBatch, 64, 56, 56});
static_assert(kResNet34.shapes[1] == Shape{kBatch, 128, 28, 28});
static_assert(kResNet34.shapes[2] == Shape{kBatch, 256, 14, 14});
static_assert(kResNet34.shapes[3] == Shape{kBatch, 512, 7, 7});
constexpr auto kResNet50 = facts_of<4>(zoo::resnet50(), {"add3", "add7", "add13", "add16"});
static_assert(kResNet50.parameters == 25'557'032);
static_assert(kResNet50.macs == 4'089'184'256);
static_assert(kResNet50.shapes[0] == Shape{kBatch, 256, 56, 56});
static_assert(kResNet50.shapes[1] == Shape{kBatch, 512, 28, 28});
static_assert(kResNet50.shapes[2] == Shape{kBatch, 1024, 14, 14});
static_assert(kResNet50.shapes[3] == Shape{kBatch, 2048, 7, 7});
constexpr auto kResNet101 = facts_of<2>(zoo::resnet101(), {"add30", "add33"});
static_assert(kResNet101.parameters == 44'549'160);
static_assert(kResNet101.macs == 7'801'405'440);
static_assert(kResNet101.shapes[0] == Shape{kBatch, 1024, 14, 14});
static_assert(kResNet101.shapes[1] == Shape{kBatch, 2048, 7, 7});
constexpr auto kResNet152 = facts_of<2>(zoo::resnet152(), {"add47", "add50"});
static_assert(kResNet152.parameters == 60'192'808);
static_assert(kResNet152.macs == 11'513'626'624);
static_assert(kResNet152.shapes[0] == Shape{kBatch, 1024, 14, 14});
static_assert(kResNet152.shapes[1] == Shape{kBatch, 2048, 7, 7});

// The second version has the same convolutions, with batch norms in front of them; those of the
// shortcuts, two numbers a channel, are gone.
constexpr auto kResNet18v2 = facts_of<1>(zoo::resnet18_v2(), {"add8"});
static_assert(kResNet18v2.parameters == kResNet18.parameters - 2 * (128 + 256 + 512));
static_assert(kResNet18v2.macs == kResNet18.macs);
static_assert(kResNet18v2.shapes[0] == Shape{kBatch, 512, 7, 7});
constexpr auto kResNet34v2 = facts_of<1>(zoo::resnet34_v2(), {"add16"});
static_assert(kResNet34v2.parameters == kResNet34.parameters - 2 * (128 + 256 + 512));
static_assert(kResNet34v2.macs == kResNet34.macs);
static_assert(kResNet34v2.shapes[0] == Shape{kBatch, 512, 7, 7});
constexpr auto kResNet50v2 = facts_of<1>(zoo::resnet50_v2(), {"add16"});
static_assert(kResNet50v2.parameters == kResNet50.parameters - 2 * (256 + 512 + 1024 + 2048));
static_assert(kResNet50v2.macs == kResNet50.macs);
static_assert(kResNet50v2.shapes[0] == Shape{kBatch, 2048, 7, 7});
constexpr auto kResNet101v2 = facts_of<1>(zoo::resnet101_v2(), {"add33"});
static_assert(kResNet101v2.parameters == kResNet101.parameters - 2 * (256 + 512 + 1024 + 2048));
static_assert(kResNet101v2.macs == kResNet101.macs);
static_assert(kResNet101v2.shapes[0] == Shape{kBatch, 2048, 7, 7});
constexpr auto kResNet152v2 = facts_of<1>(zoo::resnet152_v2(), {"add50"});
static_assert(kResNet152v2.parameters == kResNet152.parameters - 2 * (256 + 512 + 1024 + 2048));
static_assert(kResNet152v2.macs == kResNet152.macs);
static_assert(kResNet152v2.shapes[0] == Shape{kBatch, 2048, 7, 7});

// Table 6 of the paper: 0.27 million.
constexpr auto kResNet20 = facts_of<2>(zoo::resnet20(), {"layer1.2.bn2", "layer3.2.bn2"});
static_assert(kResNet20.parameters == 269'722);
static_assert(kResNet20.macs == 40'551'040);
static_assert(kResNet20.shapes[0] == Shape{kBatch, 16, 32, 32});
static_assert(kResNet20.shapes[1] == Shape{kBatch, 64, 8, 8});

}  // namespace
}  // namespace halcyon::dsl
