/// A network of ResNet-152's size in a constant expression, on every supported compiler.
/// Source: He et al. 2015, "Deep residual learning for image recognition", table 1; the stride is
/// in the 3x3.

#include "dsl/layers.h"

namespace halcyon::dsl {
namespace {

constexpr Tensor bottleneck(Tensor x, int64_t width, int64_t stride) {
  Tensor y = x | conv(width, 1) | relu | conv(width, 3, {.stride = stride, .pad = 1}) | relu |
             conv(4 * width, 1);
  if (x.channels() != 4 * width) x = x | conv(4 * width, 1, {.stride = stride});
  return add(x, y) | relu;
}

constexpr Network resnet152() {
  Network net("resnet152");
  Tensor x = net.input("image", {.height = 224, .width = 224, .channels = 3});
  x = x | conv(64, 7, {.stride = 2, .pad = 3}) | relu | max_pool(3, {.stride = 2, .pad = 1});
  constexpr int64_t kBlocks[] = {3, 8, 36, 3};
  int64_t width = 64;
  for (int64_t blocks : kBlocks) {
    for (int64_t block = 0; block < blocks; ++block) {
      x = bottleneck(x, width, block == 0 && width > 64 ? 2 : 1);
    }
    width *= 2;
  }
  x = x | average_pool(7) | flatten | dense(1000);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

struct Facts {
  int64_t parameters;
  Shape after_stem;
  Shape last_map;
};

// Evaluated once: the network takes a second to build.
constexpr Facts kFacts = [] {
  const Network net = resnet152();
  return Facts{net.parameter_count(), net.shape("pool1"), net.shape("relu151")};
}();

// torchvision's resnet152 has 60,192,808 values: a scale and a shift for each of 75,712 channels
// where this one has a bias.
static_assert(kFacts.parameters == 60'192'808 - 75'712);
static_assert(kFacts.after_stem == Shape{kBatch, 64, 56, 56});
static_assert(kFacts.last_map == Shape{kBatch, 2048, 7, 7});

}  // namespace
}  // namespace halcyon::dsl
