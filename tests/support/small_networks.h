#pragma once
/// The networks of the zoo on pictures that tests have the time for.

#include <stdexcept>
#include <string>
#include <string_view>

#include "dsl/zoo/zoo.h"

namespace halcyon::tests {

/// As small as the network's strides allow: the reference takes its time.
inline dsl::Network small_network(std::string_view name) {
  using dsl::Image;
  namespace zoo = dsl::zoo;
  if (name == "unet") return zoo::unet({188, 188, 1}, 2, 4);
  Image picture = {64, 64, 3};
  if (name == "alexnet") picture = {67, 67, 3};
  if (name == "inception_v3") picture = {75, 75, 3};
  for (std::string_view deep : {"vgg16", "vgg19", "nin", "resnet101", "resnet152", "resnet101_v2",
                                "resnet152_v2", "lenet5", "resnet20"}) {
    if (name == deep) picture = {32, 32, 3};
  }
  for (const zoo::Entry& entry : zoo::kNetworks) {
    if (entry.name == name) return entry.build(picture);
  }
  throw std::out_of_range(std::string(name));
}

}  // namespace halcyon::tests
