#pragma once
/// Pictures of handwritten digits that the program draws itself, any number of them, so that a
/// fresh clone can train without a download. Each is a way of writing the digit, bent, slanted,
/// turned and placed at random, written with a pen of random width in a random colour on a random
/// ground with some clutter, blur and noise. Light on dark is as likely as dark on light, so single
/// pixels say little and a linear classifier stays far behind a convolutional one.

#include <cstdint>
#include <span>

#include "runtime/dataset.h"

namespace halcyon::runtime {

struct DigitOptions {
  int64_t count = 10000;
  PictureShape shape{32, 32,
                     3};  ///< 12 to 1024 high and wide, 1 (grey) or 3 (red, green, blue) channels
  uint64_t seed = 0;      ///< another seed, other pictures: use two for training and testing
};

/// Draws the pictures 0 to count-1 of a seed; every ten in a row hold each digit once. Mean and
/// deviation of the set are 0.5 and 0.3.   Errors: UserError for options out of range. Cost: about
/// 30 microseconds for a picture of 32x32x3, one thread.
Dataset make_digits(const DigitOptions& options);

/// Draws picture `index` of a seed, which depends on nothing else, into pixels [H, W, C] and
/// returns its digit.
int32_t draw_digit(uint64_t seed, int64_t index, const PictureShape& shape,
                   std::span<uint8_t> pixels);

}  // namespace halcyon::runtime
