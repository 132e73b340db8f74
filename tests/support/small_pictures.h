#pragma once
/// Data for the fake classifier: pictures of 4x3x2 whose class shows in which rows are bright.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/dataset.h"
#include "runtime/random.h"

namespace halcyon::tests {

inline runtime::Dataset small_pictures(int64_t count, uint64_t seed,
                                       const std::string& name = "small") {
  runtime::Random random(seed);
  std::vector<uint8_t> pixels;
  std::vector<int32_t> labels;
  for (int64_t n = 0; n < count; ++n) {
    labels.push_back(static_cast<int32_t>(random.below(3)));
    for (int64_t i = 0; i < 24; ++i) {
      const bool bright = i / 6 == labels.back();  // a row has 3 pixels of 2 channels
      pixels.push_back(static_cast<uint8_t>(random.below(150) + (bright ? 100 : 0)));
    }
  }
  runtime::Dataset data(name, {4, 3, 2}, 3, std::move(pixels), std::move(labels));
  data.set_normalization({{0.4f}, {0.25f}});
  return data;
}

}  // namespace halcyon::tests
