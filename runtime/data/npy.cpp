/// A magic word, the version, the length of the header, the header (a dictionary as Python writes
/// it), the data.

#include "runtime/data/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "runtime/base/error.h"
#include "runtime/data/numbers.h"
#include "runtime/element_types.h"
#include "runtime/file.h"

namespace halcyon::runtime {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kHeaderLimitBytes = 65536;
constexpr std::size_t kMaxRank = 32;  // NumPy's own
constexpr const char* kIncomplete = "is it complete, and written by numpy.save?";

struct Type {
  std::string_view npy, safetensors;
};
constexpr std::array<Type, 11> kTypes{{{"b1", "BOOL"},
                                       {"i1", "I8"},
                                       {"u1", "U8"},
                                       {"i2", "I16"},
                                       {"u2", "U16"},
                                       {"i4", "I32"},
                                       {"u4", "U32"},
                                       {"f4", "F32"},
                                       {"i8", "I64"},
                                       {"u8", "U64"},
                                       {"f8", "F64"}}};

/// What the header's dictionary says.
struct Header {
  std::optional<std::string> type;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;
};

/// Reads the dictionary; knows no more of Python than NumPy writes.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Header read() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !header.type) {
        header.type = type();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = truth();
      } else if (key == "shape" && !header.shape) {
        header.shape = shape();
      } else {
        fail("its header has " + quote(key) + ", which is unknown or there twice");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size()) fail("its header goes on behind the '}'");
    if (!header.type || !header.fortran_order || !header.shape)
      fail("its header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& text) const {
    throw UserError("array file '" + source_ + "': " + text, kIncomplete);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char letter) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  void expect(char letter) {
    if (accept(letter)) return;
    fail(std::string("its header has no '") + letter + "' at its byte " + std::to_string(at_));
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string quoted() {
    skip_blanks();
    const char mark = at_ < text_.size() ? text_[at_] : '\0';
    const std::size_t end =
        mark == '\'' || mark == '"' ? text_.find(mark, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos)
      fail("its header has no text in quotes at its byte " + std::to_string(at_));
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return std::string(word);
  }

  std::string type() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '[') {
      throw UserError("array file '" + source_ + "' holds structures, expected plain numbers",
                      "save one field of them");
    }
    return quoted();
  }

  bool truth() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) fail("fortran_order is neither True nor False");
    return false;
  }

  std::vector<int64_t> shape() {
    std::vector<int64_t> extents;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      int64_t extent = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (error != std::errc() || extent < 0)
        fail("its shape has no whole number at byte " + std::to_string(at_) + " of the header");
      at_ = static_cast<std::size_t>(end - text_.data());
      extents.push_back(extent);
      if (extents.size() > kMaxRank)
        fail("its shape has more than " + std::to_string(kMaxRank) + " axes");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
};

/// What "<f4" (byte order, kind, bytes) means, as safetensors spells it.
std::string_view type_of(const std::string& text, const std::string& source) {
  const std::string_view word = text;
  if (word.find('O') != word.npos) {
    throw UserError("array file '" + source + "' holds Python objects, which are not read",
                    "save it as numbers: array.astype('float32')");
  }
  const bool has_order = !word.empty() && std::string_view("<>=|").find(word[0]) != word.npos;
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& type) {
    return has_order && word.substr(1) == type.npy;
  });
  if (found == kTypes.end()) {
    throw UserError(
        "array file '" + source + "' holds numbers of type " + quote(text) + ", which are not read",
        "save it as floats: array.astype('float32')");
  }
  return found->safetensors;
}

const char* npy_type(DType dtype) {
  return dtype == DType::f32 ? "<f4" : dtype == DType::i32 ? "<i4" : "|u1";
}

void swap_bytes(std::vector<std::byte>& data, std::size_t element_bytes) {
  for (std::size_t at = 0; at < data.size(); at += element_bytes)
    std::reverse(&data[at], &data[at] + element_bytes);
}

