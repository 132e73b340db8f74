#include "runtime/data/picture.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

#include "runtime/base/error.h"
#include "runtime/data/font.h"
#include "runtime/data/strokes.h"
#include "runtime/file.h"

namespace halcyon::runtime {
namespace {

using Rgb = std::array<float, 3>;  // 0 to 255

constexpr Rgb kGround = {22, 24, 29}, kCard = {38, 41, 49}, kTrack = {58, 62, 72},
              kText = {222, 226, 233};
constexpr Rgb kQuiet = {142, 149, 162}, kRight = {92, 205, 134}, kWrong = {246, 104, 104},
              kUnknown = {120, 170, 235};

// Of a card.   Units: pixels
constexpr int64_t kMargin = 18, kGap = 12, kPadding = 8, kTitleHeight = 52, kTextHeight = 46;
constexpr int64_t kLongestSide = 104;  // the enlarged picture fits a square of this side

void paint(Picture& picture, int64_t y, int64_t x, const Rgb& colour, float share) {
  if (share <= 0 || y < 0 || x < 0 || y >= picture.height || x >= picture.width) return;
  uint8_t* at = picture.rgb.data() + 3 * (y * picture.width + x);
  for (size_t c = 0; c < 3; ++c)
    at[c] = static_cast<uint8_t>(
        std::lround(at[c] + (colour[c] - static_cast<float>(at[c])) * std::min(share, 1.0f)));
}

/// How much of the pixel (x, y) a rectangle with rounded corners covers.
float rounded_share(float x, float y, float left, float top, float width, float height,
                    float radius) {
  const float dx = std::abs(x + 0.5f - left - width / 2) - (width / 2 - radius);
  const float dy = std::abs(y + 0.5f - top - height / 2) - (height / 2 - radius);
  const float outside =
      std::hypot(std::max(dx, 0.0f), std::max(dy, 0.0f)) + std::min(std::max(dx, dy), 0.0f);
  return std::clamp(radius - outside + 0.5f, 0.0f, 1.0f);
}

void fill_rounded(Picture& picture, float left, float top, float width, float height, float radius,
                  const Rgb& colour) {
  for (auto y = static_cast<int64_t>(top); static_cast<float>(y) < top + height; ++y)
    for (auto x = static_cast<int64_t>(left); static_cast<float>(x) < left + width; ++x)
      paint(picture, y, x, colour,
            rounded_share(static_cast<float>(x), static_cast<float>(y), left, top, width, height,
                          radius));
}

/// Writes text between x and x + room, its letters standing on `foot`: smaller where it would be
/// too long, down to 9 pixels, and cut after that.
void write_text(Picture& picture, const std::string& text, float x, float foot, float height,
                float radius, const Rgb& colour, float room) {
  constexpr float kSmallest = 9;
  std::string shown = text;
  const float fitting = height * std::min(1.0f, room / std::max(text_width(text, height), 1.0f));
  const float shrunk = std::min(height, std::max(fitting, kSmallest));
  radius *= std::sqrt(shrunk / height);
  height = shrunk;
  const float y = foot - height;
  while (shown.size() > 1 && text_width(shown, height) > room + 0.5f) shown.pop_back();
  // A canvas just large enough; `border` leaves room for the pen and for feet below the line.
  const float border = 4;
  const auto left = static_cast<int64_t>(x - border), top = static_cast<int64_t>(y - border);
  StrokeCanvas canvas(static_cast<int64_t>(height + 3 * border),
                      static_cast<int64_t>(text_width(shown, height) + 3 * border));
  draw_text(canvas, shown, {x - static_cast<float>(left), y - static_cast<float>(top)}, height,
            radius);
  for (int64_t v = 0; v < canvas.height(); ++v)
    for (int64_t u = 0; u < canvas.width(); ++u)
      paint(picture, top + v, left + u, colour,
            canvas.coverage()[static_cast<size_t>(v * canvas.width() + u)]);
}

/// The weights of the four pixels around a place `t` past the second (Catmull-Rom: smooth and
/// sharp).
std::array<float, 4> cubic_weights(float t) {
  return {0.5f * t * (-1 + t * (2 - t)), 0.5f * (2 + t * t * (3 * t - 5)),
          0.5f * t * (1 + t * (4 - 3 * t)), 0.5f * t * t * (t - 1)};
}

/// Draws `pixels` enlarged into the rectangle at (left, top), corners rounded.
void enlarge(Picture& picture, const PictureShape& shape, std::span<const uint8_t> pixels,
             int64_t left, int64_t top, int64_t width, int64_t height) {
  const auto clamped = [](int64_t i, int64_t end) { return std::clamp<int64_t>(i, 0, end - 1); };
  for (int64_t y = 0; y < height; ++y) {
    const float v = (static_cast<float>(y) + 0.5f) * static_cast<float>(shape.height) /
                        static_cast<float>(height) -
                    0.5f;
    const auto v0 = static_cast<int64_t>(std::floor(v));
    const std::array<float, 4> wy = cubic_weights(v - static_cast<float>(v0));
    for (int64_t x = 0; x < width; ++x) {
      const float u = (static_cast<float>(x) + 0.5f) * static_cast<float>(shape.width) /
                          static_cast<float>(width) -
                      0.5f;
      const auto u0 = static_cast<int64_t>(std::floor(u));
      const std::array<float, 4> wx = cubic_weights(u - static_cast<float>(u0));
      Rgb sum{};
      for (int64_t j = 0; j < 4; ++j)
        for (int64_t i = 0; i < 4; ++i) {
          const int64_t at =
              (clamped(v0 - 1 + j, shape.height) * shape.width + clamped(u0 - 1 + i, shape.width)) *
              shape.channels;
          const float weight = wy[static_cast<size_t>(j)] * wx[static_cast<size_t>(i)];
          for (size_t c = 0; c < 3; ++c)
            sum[c] += weight * static_cast<float>(
                                   pixels[static_cast<size_t>(at) + (shape.channels == 3 ? c : 0)]);
        }
      for (float& value : sum) value = std::clamp(value, 0.0f, 255.0f);
      paint(picture, top + y, left + x, sum,
            rounded_share(static_cast<float>(x), static_cast<float>(y), 0, 0,
                          static_cast<float>(width), static_cast<float>(height), 5));
    }
  }
}

std::string class_text(int64_t index, const SheetOptions& options) {
  if (index < 0) return "?";
  if (static_cast<size_t>(index) < options.class_names.size())
    return options.class_names[static_cast<size_t>(index)];
  return std::to_string(index);
}

void draw_card(Picture& sheet, const PictureShape& shape, const ClassifiedPicture& entry,
               const SheetOptions& options, int64_t left, int64_t top, int64_t picture_width,
               int64_t picture_height) {
  const int64_t card_width = picture_width + 2 * kPadding;
  fill_rounded(sheet, static_cast<float>(left), static_cast<float>(top),
               static_cast<float>(card_width),
               static_cast<float>(picture_height + 2 * kPadding + kTextHeight), 9, kCard);
  enlarge(sheet, shape, entry.pixels, left + kPadding, top + kPadding, picture_width,
          picture_height);

  const bool known = entry.truth >= 0, right = known && entry.truth == entry.predicted;
  const Rgb colour = !known ? kUnknown : right ? kRight : kWrong;
  const auto x = static_cast<float>(left + kPadding) + 2;
  const float y = static_cast<float>(top + kPadding + picture_height) + 12;
  const float room = static_cast<float>(picture_width) - 4;
  const float confidence =
      std::isfinite(entry.confidence) ? std::clamp(entry.confidence, 0.0f, 1.0f) : 0.0f;

  // The answer in large letters; at the right the true class if it was another, otherwise the
  // confidence.
  char percent[16];
  std::snprintf(percent, sizeof percent, confidence < 0.9995f ? "%.1f%%" : "%.0f%%",
                100.0 * confidence);
  const std::string aside = known && !right ? "true " + class_text(entry.truth, options) : percent;
  constexpr float kLarge = 18, kSmall = 9;
  const float aside_width = std::min(text_width(aside, kSmall), room * 0.55f);
  write_text(sheet, class_text(entry.predicted, options), x, y + kLarge, kLarge, 1.5f, colour,
             room - aside_width - 8);
  write_text(sheet, aside, x + room - aside_width, y + kLarge, kSmall, 0.75f,
             known && !right ? kText : kQuiet, aside_width + 1);

  const float bar_y = y + kLarge + 9, bar_height = 4;
  fill_rounded(sheet, x, bar_y, room, bar_height, bar_height / 2, kTrack);
  if (confidence > 0)
    fill_rounded(sheet, x, bar_y, std::max(bar_height, room * confidence), bar_height,
                 bar_height / 2, colour);
}

}  // namespace

void write_png(const std::string& path, const PictureShape& shape,
               std::span<const uint8_t> pixels) {
  const auto fits = [](int64_t extent) { return extent >= 1 && extent <= (1 << 16); };
  if (!fits(shape.height) || !fits(shape.width) || (shape.channels != 1 && shape.channels != 3) ||
      pixels.size() != static_cast<size_t>(shape.elements()))
    throw UserError("picture for '" + path + "': " + to_text(shape) + " with " +
                    std::to_string(pixels.size()) +
                    " bytes, expected extents of 1 to 65536, 1 or 3 channels, a byte for each");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(shape.width);
  image.height = static_cast<png_uint_32>(shape.height);
  image.format = shape.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> file(bytes);
  if (png_image_write_to_memory(&image, file.data(), &bytes, 0, pixels.data(), 0, nullptr) == 0)
    throw SystemError("cannot encode '" + path + "' as png: " + image.message);
  file.resize(bytes);
  write_file_atomically(path, file);
}

void write_png(const std::string& path, const Picture& picture) {
  write_png(path, {picture.height, picture.width, 3}, picture.rgb);
}

Picture contact_sheet(const PictureShape& shape, std::span<const ClassifiedPicture> pictures,
                      const SheetOptions& options) {
  constexpr size_t kMost = 4096;
  if (pictures.empty() || pictures.size() > kMost)
    throw UserError("contact sheet: " + std::to_string(pictures.size()) + " pictures, 1 to " +
                    std::to_string(kMost) + " are possible");
  if ((shape.channels != 1 && shape.channels != 3) || shape.height < 1 || shape.width < 1)
    throw UserError("contact sheet: pictures of " + to_text(shape) +
                    ", they must have 1 or 3 channels");
  for (const ClassifiedPicture& entry : pictures)
    if (entry.pixels.size() != static_cast<size_t>(shape.elements()))
      throw UserError("contact sheet: a picture of " + std::to_string(entry.pixels.size()) +
                      " bytes, expected " + to_text(shape));

  const auto longest = static_cast<double>(std::max(shape.height, shape.width));
  const auto fit = [&](int64_t extent) {
    return std::max<int64_t>(8, std::llround(static_cast<double>(extent) * kLongestSide / longest));
  };
  // The text needs some width, however tall the picture is.
  const int64_t picture_width = std::max<int64_t>(fit(shape.width), 64),
                picture_height = fit(shape.height);
  const int64_t card_width = picture_width + 2 * kPadding,
                card_height = picture_height + 2 * kPadding + kTextHeight;
  const auto count = static_cast<int64_t>(pictures.size());
  int64_t columns = options.columns;
  if (columns < 1)
    columns = std::llround(std::sqrt(static_cast<double>(count * card_height) * 4 /
                                     static_cast<double>(3 * card_width)));
  columns = std::clamp<int64_t>(columns, 1, std::min<int64_t>(count, 256));
  const int64_t rows = (count + columns - 1) / columns;
  const int64_t head = options.title.empty() ? 0 : kTitleHeight - kMargin;

  Picture sheet;
  sheet.width = 2 * kMargin + columns * card_width + (columns - 1) * kGap;
  sheet.height = 2 * kMargin + head + rows * card_height + (rows - 1) * kGap;
  sheet.rgb.resize(static_cast<size_t>(3 * sheet.width * sheet.height));
  for (size_t i = 0; i < sheet.rgb.size(); ++i) sheet.rgb[i] = static_cast<uint8_t>(kGround[i % 3]);
  if (!options.title.empty())
    write_text(sheet, options.title, kMargin + 2, kMargin + 13, 13, 1.1f, kText,
               static_cast<float>(sheet.width - 2 * kMargin));
  for (int64_t i = 0; i < count; ++i)
    draw_card(sheet, shape, pictures[static_cast<size_t>(i)], options,
              kMargin + i % columns * (card_width + kGap),
              kMargin + head + i / columns * (card_height + kGap), picture_width, picture_height);
  return sheet;
}

}  // namespace halcyon::runtime
