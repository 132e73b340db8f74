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
static_assert(facts_of(zoo::resnet34()).parameters == 21'797'672);
constexpr auto kResNet50 = facts_of(zoo::resnet50());
static_assert(kResNet50.parameters == 25'557'032);
static_assert(kResNet50.macs == 4'089'184'256);
static_assert(facts_of(zoo::resnet101()).parameters == 44'549'160);
static_assert(facts_of(zoo::resnet152()).parameters == 60'192'808);

// The second version has the same convolutions: its batch norms stand in front of them.
static_assert(facts_of(zoo::resnet18_v2()).macs == kResNet18.macs);
static_assert(facts_of(zoo::resnet50_v2()).macs == kResNet50.macs);
static_assert(facts_of(zoo::resnet152_v2()).macs == 11'513'626'624);

// Table 6 of the paper: 0.27 million.
constexpr auto kResNet20 = facts_of<2>(zoo::resnet20(), {"layer1.2.bn2", "layer3.2.bn2"});
static_assert(kResNet20.parameters == 269'722);
static_assert(kResNet20.macs == 40'551'040);
static_assert(kResNet20.shapes[0] == Shape{kBatch, 16, 32, 32});
static_assert(kResNet20.shapes[1] == Shape{kBatch, 64, 8, 8});

}  // namespace
}  // namespace halcyon::dsl
