#include "benchmarks/training/npy.h"

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "runtime/base/error.h"
#include "runtime/file.h"

namespace halcyon::benchmarks {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are copied as they are in the file");

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void fail(const std::string& path, const std::string& found) {
  throw UserError("'" + path + "' is no array that can be read: " + found,
                  "expected a .npy file, little-endian float32 or int32, row-major");
}

/// What follows `key` in the header, a Python dictionary on one line: {'descr': '<f4', 'shape': (2,
/// 3), }
std::string_view text_after(std::string_view header, std::string_view key,
                            const std::string& path) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) fail(path, "its header has no " + std::string(key));
  return header.substr(at + key.size());
}

/// The numbers of "(2, 3)" or "(2,)".
std::vector<int64_t> parse_shape(std::string_view text, const std::string& path) {
  std::vector<int64_t> shape;
  const size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos)
    fail(path, "its shape is no tuple");
  const char* at = text.data() + 1;
  const char* const end = text.data() + close;
  while (at < end) {
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc{} || extent < 0 || extent > (int64_t{1} << 40)) {
      fail(path, "its shape is " + std::string(text.substr(0, close + 1)));
    }
    shape.push_back(extent);
    at = next;
    while (at < end && (*at == ',' || *at == ' ')) ++at;
  }
  return shape;
}

/// The header of the file, and `bytes` moved to the values behind it.
std::string_view take_header(std::span<const std::byte>& bytes, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || text.size() < 12) fail(path, "it does not start as one");
  // Version 1 has a length of two bytes, version 2 and 3 of four.
  const auto byte_at = [&](size_t at) { return size_t{static_cast<unsigned char>(text[at])}; };
  const bool is_short = text[6] == 1;
  const size_t start = is_short ? 10 : 12;
  size_t length = byte_at(8) | byte_at(9) << 8;
  if (!is_short) length |= byte_at(10) << 16 | byte_at(11) << 24;
  if (text.size() - start < length) fail(path, "it ends inside its header");
  bytes = bytes.subspan(start + length);
  return text.substr(start, length);
}

}  // namespace

template <class T>
Array<T> read_npy(const std::string& path) {
  const std::vector<std::byte> file = runtime::read_file(path);
  std::span<const std::byte> bytes = file;
  const std::string_view header = take_header(bytes, path);
  const std::string_view dtype = std::is_same_v<T, float> ? "'<f4'" : "'<i4'";
  if (!text_after(header, "'descr': ", path).starts_with(dtype)) {
    fail(path, "its values are not of type " + std::string(dtype));
  }
  if (!text_after(header, "'fortran_order': ", path).starts_with("False")) {
    fail(path, "it is column-major");
  }
  Array<T> array{.shape = parse_shape(text_after(header, "'shape': ", path), path), .values = {}};
  const size_t count = bytes.size() / sizeof(T);
  size_t expected = 1;
  for (const int64_t extent : array.shape) {
    if (extent > 0 && expected > count / static_cast<size_t>(extent))
      fail(path, "it is too short for its shape");
    expected *= static_cast<size_t>(extent);
  }
  if (expected * sizeof(T) != bytes.size()) fail(path, "its length is not what its shape needs");
  array.values.resize(count);
  if (count > 0) std::memcpy(array.values.data(), bytes.data(), bytes.size());
  return array;
}

template Array<float> read_npy<float>(const std::string& path);
template Array<int32_t> read_npy<int32_t>(const std::string& path);

}  // namespace halcyon::benchmarks
