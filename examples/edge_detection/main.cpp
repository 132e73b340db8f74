/// Finds the edges in a picture of any size with the network of edges.cpp:
///
///   edge_detection                       draws a picture itself: picture.png
///   edge_detection photo.png [FOLDER]    takes the user's
///
/// and writes sobel.png and scharr.png, as large as the picture.

#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "edges.h"  // generated: edges_network()
#include "examples/edge_detection/tiles.h"
#include "runtime/base/error.h"
#include "runtime/data/font.h"
#include "runtime/data/picture.h"
#include "runtime/network.h"

using halcyon::examples::Tiles;
using halcyon::runtime::Network;
using halcyon::runtime::Picture;

namespace {

/// What lies behind the letters: a sky that grows darker, a sun and a pattern of tiles.
uint8_t ground(int64_t y, int64_t x) {
  const double sun = std::hypot(static_cast<double>(x) - 300, static_cast<double>(y) - 70);
  if (sun < 48) return static_cast<uint8_t>(250 - sun);
  if (y > 160) return (x / 20 + y / 20) % 2 == 0 ? 70 : 105;
  return static_cast<uint8_t>(190 - y / 2);
}

Picture draw_picture() {
  using namespace halcyon::runtime;
  Picture picture{.height = 240, .width = 380, .rgb = {}};
  StrokeCanvas letters(picture.height, picture.width);
  draw_text(letters, "EDGES", {24, 44}, 60, 5);
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x) {
      const float ink = letters.coverage()[static_cast<size_t>(y * picture.width + x)];
      const float behind = ground(y, x);
      // Red, green and blue differ: the network makes them grey.
      for (float share : {1.0f, 0.95f, 0.8f}) {
        picture.rgb.push_back(static_cast<uint8_t>(behind * share * (1 - ink) + 30 * ink));
      }
    }
  }
  return picture;
}

Picture read_png(const std::string& path) {
  constexpr int64_t kMostPixels = 1 << 26;
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto refuse = [&](const std::string& why) -> void {
    png_image_free(&image);
    throw halcyon::UserError("cannot read picture '" + path + "': " + why);
  };
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) refuse(image.message);
  image.format = PNG_FORMAT_RGB;
  Picture picture{.height = image.height, .width = image.width, .rgb = {}};
  if (picture.height * picture.width > kMostPixels) {
    refuse("it has " + std::to_string(picture.height) + " x " + std::to_string(picture.width) +
           " pixels, more than " + std::to_string(kMostPixels));
  }
  picture.rgb.resize(PNG_IMAGE_SIZE(image));
  const png_color behind_transparent = {255, 255, 255};
  if (png_image_finish_read(&image, &behind_transparent, picture.rgb.data(), 0, nullptr) == 0) {
    refuse(image.message);
  }
  return picture;
}

/// `brightest`: the value that is shown as white.
void write_map(const std::string& path, const Tiles& tiles, const std::vector<float>& strength,
               float brightest) {
  Picture map{.height = tiles.height, .width = tiles.width, .rgb = {}};
  for (float value : tiles.join(strength)) {
    const float grey = 255 * std::min(value / brightest, 1.0f);
    map.rgb.insert(map.rgb.end(), 3, static_cast<uint8_t>(std::lround(grey)));
  }
  write_png(path, map);
  std::printf("wrote %s\n", path.c_str());
}

void find_edges(const Picture& picture, const std::string& folder) {
  Network network(*edges_network());
  network.initialize(/*seed=*/0);  // the weights that edges.cpp gives
  const halcyon_tensor_info& output = network.info().outputs[0];
  const Tiles tiles{.height = picture.height,
                    .width = picture.width,
                    .side = static_cast<int64_t>(std::sqrt(output.elements))};

  std::vector<float> brightness(picture.rgb.size());
  std::transform(picture.rgb.begin(), picture.rgb.end(), brightness.begin(),
                 [](uint8_t value) { return static_cast<float>(value) / 255; });
  const std::vector<float> cut = tiles.cut(brightness, 3);
  std::vector<float> sobel(static_cast<size_t>(tiles.count() * output.elements));
  std::vector<float> scharr(sobel.size());

  // As many tiles at once as keep the workspace small.
  const int64_t most = std::min<int64_t>(tiles.count(), 64);
  network.reserve_inference(most);
  for (int64_t first = 0; first < tiles.count(); first += most) {
    const void* const inputs[] = {cut.data() + first * network.info().inputs[0].elements};
    void* const outputs[] = {sobel.data() + first * output.elements,
                             scharr.data() + first * output.elements};
    network.infer(std::min(most, tiles.count() - first), inputs, outputs);
  }

  // A step from black to white along one axis has the weights of one side of the filter together;
  // a third of it is shown as white already.
  write_map(folder + "/sobel.png", tiles, sobel, (1 + 2 + 1) / 3.0f);
  write_map(folder + "/scharr.png", tiles, scharr, (3 + 10 + 3) / 3.0f);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 3) {
    std::fprintf(stderr, "usage: edge_detection [PICTURE.png [FOLDER]]\n");
    return 2;
  }
  const std::string folder = argc > 2 ? argv[2] : ".";
  if (argc > 1) {
    find_edges(read_png(argv[1]), folder);
    return 0;
  }
  const Picture picture = draw_picture();
  write_png(folder + "/picture.png", picture);
  std::printf("drew %s/picture.png\n", folder.c_str());
  find_edges(picture, folder);
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
