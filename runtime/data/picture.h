#pragma once
/// Pictures for people: a sheet of classified pictures with what the network said below each,
/// written as PNG.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/dataset.h"

namespace halcyon::runtime {

/// 8-bit red, green, blue, [H, W, 3].
struct Picture {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> rgb;
};

/// Writes a PNG file, atomically. Errors: UserError for a picture whose extents do not fit its
/// bytes; SystemError naming the file when it cannot be written (an older one is then untouched).
void write_png(const std::string& path, const Picture& picture);
/// The same for one channel (grey) or three.
void write_png(const std::string& path, const PictureShape& shape, std::span<const uint8_t> pixels);

/// One picture of a sheet and what a network said about it.
struct ClassifiedPicture {
  std::span<const uint8_t> pixels;  ///< [H, W, C], 8-bit, C is 1 or 3
  int64_t predicted = 0;            ///< below 0: no answer
  int64_t truth = -1;               ///< below 0: not known
  float confidence = 0;             ///< 0 to 1: the score of the predicted class
};

struct SheetOptions {
  std::string title;                     ///< empty: none
  std::vector<std::string> class_names;  ///< empty: the numbers of the classes
  int64_t columns = 0;                   ///< 0: as many as make the sheet about 4:3
};

/// Draws all pictures enlarged on cards: the answer below (green if right, red with the true class
/// if wrong, grey-blue if the truth is not known), a bar as long as the confidence. Errors:
/// UserError for no pictures or more than 4096, sizes that do not fit, other than 1 or 3 channels.
Picture contact_sheet(const PictureShape& shape, std::span<const ClassifiedPicture> pictures,
                      const SheetOptions& options = {});

}  // namespace halcyon::runtime
