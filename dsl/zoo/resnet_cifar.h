#pragma once
/// ResNet-20 for the small pictures of CIFAR-10. Layers have the names that its weights have in
/// files from PyTorch, so that such a file fits as it is.
/// Source: He et al. 2015, "Deep residual learning for image recognition", section 4.2: three
/// stages of 2n 3x3 convolutions with 16, 32 and 64 filters, n = 3, and shortcuts without
/// parameters (option A).

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

/// Every second position, and zeros in the channels that are new.
constexpr Tensor shortcut_a(Tensor x, int64_t filters, int64_t stride) {
  if (stride == 1) return x;
  const Shape in = x.shape();
  const int64_t more = filters - in[1];
  return x | slice(2, 0, in[2], {.step = stride}) | slice(3, 0, in[3], {.step = stride}) |
         pad(0, {.channels_begin = more / 2, .channels_end = more - more / 2});
}

/// `name`: "layer1.0", as in a file of PyTorch's.
constexpr Tensor residual_a(Tensor x, const FixedString& name, int64_t filters, int64_t stride) {
  const auto part = [&](std::string_view of) { return dsl::detail::part_name(name, of); };
  Tensor y =
      x | conv(filters, 3, {.stride = stride, .pad = 1, .bias = false, .name = part("conv1")});
  y = y | batch_norm({.name = part("bn1")}) | relu;
  y = y | conv(filters, 3, {.pad = 1, .bias = false, .name = part("conv2")});
  y = y | batch_norm({.name = part("bn2")});
  return add(y, shortcut_a(x, filters, stride)) | relu;
}

}  // namespace detail

constexpr Network resnet20(const Image& picture = {32, 32, 3}, int64_t classes = 10) {
  constexpr int kBlocks = 3;
  Network net("resnet20");
  Tensor x = net.input("image", picture);
  x = x | conv(16, 3, {.pad = 1, .bias = false, .name = "conv1"}) | batch_norm({.name = "bn1"}) |
      relu;
  int64_t filters = 16;
  for (int64_t stage = 1; stage <= 3; ++stage) {
    for (int64_t block = 0; block < kBlocks; ++block) {
      FixedString name = "layer";
      name.append(stage);
      name.append(".");
      name.append(block);
      x = detail::residual_a(x, name, filters, block == 0 && stage > 1 ? 2 : 1);
    }
    filters *= 2;
  }
  x = x | global_average_pool() | flatten | dense(classes, {.name = "linear"});
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace halcyon::dsl::zoo
