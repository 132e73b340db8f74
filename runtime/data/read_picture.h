#pragma once
/// Pictures from files: PNG and JPEG, known by how the file begins.

#include <cstddef>
#include <span>
#include <string>

#include "runtime/data/picture.h"
#include "runtime/tensor.h"

namespace halcyon::runtime {

inline constexpr int64_t kMaxPictureSide = 1 << 16;
inline constexpr int64_t kMaxPicturePixels = 1 << 28;  ///< what a small hostile file may claim

/// As 8-bit red, green, blue: grey is repeated, transparency is dropped, 16 bits are shortened.
/// Errors: UserError naming the file for what is no complete picture, or too large; as read_file
/// otherwise.
Picture read_picture(const std::string& path);

/// The same from memory; `source` is what messages call it.
Picture decode_picture(std::span<const std::byte> bytes, const std::string& source);

/// Whether a file of this name is read as a picture: .png, .jpg, .jpeg.
bool is_picture_name(const std::string& path);

/// How a network takes pixels.
struct PixelForm {
  int64_t channels = 3;      ///< 1: grey; 3: colours
  float scale = 1.0f / 255;  ///< of the bytes, 0 to 255
  bool blue_first = false;
};

/// Shapes: -> [1,H,W,channels]
/// Errors: UserError for other than 1 or 3 channels, and for bytes that do not fit the extents.
/// Source: grey is ITU-R BT.601, rounded to 8 bits, as Pillow's convert("L") does.
Tensor to_tensor(const Picture& picture, const PixelForm& form = {});

namespace detail {
/// Errors: UserError naming `source`.
Picture decode_jpeg(std::span<const std::byte> bytes, const std::string& source);
void check_picture_extents(int64_t height, int64_t width, const std::string& source);
}  // namespace detail

}  // namespace halcyon::runtime
