#pragma once
/// A labelled set of pictures in memory: 8-bit pixels (what files hold) or floats, height x width x
/// channels, and one class per picture. Not a reader: those are in runtime/data. A Dataset never
/// changes while it is used, so any number of threads may fill batches from one.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace halcyon::runtime {

/// The extents of one picture; all at least 1.
struct PictureShape {
  int64_t height = 0, width = 0, channels = 0;

  int64_t elements() const { return height * width * channels; }
  bool operator==(const PictureShape&) const = default;
};

/// "28x28x1", height x width x channels.
std::string to_text(const PictureShape& shape);

/// Memory order of one picture in a batch, as a network's input wants it.
enum class PixelOrder { kHWC, kCHW };

/// Per channel; a network sees (p / 255 - mean) / deviation for 8-bit pixels, (v - mean) /
/// deviation for floats.
struct Normalization {
  std::vector<float> mean, deviation;
};

class Dataset {
 public:
  /// An 8-bit data set; pixels are [count, H, W, C]. `name` is used in messages.
  /// Errors: UserError for an empty set, sizes that do not fit each other, a label outside [0,
  /// classes).
  Dataset(std::string name, PictureShape shape, int64_t classes, std::vector<uint8_t> pixels,
          std::vector<int32_t> labels);
  /// The same for values that are floats already.
  Dataset(std::string name, PictureShape shape, int64_t classes, std::vector<float> values,
          std::vector<int32_t> labels);

  const std::string& name() const { return name_; }
  int64_t count() const { return static_cast<int64_t>(labels_.size()); }
  const PictureShape& shape() const { return shape_; }
  int64_t height() const { return shape_.height; }
  int64_t width() const { return shape_.width; }
  int64_t channels() const { return shape_.channels; }
  int64_t classes() const { return classes_; }
  bool is_float() const { return pixels_.empty(); }

  /// The 8-bit pixels of one picture, [H, W, C]. Errors: UserError for a float data set or a bad
  /// index.
  std::span<const uint8_t> picture(int64_t index) const;
  std::span<const int32_t> labels() const { return labels_; }

  /// Sets what fill() subtracts and divides by: one value, or one per channel. Starts as mean 0,
  /// deviation 1. Errors: UserError for another number of values, values that are not finite, a
  /// deviation that is not positive.
  void set_normalization(const Normalization& normalization);
  const Normalization& normalization() const { return normalization_; }

  /// Mean and deviation per channel over the whole set, for set_normalization().
  Normalization measure_normalization() const;

  /// Writes the normalised pictures `indices` into images ([n,H,W,C] or [n,C,H,W]) and their
  /// classes into labels. Errors: UserError for an index outside [0, count).   Cost: allocates
  /// nothing.
  void fill(std::span<const int64_t> indices, float* images, int32_t* labels,
            PixelOrder order = PixelOrder::kHWC) const;

  /// The first picture with a value that is not finite after normalisation, if there is one.
  std::optional<int64_t> first_not_finite() const;

 private:
  void finish(size_t values);
  [[noreturn]] void no_picture(int64_t index) const;
  template <class T>
  void fill_from(const T* pictures, std::span<const int64_t> indices, float* images,
                 PixelOrder order) const;

  std::string name_;
  PictureShape shape_;
  int64_t classes_ = 0;
  std::vector<uint8_t> pixels_;
  std::vector<float> values_;
  std::vector<int32_t> labels_;
  Normalization normalization_;
  // A network sees p * scale + offset, spread over one row of W*C so that the conversion loop is a
  // plain vector loop.
  std::vector<float> row_scale_, row_offset_;
};

/// The order 0..count-1 shuffled; depends only on count, seed and epoch.   Cost: allocates only
/// when it grows.
void shuffle_epoch(int64_t count, uint64_t seed, int64_t epoch, std::vector<int64_t>& order);

}  // namespace halcyon::runtime
