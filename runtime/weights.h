#pragma once
/// Tensors in a safetensors file (https://github.com/huggingface/safetensors), the one format a
/// deployed program reads. A file is hostile until proven otherwise: every length, offset and name
/// is checked before it is used. Files written here also carry hashes of the data and of the
/// description, so that a damaged file is noticed.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tensor.h"

namespace halcyon::runtime {

/// A named tensor, dense and row-major, little endian.
struct WeightTensor {
  std::string name;
  std::string dtype;  ///< as safetensors spells it: "F32", "I64", "U8" ...
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  /// The data as floats.
  /// Errors: InternalError if dtype is not F32 or the data has a wrong size.
  std::span<const float> floats() const;
  std::span<float> floats();
};

struct WeightFile {
  std::vector<WeightTensor> tensors;  ///< in the order of their data
  /// Without the hashes: those come and go with the file.
  std::map<std::string, std::string> metadata;

  /// The tensor of that name, or nullptr.
  const WeightTensor* find(std::string_view name) const;

  /// Appends a tensor of zeros of type F32 and returns its values.
  std::span<float> add(std::string name, std::vector<int64_t> shape);

  /// Appends a copy.
  void add(std::string name, const Tensor& tensor);
};

/// Errors: UserError, naming the file and the tensor, for anything that is not a complete valid
/// safetensors file or whose hash is wrong; as read_file otherwise.
WeightFile read_weights(const std::string& path);

/// The same from memory; `source` is what messages call it.
WeightFile parse_weights(std::span<const std::byte> bytes, const std::string& source);

/// Writes atomically (write_file_atomically); the data starts at a multiple of 64 bytes.
/// Errors: InternalError for tensors that are no valid file (a name twice, a size that does not fit
/// its shape).
void write_weights(const std::string& path, const WeightFile& file);

/// The bytes that write_weights writes.
std::vector<std::byte> format_weights(const WeightFile& file);

/// "[8,3,5,5]"
std::string shape_text(std::span<const int64_t> shape);

/// A name from a file, in quotes, fit for a message: control characters are escaped, the length is
/// bounded.
std::string quote(std::string_view name);

}  // namespace halcyon::runtime
