/// Inception networks, against the tables of their papers.

#include "dsl/zoo/googlenet.h"
#include "dsl/zoo/inception.h"
#include "dsl/zoo/squeezenet.h"
#include "tests/dsl/zoo_facts.h"

namespace halcyon::dsl {
namespace {

using tests::facts_of;

// Table 1: the maps behind each module; with both auxiliary classifiers as published by Caffe.
constexpr auto kGoogLeNet = facts_of<7>(
    zoo::googlenet(),
    {"pool1", "pool2", "3a.concat", "3b.concat", "4a.concat", "4e.concat", "5b.concat"});
static_assert(kGoogLeNet.parameters == 13'378'280);
// About 1.5 billion at inference; the classifiers that only training needs are counted as well.
static_assert(kGoogLeNet.macs == 1'591'044'096);
static_assert(kGoogLeNet.shapes[0] == Shape{kBatch, 64, 56, 56});
static_assert(kGoogLeNet.shapes[1] == Shape{kBatch, 192, 28, 28});
static_assert(kGoogLeNet.shapes[2] == Shape{kBatch, 256, 28, 28});
static_assert(kGoogLeNet.shapes[3] == Shape{kBatch, 480, 28, 28});
static_assert(kGoogLeNet.shapes[4] == Shape{kBatch, 512, 14, 14});
static_assert(kGoogLeNet.shapes[5] == Shape{kBatch, 832, 14, 14});
static_assert(kGoogLeNet.shapes[6] == Shape{kBatch, 1024, 7, 7});

// Figure 5: 256 and 320 channels at 28x28, 576 at 14x14, 1024 at 7x7.
constexpr auto kInceptionV2 =
    facts_of<5>(zoo::inception_v2(), {"concat1", "concat2", "concat3", "concat7", "concat10"});
static_assert(kInceptionV2.parameters == 11'194'984);
static_assert(kInceptionV2.macs == 2'018'851'840);
static_assert(kInceptionV2.shapes[0] == Shape{kBatch, 256, 28, 28});
static_assert(kInceptionV2.shapes[1] == Shape{kBatch, 320, 28, 28});
static_assert(kInceptionV2.shapes[2] == Shape{kBatch, 576, 14, 14});
static_assert(kInceptionV2.shapes[3] == Shape{kBatch, 576, 14, 14});
static_assert(kInceptionV2.shapes[4] == Shape{kBatch, 1024, 7, 7});

// torchvision's inception_v3 with its auxiliary classifier.
constexpr auto kInceptionV3 = facts_of<3>(zoo::inception_v3(), {"concat3", "concat8", "concat15"});
static_assert(kInceptionV3.parameters == 27'161'264);
static_assert(kInceptionV3.macs == 5'718'899'296);
static_assert(kInceptionV3.shapes[0] == Shape{kBatch, 288, 35, 35});
static_assert(kInceptionV3.shapes[1] == Shape{kBatch, 768, 17, 17});
static_assert(kInceptionV3.shapes[2] == Shape{kBatch, 2048, 8, 8});

// Table 1: 1,248,424 parameters; 1.1 as in torchvision.
constexpr auto kSqueezeNet10 = facts_of<2>(zoo::squeezenet1_0(), {"pool3", "concat8"});
static_assert(kSqueezeNet10.parameters == 1'248'424);
static_assert(kSqueezeNet10.macs == 818'924'576);
static_assert(kSqueezeNet10.shapes[0] == Shape{kBatch, 512, 13, 13});
static_assert(kSqueezeNet10.shapes[1] == Shape{kBatch, 512, 13, 13});
constexpr auto kSqueezeNet11 = facts_of<1>(zoo::squeezenet1_1(), {"concat8"});
static_assert(kSqueezeNet11.parameters == 1'235'496);
static_assert(kSqueezeNet11.macs == 349'151'936);
static_assert(kSqueezeNet11.shapes[0] == Shape{kBatch, 512, 13, 13});

}  // namespace
}  // namespace halcyon::dsl
