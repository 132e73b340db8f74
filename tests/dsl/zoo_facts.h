#pragma once
/// What the tables check of each network: built once, for a large one takes a second.

#include <array>
#include <string_view>

#include "dsl/network.h"

namespace halcyon::dsl::tests {

/// Learned values, multiply-adds per sample, and the shapes of the layers asked for.
template <std::size_t kLayers = 0>
struct Facts {
  int64_t parameters = 0;
  int64_t macs = 0;
  std::array<Shape, kLayers> shapes = {};
};

template <std::size_t kLayers = 0>
constexpr Facts<kLayers> facts_of(const Network& net,
                                  const std::array<std::string_view, kLayers>& layers = {}) {
  Facts<kLayers> facts{net.parameter_count(), net.macs()};
  for (std::size_t i = 0; i < kLayers; ++i) facts.shapes[i] = net.shape(layers[i]);
  return facts;
}

}  // namespace halcyon::dsl::tests
