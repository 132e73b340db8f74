/// The table of LeNet-5, line by line, checked by the C++ compiler itself.

#include "dsl/layers.h"
#include "dsl/zoo/lenet5.h"

namespace halcyon::dsl {
namespace {

constexpr Network net() { return zoo::lenet5(); }

static_assert(net().shape("image") == Shape{kBatch, 3, 32, 32});
static_assert(net().parameters("image") == 0);
static_assert(net().shape("conv1") == Shape{kBatch, 8, 28, 28});
static_assert(net().parameters("conv1") == 608);
static_assert(net().shape("pool1") == Shape{kBatch, 8, 14, 14});
static_assert(net().parameters("pool1") == 0);
static_assert(net().shape("conv2") == Shape{kBatch, 16, 10, 10});
static_assert(net().parameters("conv2") == 3216);
static_assert(net().shape("pool2") == Shape{kBatch, 16, 5, 5});
static_assert(net().parameters("pool2") == 0);
static_assert(net().shape("dense1") == Shape{kBatch, 120});
static_assert(net().parameters("dense1") == 48120);
static_assert(net().shape("dense2") == Shape{kBatch, 84});
static_assert(net().parameters("dense2") == 10164);
static_assert(net().shape("dense3") == Shape{kBatch, 10});
static_assert(net().parameters("dense3") == 850);
static_assert(net().shape("softmax1") == Shape{kBatch, 10});
static_assert(net().parameter_count() == 62958);

// Multiply-adds: 28*28*8*75 + 10*10*16*200 + 400*120 + 120*84 + 84*10.
static_assert(net().macs() == 470400 + 320000 + 48000 + 10080 + 840);

constexpr Network grey() { return zoo::lenet5(28, 28, 1, 10); }

static_assert(grey().shape("image") == Shape{kBatch, 1, 28, 28});
static_assert(grey().shape("conv1") == Shape{kBatch, 8, 24, 24});
static_assert(grey().shape("pool1") == Shape{kBatch, 8, 12, 12});
static_assert(grey().shape("conv2") == Shape{kBatch, 16, 8, 8});
static_assert(grey().shape("pool2") == Shape{kBatch, 16, 4, 4});
static_assert(grey().parameter_count() == 208 + 3216 + 30840 + 10164 + 850);

constexpr Network letters() { return zoo::lenet5(32, 32, 3, 26); }

static_assert(letters().shape("dense3") == Shape{kBatch, 26});

}  // namespace
}  // namespace halcyon::dsl
