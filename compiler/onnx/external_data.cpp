/// Weights beside a model. The model says where they lie, and is not trusted: a file is read only
/// if it lies inside the model's own folder once every link is followed.

#include <charconv>
#include <fstream>
#include <optional>

#include "compiler/onnx/array.h"
#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

namespace fs = std::filesystem;

struct Place {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

uint64_t parse_number(const std::string& key, const std::string& text, const std::string& what) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > (uint64_t{1} << 50)) {
    throw UserError(what + ": the " + key + " of its external data is " + runtime::quote(text) +
                    ", which is no number of bytes");
  }
  return number;
}

Place read_place(const onnx::TensorProto& tensor, const std::string& what) {
  Place place;
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() == "offset") place.offset = parse_number("offset", entry.value(), what);
    if (entry.key() == "length") place.length = parse_number("length", entry.value(), what);
  }
  return place;
}

/// The file, with every link followed.
fs::path resolve(const std::string& location, const fs::path& folder, const std::string& what) {
  const std::string hint = "external data lies in the folder of the model, or below it";
  const fs::path relative(location);
  bool usable = !location.empty() && location.find('\0') == location.npos && relative.is_relative();
  for (const fs::path& part : relative) usable = usable && part != "..";
  if (!usable) {
    throw UserError(what + ": its external data lies at " + runtime::quote(location), hint);
  }
  std::error_code error;
  const fs::path base = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
  const fs::path file = error ? fs::path() : fs::canonical(base / relative, error);
  if (error || !fs::is_regular_file(file, error)) {
    throw UserError(what + ": its external data " + runtime::quote(location) +
                    " is not there or no file");
  }
  const auto [in_base, in_file] = std::mismatch(base.begin(), base.end(), file.begin(), file.end());
  if (in_base != base.end()) {
    throw UserError(
        what + ": its external data " + runtime::quote(location) + " is a link to another folder",
        hint);
  }
  return file;
}

}  // namespace

std::string read_external_data(const onnx::TensorProto& tensor, const fs::path& folder,
                               uint64_t expected_bytes, const std::string& what) {
  const Place place = read_place(tensor, what);
  const fs::path file = resolve(place.location, folder, what);
  std::error_code error;
  const uint64_t size = fs::file_size(file, error);
  const std::string source = "its external data " + runtime::quote(place.location);
  if (place.length && *place.length != expected_bytes) {
    throw UserError(what + ": " + source + " is said to have " + std::to_string(*place.length) +
                    " bytes, the shape needs " + std::to_string(expected_bytes));
  }
  if (error || place.offset > size || size - place.offset < expected_bytes) {
    throw UserError(what + ": " + source + " has " + std::to_string(size) + " bytes, " +
                    std::to_string(expected_bytes) + " are needed from " +
                    std::to_string(place.offset) + " on");
  }
  std::string bytes(expected_bytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(place.offset));
  stream.read(bytes.data(), static_cast<std::streamsize>(expected_bytes));
  if (!stream) throw SystemError(what + ": cannot read " + source);
  return bytes;
}

}  // namespace halcyon::compiler
