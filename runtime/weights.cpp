/// A safetensors file: eight bytes with the length of the header, the header, the data.

#include "runtime/weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>
#include <unordered_set>
#include <utility>

#include "runtime/base/error.h"
#include "runtime/element_types.h"
#include "runtime/file.h"
#include "runtime/safetensors_header.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace halcyon::runtime {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little endian");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kHeaderLimitBytes = uint64_t{1} << 24;  // some 100,000 tensors
constexpr uint64_t kDataAlignment = 64;
constexpr const char* kDataHash = "halcyon.xxh3";
constexpr const char* kHeaderHash = "halcyon.xxh3.header";

std::string hash_text(const XXH3_state_t& state) {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text.data();
}

/// Hash of the data of all tensors, one behind the other as they lie in the file.
std::string hash_data(const WeightFile& file) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const WeightTensor& tensor : file.tensors) {
    XXH3_128bits_update(&state, tensor.data.data(), tensor.data.size());
  }
  return hash_text(state);
}

/// Hash of everything the header says, independent of how the JSON is written.
std::string hash_header(const WeightFile& file, const std::string& data_hash) {
  std::string text;
  const auto add = [&text](std::string_view field) {
    text += std::to_string(field.size()) + ':';
    text += field;
  };
  for (const WeightTensor& tensor : file.tensors) {
    add(tensor.name);
    add(tensor.dtype);
    add(shape_text(tensor.shape));
  }
  for (const auto& [key, value] : file.metadata) {
    add(key);
    add(value);
  }
  add(data_hash);
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, text.data(), text.size());
  return hash_text(state);
}

class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& source)
      : bytes_(bytes), source_(source) {}

  WeightFile parse() {
    read_header();
    for (const SafetensorsEntry& entry : header_.entries) check(entry);
    check_layout();
    WeightFile file;
    file.metadata = std::move(header_.metadata);
    for (SafetensorsEntry& entry : header_.entries) {
      const std::span<const std::byte> data =
          data_.subspan(entry.offsets[0], entry.offsets[1] - entry.offsets[0]);
      file.tensors.push_back({std::move(entry.name),
                              std::move(entry.dtype),
                              std::move(entry.shape),
                              {data.begin(), data.end()}});
    }
    check_hashes(file);
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& text, const std::string& hint = {}) const {
    throw UserError("weight file '" + source_ + "': " + text, hint);
  }
  [[noreturn]] void fail(const SafetensorsEntry& entry, const std::string& text) const {
    fail("tensor " + quote(entry.name) + ": " + text);
  }

  void read_header() {
    const char* const hint = "is it complete, and a safetensors file?";
    if (bytes_.size() < kLengthBytes) {
      fail("it has " + std::to_string(bytes_.size()) + " bytes, the shortest possible file has 10",
           hint);
    }
    uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof length);
    const uint64_t left = bytes_.size() - kLengthBytes;
    if (length > left) {
      fail("its header should have " + std::to_string(length) + " bytes, the file has " +
               std::to_string(left) + " after the length",
           hint);
    }
    if (length > kHeaderLimitBytes) {
      fail("its header has " + std::to_string(length) + " bytes, at most " +
               std::to_string(kHeaderLimitBytes) + " are accepted",
           hint);
    }
    data_ = bytes_.subspan(kLengthBytes + length);
    const char* const text = reinterpret_cast<const char*>(bytes_.data()) + kLengthBytes;
    header_ = parse_safetensors_header({text, length});
    if (!header_.problem.empty()) fail(header_.problem, hint);
  }

  void check(const SafetensorsEntry& entry) const {
    const uint64_t of_element = element_bytes(entry.dtype);
    if (of_element == 0) fail(entry, "dtype " + quote(entry.dtype) + " is not known");
    const std::optional<uint64_t> expected = array_bytes(entry.shape, of_element);
    if (!expected) fail(entry, "shape " + shape_text(entry.shape) + " is too large");
    if (entry.offsets.size() != 2) fail(entry, "data_offsets has less than two numbers");
    const uint64_t begin = entry.offsets[0], end = entry.offsets[1];
    const std::string range = "[" + std::to_string(begin) + "," + std::to_string(end) + "]";
    if (begin > end) fail(entry, "data_offsets " + range + " run backwards");
    if (end > data_.size()) {
      fail(entry, "data_offsets " + range + " reach behind the data, which has " +
                      std::to_string(data_.size()) + " bytes");
    }
    if (end - begin != *expected) {
      fail(entry, entry.dtype + " " + shape_text(entry.shape) + " needs " +
                      std::to_string(*expected) + " bytes, data_offsets " + range + " hold " +
                      std::to_string(end - begin));
    }
  }

  /// Sorts by place; the tensors must cover the data exactly.
  void check_layout() {
    std::vector<SafetensorsEntry>& entries = header_.entries;
    std::stable_sort(
        entries.begin(), entries.end(),
        [](const SafetensorsEntry& a, const SafetensorsEntry& b) { return a.offsets < b.offsets; });
    uint64_t covered = 0;
    for (const SafetensorsEntry& entry : entries) {
      const uint64_t begin = entry.offsets[0];
      if (begin != covered) {
        fail(entry, "data begins at " + std::to_string(begin) + ", the tensor before ends at " +
                        std::to_string(covered) +
                        (begin < covered ? ": they overlap" : ": bytes between belong to nobody"));
      }
      covered = entry.offsets[1];
    }
    if (covered != data_.size()) {
      fail("the tensors end at " + std::to_string(covered) + " of " + std::to_string(data_.size()) +
           " bytes of data: the file is too long");
    }
  }

  /// Takes the hashes out of the metadata and compares them. A file of another tool has none.
  void check_hashes(WeightFile& file) const {
    const auto data_hash = file.metadata.extract(kDataHash);
    const auto header = file.metadata.extract(kHeaderHash);
    if (data_hash.empty() && header.empty()) return;
    const char* const hint = "the file is damaged, or was changed without its hashes";
    // One without the other: the missing one's name was damaged.
    if (header.empty()) fail(std::string("metadata ") + kHeaderHash + " is missing", hint);
    if (data_hash.empty()) fail(std::string("metadata ") + kDataHash + " is missing", hint);
    const auto compare = [&](const char* what, const std::string& stated,
                             const std::string& found) {
      if (stated == found) return;
      fail(std::string("hash of the ") + what + " is " + found + ", the file says " + quote(stated),
           hint);
    };
    compare("data", data_hash.mapped(), hash_data(file));
    compare("header", header.mapped(), hash_header(file, data_hash.mapped()));
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
  std::span<const std::byte> data_;
  SafetensorsHeader header_;
};

