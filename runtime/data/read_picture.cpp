#include "runtime/data/read_picture.h"

#include <png.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::runtime {
namespace {

/// Frees what libpng holds, however the reading ends.
struct PngImage : png_image {
  PngImage() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(this); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

Picture decode_png(std::span<const std::byte> bytes, const std::string& source) {
  PngImage image;
  const auto fail = [&] {
    throw UserError("picture '" + source + "' is no complete PNG file: " + image.message);
  };
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) fail();
  detail::check_picture_extents(image.height, image.width, source);
  // Without the flag, 16 bits without a gamma would count as linear light and come out brighter.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  image.format = PNG_FORMAT_RGBA;  // asked for RGB, libpng would mix in a background
  std::vector<uint8_t> rgba(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, rgba.data(), 0, nullptr) == 0) fail();
  Picture picture{image.height, image.width, std::vector<uint8_t>(rgba.size() / 4 * 3)};
  for (std::size_t pixel = 0; pixel < rgba.size() / 4; ++pixel)
    std::copy_n(&rgba[4 * pixel], 3, &picture.rgb[3 * pixel]);
  return picture;
}

}  // namespace

void detail::check_picture_extents(int64_t height, int64_t width, const std::string& source) {
  if (height >= 1 && width >= 1 && height <= kMaxPictureSide && width <= kMaxPictureSide &&
      height * width <= kMaxPicturePixels)
    return;
  throw UserError("picture '" + source + "' has " + std::to_string(height) + "x" +
                  std::to_string(width) + " pixels, read are 1 to " +
                  std::to_string(kMaxPictureSide) + " a side and at most " +
                  std::to_string(kMaxPicturePixels) + " in all");
}

bool is_picture_name(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

Picture decode_picture(std::span<const std::byte> bytes, const std::string& source) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, source);
  if (text.starts_with("\xff\xd8\xff")) return detail::decode_jpeg(bytes, source);
  throw UserError("picture '" + source + "' begins neither as a PNG nor as a JPEG file");
}

Tensor to_tensor(const Picture& picture, const PixelForm& form) {
  if (form.channels != 1 && form.channels != 3) {
    throw UserError("pixels of " + std::to_string(form.channels) +
                    " channels: a picture has 1 or 3");
  }
  Tensor tensor({1, picture.height, picture.width, form.channels});
  if (picture.rgb.size() != static_cast<std::size_t>(tensor.elements() / form.channels * 3)) {
    throw UserError("a picture of " + std::to_string(picture.height) + "x" +
                    std::to_string(picture.width) + " pixels has " +
                    std::to_string(picture.rgb.size()) + " bytes, expected three for each pixel");
  }
  float* out = tensor.floats().data();
  for (std::size_t at = 0; at < picture.rgb.size(); at += 3) {
    const uint8_t* rgb = &picture.rgb[at];
    if (form.channels == 1) {
      const int grey = (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 32768) >> 16;
      *out++ = static_cast<float>(grey) * form.scale;
      continue;
    }
    for (std::size_t c = 0; c < 3; ++c)
      *out++ = static_cast<float>(rgb[form.blue_first ? 2 - c : c]) * form.scale;
  }
  return tensor;
}

Picture read_picture(const std::string& path) {
  return decode_picture(read_file(path, uint64_t{1} << 30), path);
}

}  // namespace halcyon::runtime
