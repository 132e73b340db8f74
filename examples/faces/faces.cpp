#include "examples/faces/faces.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/error.h"
#include "runtime/data/read_picture.h"
#include "runtime/data/resize.h"

namespace halcyon::examples {

namespace {

using runtime::Network;
using runtime::Picture;
using runtime::Tensor;

/// As the network was trained: (value - 127) / 128, red first, one plane behind the other.
Tensor planes_of(const Picture& picture, int64_t height, int64_t width) {
  const Tensor pixels =
      runtime::resize_bilinear(runtime::to_tensor(picture, {.scale = 1}), height, width);
  Tensor planes({1, 3, height, width});
  const auto count = static_cast<std::size_t>(height * width);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      planes.floats()[c * count + i] = (pixels.floats()[3 * i + c] - 127) / 128;
    }
  }
  return planes;
}

/// The output `name`, a row for each place where a face may be: [1,rows,columns].
std::span<const float> rows_of(const halcyon_network& info, const std::vector<Tensor>& outputs,
                               std::string_view name, int64_t columns) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Shape& shape = outputs[i].shape();
    if (info.outputs[i].name == name && shape.rank == 3 && shape[2] == columns) {
      return outputs[i].floats();
    }
  }
  throw UserError("network '" + std::string(info.name) + "' has no output '" + std::string(name) +
                      "' with rows of " + std::to_string(columns),
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
  const Tensor image = planes_of(picture, input.shape[1], input.shape[2]);
  const std::vector<Tensor> outputs = network.infer(std::span(&image, 1));
  // Scores of nothing and of a face; corners from 0 to 1 across the picture.
  const std::span<const float> scores = rows_of(info, outputs, "scores", 2);
  const std::span<const float> boxes = rows_of(info, outputs, "boxes", 4);
  const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
  std::vector<Face> faces;
  for (std::size_t row = 0; row < scores.size() / 2; ++row) {
    const float score = scores[2 * row + 1];
    if (score < least_score) continue;
    const auto corner = [&](std::size_t column, float extent) {
      return std::clamp(boxes[4 * row + column], 0.0f, 1.0f) * extent;
    };
    faces.push_back({.left = corner(0, width),
                     .top = corner(1, height),
                     .right = corner(2, width),
                     .bottom = corner(3, height),
                     .score = score});
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
