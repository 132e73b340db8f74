#include "runtime/data/cifar.h"

#include <filesystem>
#include <iterator>
#include <utility>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::runtime {

namespace {

constexpr PictureShape kShape = {32, 32, 3};
constexpr std::size_t kPixels = 32 * 32;
constexpr std::size_t kRecordBytes = 1 + 3 * kPixels;
constexpr int64_t kClasses = 10;
constexpr uint64_t kLimitBytes = uint64_t{1} << 31;  // the whole set has 184 MB

std::string hint(const std::string& path) {
  if (path.ends_with(".xz")) return "it is compressed: xz -dk '" + path + "' unpacks it";
  return "it is the binary version, whose pictures take " + std::to_string(kRecordBytes) +
         " bytes each";
}

}  // namespace

Dataset read_cifar10(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLimitBytes);
  const std::size_t count = bytes.size() / kRecordBytes;
  if (count == 0 || bytes.size() % kRecordBytes != 0) {
    throw UserError("'" + path + "': " + std::to_string(bytes.size()) +
                        " bytes are no whole number of CIFAR-10's pictures",
                    hint(path));
  }
  std::vector<uint8_t> pixels(count * 3 * kPixels);
  std::vector<int32_t> labels(count);
  for (std::size_t n = 0; n < count; ++n) {
    const std::byte* const record = bytes.data() + n * kRecordBytes;
    labels[n] = std::to_integer<int32_t>(record[0]);
    if (labels[n] >= kClasses) {
      throw UserError("'" + path + "': picture " + std::to_string(n) + " has class " +
                          std::to_string(labels[n]) + ", there are 0 to 9",
                      hint(path));
    }
    for (std::size_t i = 0; i < kPixels; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        pixels[(n * kPixels + i) * 3 + c] = std::to_integer<uint8_t>(record[1 + c * kPixels + i]);
      }
    }
  }
  Dataset data(std::filesystem::path(path).filename().string(), kShape, kClasses, std::move(pixels),
               std::move(labels));
  data.set_normalization({{std::begin(kCifarMean), std::end(kCifarMean)},
                          {std::begin(kCifarDeviation), std::end(kCifarDeviation)}});
  return data;
}

}  // namespace halcyon::runtime
