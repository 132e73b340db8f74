#include "runtime/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "runtime/base/error.h"

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
void resize_axis(const float* in, int64_t outer, int64_t from, int64_t to, int64_t inner,
                 float* out) {
  const std::vector<Mix> list = mixes(from, to);
  for (int64_t o = 0; o < outer; ++o) {
    for (const Mix& mix : list) {
      const float* row = in + (o * from + mix.first) * inner;
      for (const float weight : mix.weights) {
        for (int64_t i = 0; i < inner; ++i) out[i] += weight * row[i];
        row += inner;
      }
      out += inner;
    }
  }
}

}  // namespace

Tensor resize_bilinear(const Tensor& pictures, int64_t height, int64_t width) {
  const Shape& shape = pictures.shape();
  if (pictures.dtype() != DType::f32 || shape.rank != 4 || pictures.elements() == 0 || height < 1 ||
      width < 1) {
    throw UserError("resize " + to_string(pictures) + " to " + std::to_string(height) + "x" +
                    std::to_string(width) + ": pictures are f32 [N,H,W,C], no extent is 0");
  }
  const int64_t batch = shape[0], channels = shape[3];
  Tensor rows({batch, height, shape[2], channels});
  resize_axis(pictures.floats().data(), batch, shape[1], height, shape[2] * channels,
              rows.floats().data());
  Tensor result({batch, height, width, channels});
  resize_axis(rows.floats().data(), batch * height, shape[2], width, channels,
              result.floats().data());
  return result;
}

}  // namespace halcyon::runtime
