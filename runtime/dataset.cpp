#include "runtime/dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/base/error.h"
#include "runtime/random.h"

namespace halcyon::runtime {

std::string to_text(const PictureShape& shape) {
  return std::to_string(shape.height) + "x" + std::to_string(shape.width) + "x" +
         std::to_string(shape.channels);
}

Dataset::Dataset(std::string name, PictureShape shape, int64_t classes, std::vector<uint8_t> pixels,
                 std::vector<int32_t> labels)
    : name_(std::move(name)),
      shape_(shape),
      classes_(classes),
      pixels_(std::move(pixels)),
      labels_(std::move(labels)) {
  finish(pixels_.size());
}

Dataset::Dataset(std::string name, PictureShape shape, int64_t classes, std::vector<float> values,
                 std::vector<int32_t> labels)
    : name_(std::move(name)),
      shape_(shape),
      classes_(classes),
      values_(std::move(values)),
      labels_(std::move(labels)) {
  finish(values_.size());
}

void Dataset::finish(size_t values) {
  const std::string who = "data set '" + name_ + "': ";
  // No extent above 2^20 keeps every product of three below 2^63.
  for (const int64_t extent : {shape_.height, shape_.width, shape_.channels})
    if (extent < 1 || extent > (int64_t{1} << 20))
      throw UserError(who + "pictures of " + to_text(shape_) +
                      ", every extent must be 1 to 1048576");
  if (classes_ < 1 || classes_ > std::numeric_limits<int32_t>::max())
    throw UserError(who + std::to_string(classes_) + " classes, there must be at least 1");
  if (labels_.empty()) throw UserError(who + "it has no picture");
  const auto elements = static_cast<size_t>(shape_.elements());
  if (values % elements != 0 || values / elements != labels_.size())
    throw UserError(who + std::to_string(values) + " pixel values, " +
                    std::to_string(labels_.size()) + " labels for pictures of " + to_text(shape_) +
                    " need " + std::to_string(elements) + " values each");
  for (size_t i = 0; i < labels_.size(); ++i)
    if (labels_[i] < 0 || labels_[i] >= classes_)
      throw UserError(who + "picture " + std::to_string(i) + " has label " +
                      std::to_string(labels_[i]) + ", labels must be 0 to " +
                      std::to_string(classes_ - 1));
  set_normalization({{0.0f}, {1.0f}});
}

void Dataset::no_picture(int64_t index) const {
  throw UserError("data set '" + name_ + "' has no picture " + std::to_string(index) +
                  ", they are 0 to " + std::to_string(count() - 1));
}

std::span<const uint8_t> Dataset::picture(int64_t index) const {
  if (is_float())
    throw UserError("data set '" + name_ + "' holds floats, it has no 8-bit pictures");
  if (index < 0 || index >= count()) no_picture(index);
  const auto elements = static_cast<size_t>(shape_.elements());
  return {pixels_.data() + static_cast<size_t>(index) * elements, elements};
}

void Dataset::set_normalization(const Normalization& normalization) {
  const auto channels = static_cast<size_t>(shape_.channels);
  const auto expand = [&](std::vector<float> values, const char* what) {
    if (values.size() != 1 && values.size() != channels)
      throw UserError("data set '" + name_ + "': " + std::to_string(values.size()) + " values of " +
                          what + " for " + std::to_string(channels) + " channels",
                      "give one, or one per channel");
    if (values.size() == 1) values.resize(channels, values[0]);
    return values;
  };
  Normalization each{expand(normalization.mean, "mean"),
                     expand(normalization.deviation, "deviation")};
  const float unit = is_float() ? 1.0f : 1.0f / 255.0f;
  const auto row = static_cast<size_t>(shape_.width) * channels;
  std::vector<float> scale(row), offset(row);
  for (size_t i = 0; i < row; ++i) {
    const float mean = each.mean[i % channels], deviation = each.deviation[i % channels];
    scale[i] = unit / deviation;
    offset[i] = -mean / deviation;
    if (!std::isfinite(mean) || !(deviation > 0) || !std::isfinite(scale[i]) ||
        !std::isfinite(offset[i]))
      throw UserError("data set '" + name_ + "': mean " + std::to_string(mean) + " and deviation " +
                      std::to_string(deviation) + " of channel " + std::to_string(i % channels) +
                      ", they must be finite and the deviation above 0");
  }
  normalization_ = std::move(each);
  row_scale_ = std::move(scale);
  row_offset_ = std::move(offset);
}

Normalization Dataset::measure_normalization() const {
  const auto channels = static_cast<size_t>(shape_.channels);
  const size_t values = is_float() ? values_.size() : pixels_.size();
  const auto value = [&](size_t i) {
    return is_float() ? static_cast<double>(values_[i]) : pixels_[i] / 255.0;
  };
  Normalization result;
  for (size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (size_t i = c; i < values; i += channels) sum += value(i);
    const auto n = static_cast<double>(values / channels);
    const double mean = sum / n;
    for (size_t i = c; i < values; i += channels) squares += (value(i) - mean) * (value(i) - mean);
    // A channel that never changes has deviation 0, which nothing can be divided by.
    const double deviation = std::sqrt(squares / n);
    result.mean.push_back(static_cast<float>(mean));
    result.deviation.push_back(deviation > 1e-6 ? static_cast<float>(deviation) : 1.0f);
  }
  return result;
}

template <class T>
void Dataset::fill_from(const T* pictures, std::span<const int64_t> indices, float* images,
                        PixelOrder order) const {
  const int64_t rows = shape_.height, channels = shape_.channels, row = shape_.width * channels;
  const int64_t elements = shape_.elements(), area = shape_.height * shape_.width;
  for (size_t n = 0; n < indices.size(); ++n) {
    const T* from = pictures + indices[n] * elements;
    float* to = images + static_cast<int64_t>(n) * elements;
    if (order == PixelOrder::kHWC || channels == 1) {
      for (int64_t y = 0; y < rows; ++y, from += row, to += row)
        for (int64_t i = 0; i < row; ++i)
          to[i] = static_cast<float>(from[i]) * row_scale_[static_cast<size_t>(i)] +
                  row_offset_[static_cast<size_t>(i)];
    } else {
      for (int64_t c = 0; c < channels; ++c) {
        const float scale = row_scale_[static_cast<size_t>(c)];
        const float offset = row_offset_[static_cast<size_t>(c)];
        for (int64_t i = 0; i < area; ++i)
          to[c * area + i] = static_cast<float>(from[i * channels + c]) * scale + offset;
      }
    }
  }
}

void Dataset::fill(std::span<const int64_t> indices, float* images, int32_t* labels,
                   PixelOrder order) const {
  for (size_t n = 0; n < indices.size(); ++n) {
    if (indices[n] < 0 || indices[n] >= count()) no_picture(indices[n]);
    labels[n] = labels_[static_cast<size_t>(indices[n])];
  }
  if (is_float())
    fill_from(values_.data(), indices, images, order);
  else
    fill_from(pixels_.data(), indices, images, order);
}

std::optional<int64_t> Dataset::first_not_finite() const {
  if (!is_float()) return std::nullopt;  // any 8-bit value is finite, and so is its scale
  const size_t row = row_scale_.size();
  for (size_t i = 0; i < values_.size(); ++i)
    if (!std::isfinite(values_[i] * row_scale_[i % row] + row_offset_[i % row]))
      return static_cast<int64_t>(i) / shape_.elements();
  return std::nullopt;
}

void shuffle_epoch(int64_t count, uint64_t seed, int64_t epoch, std::vector<int64_t>& order) {
  order.resize(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  Random random(seed, stream_of("shuffle") + static_cast<uint64_t>(epoch));
  random.shuffle(std::span(order));
}

}  // namespace halcyon::runtime
