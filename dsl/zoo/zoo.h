#pragma once
/// The networks that come along, in one list: zoo:NAME is looked up here, and `halcyon zoo` prints
/// it. A new network is a header beside this one and an entry below.

#include <string_view>

#include "dsl/zoo/lenet5.h"

namespace halcyon::dsl::zoo {

struct Entry {
  std::string_view name;
  std::string_view summary;
  Image picture;  ///< what it takes unless told otherwise
  Network (*build)(const Image& picture);
};

// clang-format off
inline constexpr Entry kNetworks[] = {  // by name
    {"lenet5", "LeNet-5 with ReLU and max pooling (LeCun et al. 1998)", {32, 32, 3},
     [](const Image& p) { return lenet5(p.height, p.width, p.channels); }},
};
// clang-format on

}  // namespace halcyon::dsl::zoo
