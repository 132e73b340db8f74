#pragma once
/// Residual networks of 18 to 152 layers, and their second version with activations in front.
/// Source: He et al. 2015, "Deep residual learning for image recognition", table 1; He et al. 2016,
/// "Identity mappings in deep residual networks", figure 4e.

#include <array>

#include "dsl/blocks.h"

namespace halcyon::dsl::zoo {

namespace detail {

struct ResNet {
  std::string_view name;
  std::array<int, 4> blocks;  ///< in each stage
  bool bottlenecks;
  bool second_version;
};

constexpr Network resnet(const ResNet& form, const Image& picture, int64_t classes) {
  Network net(form.name);
  Tensor x = net.input("image", picture);
  if (form.second_version) {
    x = x | conv(64, 7, {.stride = 2, .pad = 3, .bias = false});
  } else {
    x = x | conv_bn_relu(64, 7, {.stride = 2, .pad = 3});
  }
  x = x | max_pool(3, {.stride = 2, .pad = 1});
  int64_t width = 64;
  for (int blocks : form.blocks) {
    for (int block = 0; block < blocks; ++block) {
      const int64_t stride = block == 0 && width > 64 ? 2 : 1;
      x = form.second_version ? x | preactivated(width, form.bottlenecks, stride)
          : form.bottlenecks  ? x | bottleneck(width, stride)
                              : x | residual(width, stride);
    }
    width *= 2;
  }
  if (form.second_version) x = x | batch_norm() | relu;
  x = x | global_average_pool() | flatten | dense(classes);
  net.output("scores", x | softmax);
  net.loss("loss", softmax_cross_entropy(x, net.labels("label")));
  return net;
}

}  // namespace detail

#define HALCYON_RESNET(function, ...)                                                        \
  constexpr Network function(const Image& picture = {224, 224, 3}, int64_t classes = 1000) { \
    return detail::resnet({#function, __VA_ARGS__}, picture, classes);                       \
  }

HALCYON_RESNET(resnet18, {2, 2, 2, 2}, false, false)
HALCYON_RESNET(resnet34, {3, 4, 6, 3}, false, false)
HALCYON_RESNET(resnet50, {3, 4, 6, 3}, true, false)
HALCYON_RESNET(resnet101, {3, 4, 23, 3}, true, false)
HALCYON_RESNET(resnet152, {3, 8, 36, 3}, true, false)
HALCYON_RESNET(resnet18_v2, {2, 2, 2, 2}, false, true)
HALCYON_RESNET(resnet34_v2, {3, 4, 6, 3}, false, true)
HALCYON_RESNET(resnet50_v2, {3, 4, 6, 3}, true, true)
HALCYON_RESNET(resnet101_v2, {3, 4, 23, 3}, true, true)
HALCYON_RESNET(resnet152_v2, {3, 8, 36, 3}, true, true)

#undef HALCYON_RESNET

}  // namespace halcyon::dsl::zoo
