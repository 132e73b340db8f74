/// Compiled networks of random layers and shapes, where values are read several times and by
/// everything. A failure prints the seed.

#include <gtest/gtest.h>

#include <random>

#include "dsl/layers.h"
#include "tests/support/expect_like_reference.h"

namespace halcyon::compiler {
namespace {

using dsl::Network;
using dsl::Spatial;
using dsl::Tensor;

constexpr uint64_t kSeeds = 4;
constexpr int kLayers = 6;

class RandomNetwork {
 public:
  explicit RandomNetwork(uint64_t seed) : random_(seed) {
    rank_ = static_cast<int>(roll(1, 3));
    Shape shape = {roll(1, 6)};
    for (int axis = 0; axis < rank_; ++axis) shape.push_back(roll(4, rank_ == 3 ? 5 : 9));
    maps_ = {net_.input("x", shape)};
    // A parameter in front of everything: gradients flow to the first layer.
    maps_.push_back(maps_[0] | dsl::conv(roll(1, 20), 1));
    for (int layer = 0; layer < kLayers; ++layer) add_layer();
    finish();
  }

  const dsl::Graph& graph() const { return net_.graph(); }

 private:
  int64_t roll(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  Tensor pick() {
    return maps_[static_cast<std::size_t>(roll(0, static_cast<int64_t>(maps_.size()) - 1))];
  }

  /// One number for each axis; `most` is also bounded by the map.
  Spatial window(Tensor x, int64_t most) {
    Spatial s;
    for (s.rank = 0; s.rank < rank_; ++s.rank)
      s[s.rank] = roll(1, std::min(most, x.shape().spatial(s.rank)));
    return s;
  }
  Spatial numbers(int64_t least, int64_t most) {
    Spatial s;
    for (s.rank = 0; s.rank < rank_; ++s.rank) s[s.rank] = roll(least, most);
    return s;
  }
  /// At most what a window of `kernel` can reach over the border.
  Spatial padding(const Spatial& kernel, const Spatial& dilation) {
    Spatial s;
    for (s.rank = 0; s.rank < rank_; ++s.rank)
      s[s.rank] = roll(0, dilation[s.rank] * (kernel[s.rank] - 1));
    return s;
  }

  Tensor random_conv(Tensor x) {
    const Spatial kernel = window(x, 3);
    Spatial dilation = numbers(1, 2);
    for (int axis = 0; axis < rank_; ++axis) {
      if (2 * kernel[axis] > x.shape().spatial(axis)) dilation[axis] = 1;
    }
    int64_t groups = roll(1, 3);
    if (x.channels() % groups != 0) groups = 1;
    if (roll(0, 5) == 0) groups = x.channels();
    return x | dsl::conv(groups * roll(1, groups > 3 ? 2 : 9), kernel,
                         {.stride = numbers(1, 3),
                          .pad = dsl::Padding(numbers(0, 2), numbers(0, 2)),
                          .dilation = dilation,
                          .groups = groups,
                          .bias = roll(0, 3) > 0});
  }

  Tensor random_conv_transpose(Tensor x) {
    const int64_t groups = x.channels() % 2 == 0 ? roll(1, 2) : 1;
    return x |
           dsl::conv_transpose(groups * roll(1, 9), numbers(1, 3),
                               {.stride = numbers(1, 2), .groups = groups}) |
           dsl::slice(2, 0, x.shape()[2]);
  }

  Tensor random_movement(Tensor x) {
    switch (roll(0, 4)) {
      case 0:
        return x | dsl::pad({numbers(0, 2), numbers(0, 2)}, {.mode = dsl::ops::PadMode::edge});
      case 1: return x | dsl::slice(1, roll(0, x.channels() - 1), x.channels());
      case 2:
        return x | dsl::resize(numbers(2, 7), {.interpolation = dsl::ops::Interpolation::linear});
      case 3:
        return x | dsl::slice(2, 0, std::min<int64_t>(3, x.shape()[2]), {.step = 2}) |
               dsl::upsample(numbers(1, 2));
      default: return dsl::concat({x, x | dsl::slice(2, 0, 1)}, 2);
    }
  }

  Tensor random_function(Tensor x) {
    Spatial whole;
    for (; whole.rank < rank_; ++whole.rank) whole[whole.rank] = x.shape().spatial(whole.rank);
    switch (roll(0, 5)) {
      case 0: return x | dsl::sigmoid;
      case 1: return x | dsl::prelu({.per_channel = roll(0, 1) == 0});
      case 2: return x | dsl::scale_shift() | dsl::tanh;
      case 3: return x * (x | dsl::average_pool(whole) | dsl::sigmoid);
      case 4: return x * (x | dsl::conv(1, 1) | dsl::sigmoid);
      default: return x | dsl::relu;
    }
  }

  void add_layer() {
    Tensor x = pick();
    const Spatial kernel = window(x, 3);
    const dsl::Padding pad(padding(kernel, 1), padding(kernel, 1));
    const bool ceil = roll(0, 1) == 0;
    switch (roll(0, 9)) {
      case 0:
        maps_.push_back(x |
                        dsl::max_pool(kernel, {.stride = numbers(1, 3), .pad = pad, .ceil = ceil}));
        break;
      case 1:
        maps_.push_back(x | dsl::average_pool(kernel, {.stride = numbers(1, 3),
                                                       .pad = pad,
                                                       .ceil = ceil,
                                                       .count_padding = roll(0, 1) == 0}));
        break;
      case 2: maps_.push_back(random_function(x)); break;
      case 3: maps_.push_back(join(x, pick())); break;
      case 4: maps_.push_back(x | dsl::max_pool(window(x, 2))); break;
      case 5: maps_.push_back(random_movement(x)); break;
      case 6: maps_.push_back(random_conv_transpose(x)); break;
      default: maps_.push_back(random_conv(x)); break;
    }
  }

  Tensor join(Tensor a, Tensor b) {
    if (a.shape() == b.shape()) return dsl::add(a, b);
    for (int axis = 2; axis < a.shape().rank; ++axis) {
      if (a.shape()[axis] != b.shape()[axis]) return a | dsl::relu;
    }
    return dsl::concat({a, b});
  }

  /// Every map takes part in the loss, some behind a dense layer.
  void finish() {
    std::vector<Tensor> flat;
    for (std::size_t i = 1; i < maps_.size(); ++i) {
      Tensor x = maps_[i] | dsl::flatten;
      if (roll(0, 2) == 0) x = x | dsl::dense(roll(1, 20));
      if (roll(0, 3) == 0) x = x | dsl::relu;
      flat.push_back(x);
    }
    net_.output("map", pick());
    tests::finish_with_mean_square(net_, dsl::concat(flat) | dsl::dense(roll(1, 20)));
  }

  std::mt19937_64 random_;
  Network net_{"random"};
  int rank_ = 2;
  std::vector<Tensor> maps_;
};

TEST(RandomKernels, AgreeWithTheReference) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const RandomNetwork network(seed);
    tests::expect_like_reference(network.graph(),
                                 {.batch = 1 + static_cast<int64_t>(seed % 4), .seed = seed});
  }
}

}  // namespace
}  // namespace halcyon::compiler
