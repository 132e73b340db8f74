#pragma once
/// Reads data sets in CIFAR-10's binary format: one byte of class and 3072 of picture, red, green
/// and blue planes of 32 x 32, for each picture, and nothing else. The file is treated as hostile.
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html, "binary version".

#include <string>

#include "runtime/dataset.h"

namespace halcyon::runtime {

/// Mean and deviation of the training pictures, per channel, of values from 0 to 1.
inline constexpr float kCifarMean[] = {0.4914f, 0.4822f, 0.4465f};
inline constexpr float kCifarDeviation[] = {0.2470f, 0.2435f, 0.2616f};

/// One file, such as test_batch.bin, normalised by the numbers above.
/// Errors: UserError naming the file for a size that is no multiple of a picture's, no picture, a
/// class above 9; as read_file.
Dataset read_cifar10(const std::string& path);

}  // namespace halcyon::runtime
