/// Networks that are one chain, against the tables of their papers.

#include "dsl/zoo/alexnet.h"
#include "dsl/zoo/nin.h"
#include "dsl/zoo/series.h"
#include "dsl/zoo/tiny_yolo.h"
#include "dsl/zoo/vgg.h"
#include "dsl/zoo/voxnet.h"
#include "dsl/zoo/zfnet.h"
#include "tests/dsl/zoo_facts.h"

namespace halcyon::dsl {
namespace {

using tests::facts_of;

// Figure 2: maps of 55, 27 and 13; 61 million parameters.
constexpr auto kAlexNet = facts_of<4>(zoo::alexnet(), {"conv1", "conv2", "conv5", "pool3"});
static_assert(kAlexNet.parameters == 60'965'224);
static_assert(kAlexNet.macs == 724'406'816);
static_assert(kAlexNet.shapes[0] == Shape{kBatch, 96, 55, 55});
static_assert(kAlexNet.shapes[1] == Shape{kBatch, 256, 27, 27});
static_assert(kAlexNet.shapes[2] == Shape{kBatch, 256, 13, 13});
static_assert(kAlexNet.shapes[3] == Shape{kBatch, 256, 6, 6});

// Figure 3: maps of 110, 55, 26 and 13.
constexpr auto kZfNet = facts_of<4>(zoo::zfnet(), {"conv1", "pool1", "conv2", "pool2"});
static_assert(kZfNet.parameters == 62'357'608);
static_assert(kZfNet.macs == 1'168'032'896);
static_assert(kZfNet.shapes[0] == Shape{kBatch, 96, 110, 110});
static_assert(kZfNet.shapes[1] == Shape{kBatch, 96, 55, 55});
static_assert(kZfNet.shapes[2] == Shape{kBatch, 256, 26, 26});
static_assert(kZfNet.shapes[3] == Shape{kBatch, 256, 13, 13});

// The authors' configuration for CIFAR-10: 966,986 values.
constexpr auto kNin = facts_of<2>(zoo::nin(), {"pool1", "conv9"});
static_assert(kNin.parameters == 966'986);
static_assert(kNin.macs == 222'486'528);
static_assert(kNin.shapes[0] == Shape{kBatch, 96, 16, 16});
static_assert(kNin.shapes[1] == Shape{kBatch, 10, 8, 8});

// Table 2: 138 and 144 million parameters.
constexpr auto kVgg16 = facts_of<1>(zoo::vgg16(), {"pool5"});
static_assert(kVgg16.parameters == 138'357'544);
static_assert(kVgg16.macs == 15'470'264'320);
static_assert(kVgg16.shapes[0] == Shape{kBatch, 512, 7, 7});
constexpr auto kVgg19 = facts_of<2>(zoo::vgg19(), {"pool3", "pool5"});
static_assert(kVgg19.parameters == 143'667'240);
static_assert(kVgg19.macs == 19'632'062'464);
static_assert(kVgg19.shapes[0] == Shape{kBatch, 256, 28, 28});
static_assert(kVgg19.shapes[1] == Shape{kBatch, 512, 7, 7});

// The published weights hold 15,867,885 numbers; two of each of 3,056 channels are running
// statistics.
constexpr auto kTinyYolo = facts_of<2>(zoo::tiny_yolo_v2(), {"pool6", "conv9"});
static_assert(kTinyYolo.parameters == 15'867'885 - 2 * 3'056);
// Darknet counts 6.97 billion operations, two for each multiply-add.
static_assert(kTinyYolo.macs == 3'485'520'896);
static_assert(kTinyYolo.shapes[0] == Shape{kBatch, 512, 13, 13});
static_assert(kTinyYolo.shapes[1] == Shape{kBatch, 125, 13, 13});

// Section IV: 921,736 parameters.
constexpr auto kVoxNet = facts_of<2>(zoo::voxnet(), {"conv1", "pool1"});
static_assert(kVoxNet.parameters == 921'736);
// 14^3 * 32 * 125 + 12^3 * 32 * 32 * 27 + 6912 * 128 + 128 * 40
static_assert(kVoxNet.macs == 10'976'000 + 47'775'744 + 884'736 + 5'120);
static_assert(kVoxNet.shapes[0] == Shape{kBatch, 32, 14, 14, 14});
static_assert(kVoxNet.shapes[1] == Shape{kBatch, 32, 6, 6, 6});

// 128*8 + 256*128*5 + 128*256*3 weights, a bias, scale and shift less a bias per channel, and 5
// classes.
constexpr auto kSeries = facts_of<1>(zoo::series_fcn(), {"conv3"});
static_assert(kSeries.parameters == 1'024 + 163'840 + 98'304 + 2 * 512 + 128 * 5 + 5);
// 140 positions, and the dense layer.
static_assert(kSeries.macs == 140 * (1'024 + 163'840 + 98'304) + 640);
static_assert(kSeries.shapes[0] == Shape{kBatch, 128, 140});

}  // namespace
}  // namespace halcyon::dsl
