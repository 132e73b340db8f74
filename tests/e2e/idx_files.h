#pragma once
/// Small data sets in MNIST's file format, made of drawn digits.

#include <cstdint>
#include <filesystem>
#include <string>

#include "runtime/data/digits.h"
#include "tests/e2e/run_program.h"

namespace halcyon::tests {

inline std::string big_endian(int64_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

/// Grey pictures of `side` x `side`, in two files for each part of the data set.
struct IdxPictures {
  int64_t side = 28;
  int64_t train = 640;
  int64_t test = 64;
};

/// The two files of one part of a data set; `part` is "train" or "t10k".
inline void write_idx(const std::string& folder, const std::string& part, int64_t side,
                      int64_t count, uint64_t seed) {
  const runtime::Dataset digits =
      runtime::make_digits({.count = count, .shape = {side, side, 1}, .seed = seed});
  std::string images = big_endian(0x803) + big_endian(count) + big_endian(side) + big_endian(side);
  std::string labels = big_endian(0x801) + big_endian(count);
  for (int64_t i = 0; i < count; ++i) {
    const auto pixels = digits.picture(i);
    images.append(reinterpret_cast<const char*>(pixels.data()), pixels.size());
    labels += static_cast<char>(digits.labels()[static_cast<std::size_t>(i)]);
  }
  write_text(folder + "/" + part + "-images-idx3-ubyte", images);
  write_text(folder + "/" + part + "-labels-idx1-ubyte", labels);
}

/// A folder with pictures to learn from and others to be judged by.
inline std::string write_small_mnist(const std::string& folder, const IdxPictures& pictures = {}) {
  std::filesystem::create_directories(folder);
  write_idx(folder, "train", pictures.side, pictures.train, 1);
  write_idx(folder, "t10k", pictures.side, pictures.test, 2);
  return folder;
}

}  // namespace halcyon::tests
