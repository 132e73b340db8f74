#include "runtime/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace halcyon::runtime {
namespace {

/// The old pixels that one new pixel is made of, along one axis.
struct Mix {
  int64_t first = 0;
  std::vector<float> weights;  ///< sum to 1
};

std::vector<Mix> mixes(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(step, 1.0);
  std::vector<Mix> list(static_cast<std::size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    Mix& mix = list[static_cast<std::size_t>(i)];
    const double centre = (static_cast<double>(i) + 0.5) * step - 0.5;  // in old pixels
    mix.first = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(centre - reach)));
    const int64_t last = std::min(from - 1, static_cast<int64_t>(std::floor(centre + reach)));
    double sum = 0;
    for (int64_t x = mix.first; x <= last; ++x) {
      const double weight = std::max(0.0, 1 - std::abs(static_cast<double>(x) - centre) / reach);
      mix.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : mix.weights) weight = static_cast<float>(weight / sum);
  }
  return list;
}

/// [outer, old, inner] -> [outer, new, inner]
std::vector<float> resize_axis(std::span<const float> pixels, int64_t outer, int64_t from,
                               int64_t to, int64_t inner) {
  const std::vector<Mix> list = mixes(from, to);
  std::vector<float> result(static_cast<std::size_t>(outer * to * inner));
  float* out = result.data();
  for (int64_t o = 0; o < outer; ++o) {
    for (const Mix& mix : list) {
      const float* in = pixels.data() + (o * from + mix.first) * inner;
      for (const float weight : mix.weights) {
        for (int64_t i = 0; i < inner; ++i) out[i] += weight * in[i];
        in += inner;
      }
      out += inner;
    }
  }
  return result;
}

}  // namespace

std::vector<float> resize_bilinear(std::span<const float> pixels, const PictureShape& shape,
                                   int64_t height, int64_t width) {
  const std::vector<float> rows =
      resize_axis(pixels, 1, shape.height, height, shape.width * shape.channels);
  return resize_axis(rows, height, shape.width, width, shape.channels);
}

}  // namespace halcyon::runtime
