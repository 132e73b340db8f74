#include "examples/faces/faces.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "runtime/base/error.h"
#include "runtime/data/resize.h"

namespace halcyon::examples {

namespace {

using runtime::Network;
using runtime::Picture;

/// As the network was trained: (value - 127) / 128, red first, one plane behind the other.
std::vector<float> planes_of(const Picture& picture, int64_t height, int64_t width) {
  const std::vector<float> pixels(picture.rgb.begin(), picture.rgb.end());
  const std::vector<float> fitted =
      runtime::resize_bilinear(pixels, {picture.height, picture.width, 3}, height, width);
  const auto count = static_cast<std::size_t>(height * width);
  std::vector<float> planes(3 * count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) planes[c * count + i] = (fitted[3 * i + c] - 127) / 128;
  }
  return planes;
}

/// A table of one row for each box.
struct Rows {
  std::vector<float> values;
  std::size_t columns = 0;

  std::size_t count() const { return values.size() / columns; }
  float at(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

Rows rows_for(const halcyon_tensor_info& output) {
  if (output.rank != 2) throw UserError(std::string("output '") + output.name + "' is no table");
  return {std::vector<float>(static_cast<std::size_t>(output.elements)),
          static_cast<std::size_t>(output.shape[1])};
}

int32_t index_of(const halcyon_network& info, const std::string& name) {
  for (int32_t i = 0; i < info.output_count; ++i) {
    if (info.outputs[i].name == name) return i;
  }
  throw UserError("network '" + std::string(info.name) + "' has no output '" + name + "'",
                  "is it UltraFace?");
}

}  // namespace

float overlap(const Face& a, const Face& b) {
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const auto area = [](const Face& f) { return (f.right - f.left) * (f.bottom - f.top); };
  return width * height / (area(a) + area(b) - width * height);
}

std::vector<Face> suppress(std::vector<Face> faces, float most) {
  std::stable_sort(faces.begin(), faces.end(),
                   [](const Face& a, const Face& b) { return a.score > b.score; });
  std::vector<Face> kept;
  for (const Face& face : faces) {
    const bool is_new = std::ranges::none_of(
        kept, [&](const Face& better) { return overlap(face, better) > most; });
    if (is_new) kept.push_back(face);
  }
  return kept;
}

std::vector<Face> find_faces(Network& network, const Picture& picture, float least_score) {
  const halcyon_network& info = network.info();
  const halcyon_tensor_info& input = info.inputs[0];  // C H W
  const std::vector<float> image = planes_of(picture, input.shape[1], input.shape[2]);
  const int32_t scores_at = index_of(info, "scores"), boxes_at = index_of(info, "boxes");
  Rows scores = rows_for(info.outputs[scores_at]), boxes = rows_for(info.outputs[boxes_at]);
  std::vector<void*> outputs(static_cast<std::size_t>(info.output_count));
  outputs[static_cast<std::size_t>(scores_at)] = scores.values.data();
  outputs[static_cast<std::size_t>(boxes_at)] = boxes.values.data();
  network.reserve_inference(1);
  network.infer(1, std::vector<const void*>{image.data()}, outputs);

  // Scores of nothing and of a face; corners from 0 to 1 across the picture.
  const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
  std::vector<Face> faces;
  for (std::size_t i = 0; i < scores.count(); ++i) {
    if (scores.at(i, 1) < least_score) continue;
    const auto corner = [&](std::size_t column, float extent) {
      return std::clamp(boxes.at(i, column), 0.0f, 1.0f) * extent;
    };
    faces.push_back({.left = corner(0, width),
                     .top = corner(1, height),
                     .right = corner(2, width),
                     .bottom = corner(3, height),
                     .score = scores.at(i, 1)});
  }
  return suppress(std::move(faces), 0.3f);
}

void draw_frames(Picture& picture, const std::vector<Face>& faces) {
  constexpr uint8_t kColour[] = {40, 230, 90};
  const auto dot = [&](int64_t y, int64_t x) {
    if (y < 0 || y >= picture.height || x < 0 || x >= picture.width) return;
    std::copy_n(kColour, 3, picture.rgb.begin() + (y * picture.width + x) * 3);
  };
  const int64_t thickness = std::max<int64_t>(2, picture.width / 200);
  for (const Face& face : faces) {
    const auto left = static_cast<int64_t>(face.left), top = static_cast<int64_t>(face.top);
    const auto right = static_cast<int64_t>(face.right), bottom = static_cast<int64_t>(face.bottom);
    for (int64_t t = 0; t < thickness; ++t) {
      for (int64_t x = left; x < right; ++x) {
        dot(top + t, x);
        dot(bottom - 1 - t, x);
      }
      for (int64_t y = top; y < bottom; ++y) {
        dot(y, left + t);
        dot(y, right - 1 - t);
      }
    }
  }
}

}  // namespace halcyon::examples
