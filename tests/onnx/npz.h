#pragma once
/// Arrays that NumPy saved with savez_compressed: a zip file of .npy files.

#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/data/npy.h"
#include "runtime/file.h"

namespace halcyon::tests {

namespace detail {

inline uint32_t little_endian(const std::vector<std::byte>& bytes, std::size_t at, int size) {
  uint32_t value = 0;
  for (int i = size; i-- > 0;) {
    value = value << 8 | static_cast<uint32_t>(bytes.at(at + static_cast<std::size_t>(i)));
  }
  return value;
}

inline std::vector<std::byte> inflated(std::span<const std::byte> packed, std::size_t size) {
  std::vector<std::byte> plain(size);
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  if (inflateInit2(&stream, -15) != Z_OK) throw std::runtime_error("zlib");
  const int status = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("a damaged .npz file");
  return plain;
}

}  // namespace detail

/// The array of that name. Errors: std::runtime_error if there is none.
inline std::vector<float> read_npz(const std::filesystem::path& path, const std::string& name) {
  using detail::little_endian;
  const std::vector<std::byte> bytes = runtime::read_file(path.string());
  // The directory at the end: 22 bytes without a comment, then one entry of 46 bytes and a name for
  // each file. Source: PKWARE's APPNOTE, 4.3.
  std::size_t at = little_endian(bytes, bytes.size() - 22 + 16, 4);
  while (little_endian(bytes, at, 4) == 0x02014b50) {
    const std::size_t packed = little_endian(bytes, at + 20, 4);
    const std::size_t plain = little_endian(bytes, at + 24, 4);
    const std::size_t name_size = little_endian(bytes, at + 28, 2);
    const std::size_t local = little_endian(bytes, at + 42, 4);
    const std::string entry(reinterpret_cast<const char*>(&bytes.at(at + 46)), name_size);
    if (entry == name + ".npy") {
      const std::size_t data =
          local + 30 + little_endian(bytes, local + 26, 2) + little_endian(bytes, local + 28, 2);
      const std::span<const std::byte> part = std::span(bytes).subspan(data, packed);
      const bool is_stored = little_endian(bytes, at + 10, 2) == 0;
      const runtime::WeightTensor array = runtime::parse_npy(
          is_stored ? std::vector(part.begin(), part.end()) : detail::inflated(part, plain), name);
      return {array.floats().begin(), array.floats().end()};
    }
    at += 46 + name_size + little_endian(bytes, at + 30, 2) + little_endian(bytes, at + 32, 2);
  }
  throw std::runtime_error("no array " + name + " in " + path.string());
}

}  // namespace halcyon::tests
