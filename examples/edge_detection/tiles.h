#pragma once
/// Pictures of any size for a network that takes one size: cut into tiles that overlap by what the
/// network's filters need around each pixel, and put together again from what comes out.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace halcyon::examples {

struct Tiles {
  int64_t height, width;  ///< of the picture
  int64_t side;           ///< of what comes out for one tile
  int64_t border = 1;     ///< what a tile has more on each side

  int64_t rows() const { return (height + side - 1) / side; }
  int64_t columns() const { return (width + side - 1) / side; }
  int64_t count() const { return rows() * columns(); }

  /// Shapes: [height, width, channels] -> [count, side + 2 border, side + 2 border, channels].
  /// Around the picture its outermost pixels are repeated.
  std::vector<float> cut(const std::vector<float>& picture, int64_t channels) const {
    std::vector<float> tiles;
    const int64_t full = side + 2 * border;
    tiles.reserve(static_cast<size_t>(count() * full * full * channels));
    for (int64_t tile = 0; tile < count(); ++tile) {
      for (int64_t v = 0; v < full; ++v) {
        const int64_t y = std::clamp(tile / columns() * side + v - border, int64_t{0}, height - 1);
        for (int64_t u = 0; u < full; ++u) {
          const int64_t x = std::clamp(tile % columns() * side + u - border, int64_t{0}, width - 1);
          const auto pixel = picture.begin() + (y * width + x) * channels;
          tiles.insert(tiles.end(), pixel, pixel + channels);
        }
      }
    }
    return tiles;
  }

  /// Shapes: [count, side, side] -> [height, width].
  std::vector<float> join(const std::vector<float>& tiles) const {
    std::vector<float> map(static_cast<size_t>(height * width));
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const int64_t tile = y / side * columns() + x / side;
        map[static_cast<size_t>(y * width + x)] =
            tiles[static_cast<size_t>((tile * side + y % side) * side + x % side)];
      }
    }
    return map;
  }
};

}  // namespace halcyon::examples