void require_f32(const WeightTensor& tensor) {
  if (tensor.dtype != "F32" || array_bytes(tensor.shape, sizeof(float)) != tensor.data.size()) {
    throw InternalError("tensor " + quote(tensor.name) + " is not made of floats: " + tensor.dtype +
                        " " + shape_text(tensor.shape) + ", " + std::to_string(tensor.data.size()) +
                        " bytes");
  }
}

}  // namespace

std::span<const float> WeightTensor::floats() const {
  require_f32(*this);
  return {reinterpret_cast<const float*>(data.data()), data.size() / sizeof(float)};
}

std::span<float> WeightTensor::floats() {
  require_f32(*this);
  return {reinterpret_cast<float*>(data.data()), data.size() / sizeof(float)};
}

const WeightTensor* WeightFile::find(std::string_view name) const {
  for (const WeightTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::span<float> WeightFile::add(std::string name, std::vector<int64_t> shape) {
  const std::optional<uint64_t> bytes = array_bytes(shape, sizeof(float));
  if (!bytes) throw InternalError("tensor " + quote(name) + " has shape " + shape_text(shape));
  tensors.push_back({std::move(name), "F32", std::move(shape), std::vector<std::byte>(*bytes)});
  return tensors.back().floats();
}

void WeightFile::add(std::string name, const Tensor& tensor) {
  constexpr const char* kNames[] = {"F32", "I32", "U8"};
  const Shape& shape = tensor.shape();
  tensors.push_back({std::move(name),
                     kNames[static_cast<int>(tensor.dtype())],
                     {shape.extents.begin(), shape.extents.begin() + shape.rank},
                     {tensor.bytes().begin(), tensor.bytes().end()}});
}

WeightFile parse_weights(std::span<const std::byte> bytes, const std::string& source) {
  return Parser(bytes, source).parse();
}

WeightFile read_weights(const std::string& path) { return parse_weights(read_file(path), path); }

std::vector<std::byte> format_weights(const WeightFile& file) {
  SafetensorsHeader header;
  std::unordered_set<std::string_view> names{kSafetensorsMetadata};
  uint64_t end = 0;
  for (const WeightTensor& tensor : file.tensors) {
    const uint64_t of_element = element_bytes(tensor.dtype);
    if (of_element == 0 || tensor.shape.size() > kSafetensorsMaxRank ||
        array_bytes(tensor.shape, of_element) != tensor.data.size()) {
      throw InternalError("tensor " + quote(tensor.name) + " cannot be written: " + tensor.dtype +
                          " " + shape_text(tensor.shape) + " with " +
                          std::to_string(tensor.data.size()) + " bytes");
    }
    if (!names.insert(tensor.name).second) {
      throw InternalError("tensor " + quote(tensor.name) + " cannot be written twice");
    }
    const uint64_t begin = end;
    end += tensor.data.size();
    header.entries.push_back({tensor.name, tensor.dtype, tensor.shape, {begin, end}});
  }
  const std::string data_hash = hash_data(file);
  header.metadata = file.metadata;
  header.metadata[kDataHash] = data_hash;
  header.metadata[kHeaderHash] = hash_header(file, data_hash);

  std::string text = format_safetensors_header(header);
  text.append((kDataAlignment - (kLengthBytes + text.size()) % kDataAlignment) % kDataAlignment,
              ' ');
  const uint64_t length = text.size();
  if (length > kHeaderLimitBytes) {
    throw InternalError("the header of a weight file would have " + std::to_string(length) +
                        " bytes, at most " + std::to_string(kHeaderLimitBytes) + " can be read");
  }
  std::vector<std::byte> bytes(kLengthBytes + length + end);
  std::memcpy(bytes.data(), &length, sizeof length);
  auto place = bytes.begin() + kLengthBytes;
  place = std::ranges::copy(std::as_bytes(std::span(text)), place).out;
  for (const WeightTensor& tensor : file.tensors) {
    place = std::ranges::copy(tensor.data, place).out;
  }
  return bytes;
}

void write_weights(const std::string& path, const WeightFile& file) {
  write_file_atomically(path, format_weights(file));
}

std::string shape_text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t extent : shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(extent);
  }
  return text += ']';
}

std::string quote(std::string_view name) {
  constexpr std::size_t kLimit = 120;
  std::string text = "'";
  for (const char letter : name.substr(0, kLimit)) {
    const unsigned char code = static_cast<unsigned char>(letter);
    std::array<char, 5> escaped{};
    if (code < 0x20 || code == 0x7f) {
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", code);
      text += escaped.data();
    } else {
      text += letter;
    }
  }
  return text + (name.size() > kLimit ? "...'" : "'");
}

}  // namespace halcyon::runtime