/// From first axis fastest to last axis fastest.
std::vector<std::byte> to_row_major(std::span<const std::byte> data,
                                    const std::vector<int64_t>& shape, std::size_t element_bytes) {
  std::vector<std::byte> result(data.size());
  std::vector<int64_t> index(shape.size(), 0), stride(shape.size(), 1);
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    stride[axis] = stride[axis - 1] * shape[axis - 1];
  int64_t from = 0;
  for (std::size_t to = 0; to < result.size(); to += element_bytes) {
    std::memcpy(&result[to], &data[static_cast<std::size_t>(from) * element_bytes], element_bytes);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/// The header's text; moves `bytes` to what is behind it.
std::string_view take_header(std::span<const std::byte>& bytes, const std::string& source) {
  const auto fail = [&](const std::string& text) {
    throw UserError("array file '" + source + "': " + text, kIncomplete);
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic)) fail("it does not begin as a .npy file");
  std::size_t at = kMagic.size() + 2;
  if (text.size() < at + 4) fail("it ends within its header");
  const int version = static_cast<unsigned char>(text[kMagic.size()]);
  if (version < 1 || version > 3)
    fail("it has format version " + std::to_string(version) + ", known are 1 to 3");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  uint64_t length = 0;
  std::memcpy(&length, text.data() + at, length_bytes);
  at += length_bytes;
  if (length > kHeaderLimitBytes) {
    fail("its header has " + std::to_string(length) + " bytes, at most " +
         std::to_string(kHeaderLimitBytes) + " are accepted");
  }
  if (length > text.size() - at) {
    fail("its header should have " + std::to_string(length) + " bytes, the file has " +
         std::to_string(text.size() - at) + " behind the length");
  }
  bytes = bytes.subspan(at + length);
  return text.substr(at, length);
}

}  // namespace

WeightTensor parse_npy(std::span<const std::byte> bytes, const std::string& source) {
  const std::string_view text = take_header(bytes, source);
  const Header header = HeaderReader(text, source).read();
  const std::string_view type = type_of(*header.type, source);
  const uint64_t of_element = element_bytes(type);
  const std::string what =
      "array file '" + source + "': " + shape_text(*header.shape) + " of " + *header.type;
  const std::optional<uint64_t> expected = array_bytes(*header.shape, of_element);
  if (!expected) throw UserError(what + " is more than any memory holds");
  if (*expected != bytes.size()) {
    throw UserError(what + " has " + std::to_string(*expected) + " bytes, the file holds " +
                        std::to_string(bytes.size()),
                    *expected > bytes.size() ? "the file has been cut off"
                                             : "something has been added to the file");
  }
  WeightTensor array;
  array.dtype = type;
  array.shape = *header.shape;
  array.data = *header.fortran_order ? to_row_major(bytes, array.shape, of_element)
                                     : std::vector<std::byte>(bytes.begin(), bytes.end());
  if ((*header.type)[0] == '>') swap_bytes(array.data, of_element);
  return array;
}

Tensor read_npy(const std::string& path) {
  return to_tensor(parse_npy(read_file(path), path), "array file '" + path + "'");
}

std::vector<std::byte> format_npy(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  std::string header = std::string("{'descr': '") + npy_type(tensor.dtype()) +
                       "', 'fortran_order': False, 'shape': (";
  for (int axis = 0; axis < shape.rank; ++axis) header += std::to_string(shape[axis]) + ", ";
  if (shape.rank > 1) header.resize(header.size() - 2);  // Python writes (3,) but (3, 4)
  header += "), }";
  constexpr std::size_t kAlignment = 64;
  const std::size_t begin = kMagic.size() + 4;
  header.append((kAlignment - (begin + header.size() + 1) % kAlignment) % kAlignment, ' ');
  header += '\n';

  std::string text(kMagic);
  text +=
      {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  text += header;
  std::vector<std::byte> bytes(text.size() + tensor.bytes().size());
  std::memcpy(bytes.data(), text.data(), text.size());
  std::ranges::copy(tensor.bytes(), bytes.begin() + static_cast<int64_t>(text.size()));
  return bytes;
}

void write_npy(const std::string& path, const Tensor& tensor) {
  write_file_atomically(path, format_npy(tensor));
}

}  // namespace halcyon::runtime
