/// The header is read event by event into flat records: what does not have exactly this form ends
/// the reading at once, so no nesting or repetition that a file may claim costs more than the bytes
/// it really has.

#include "runtime/safetensors_header.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::runtime {
namespace {

/// Receives the events of the JSON reader. Returning false ends the reading; the header's problem
/// says why.
class HeaderReader {
 public:
  explicit HeaderReader(SafetensorsHeader& header) : header_(header) {}

  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool start_object(std::size_t) {
    if (place_ == Place::kStart) return enter(Place::kTop);
    fields_.clear();
    if (place_ == Place::kTop)
      return enter(key_ == kSafetensorsMetadata ? Place::kMetadata : Place::kTensor);
    return unexpected("an object");
  }
  bool end_object() {
    if (place_ == Place::kTensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) return fail(std::string(field) + " is missing");
      }
    }
    return enter(place_ == Place::kTop ? Place::kEnd : Place::kTop);
  }
  bool start_array(std::size_t) {
    if (place_ == Place::kTensor && key_ == "shape") return enter(Place::kShape);
    if (place_ == Place::kTensor && key_ == "data_offsets") return enter(Place::kOffsets);
    return unexpected("a list");
  }
  bool end_array() { return enter(Place::kTensor); }

  bool key(string_t& name) {
    key_ = name;
    if (place_ == Place::kTensor) {
      if (name != "dtype" && name != "shape" && name != "data_offsets") {
        return fail("field " + quote(name) + " is not known");
      }
      return fields_.insert(name).second || fail(name + " is there twice");
    }
    if (place_ == Place::kMetadata) {
      return !header_.metadata.contains(name) ||
             fail("metadata " + quote(name) + " is there twice");
    }
    if (!names_.insert(name).second) return fail("tensor " + quote(name) + " is there twice");
    if (name != kSafetensorsMetadata) header_.entries.push_back({name, {}, {}, {}});
    return true;
  }
  bool string(string_t& value) {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = value;
      return true;
    }
    if (place_ == Place::kTensor && key_ == "dtype") {
      header_.entries.back().dtype = value;
      return true;
    }
    return unexpected("a text");
  }
  bool number_unsigned(number_unsigned_t value) {
    if (place_ == Place::kOffsets) {
      header_.entries.back().offsets.push_back(value);
      return header_.entries.back().offsets.size() <= 2 ||
             fail("data_offsets has more than two numbers");
    }
    if (place_ != Place::kShape) return unexpected("a number");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return fail("shape has " + std::to_string(value) + ", which is too large");
    }
    header_.entries.back().shape.push_back(static_cast<int64_t>(value));
    return header_.entries.back().shape.size() <= kSafetensorsMaxRank ||
           fail("shape has more than " + std::to_string(kSafetensorsMaxRank) + " dimensions");
  }
  bool number_integer(number_integer_t) { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) {
    return unexpected("a number that is not whole");
  }
  bool boolean(bool) { return unexpected("a truth value"); }
  bool null() { return unexpected("null"); }
  bool binary(binary_t&) { return unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    header_.problem = "header is no valid JSON at its byte " + std::to_string(position);
    return false;
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool enter(Place place) {
    place_ = place;
    return true;
  }
  bool fail(const std::string& text) {
    const bool in_tensor =
        place_ == Place::kTensor || place_ == Place::kShape || place_ == Place::kOffsets;
    header_.problem =
        in_tensor ? "tensor " + quote(header_.entries.back().name) + ": " + text : text;
    return false;
  }
  bool unexpected(const std::string& found) {
    return fail("header has " + found + " where " +
                (place_ == Place::kStart      ? "an object"
                 : place_ == Place::kTop      ? "the description of a tensor"
                 : place_ == Place::kMetadata ? "a text"
                 : place_ == Place::kTensor   ? "the value of " + key_
                                              : "a whole number") +
                " should be");
  }

  SafetensorsHeader& header_;
  Place place_ = Place::kStart;
  std::string key_;
  std::unordered_set<std::string> names_;
  std::set<std::string> fields_;  // of the current tensor, seen so far
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text) {
  SafetensorsHeader header;
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) {  // the JSON reader would take it for the end
    header.problem = "header has a zero byte at " + std::to_string(zero);
    return header;
  }
  HeaderReader reader(header);
  nlohmann::json::sax_parse(text, &reader);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  using nlohmann::json;
  std::string text = "{";
  const auto add = [&text](const std::string& key, const json& value) {
    if (text.size() > 1) text += ',';
    text += json(key).dump();
    text += ':';
    text += value.dump();
  };
  try {
    add(kSafetensorsMetadata, header.metadata);
    for (const SafetensorsEntry& entry : header.entries) {
      add(entry.name,
          {{"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", entry.offsets}});
    }
    return text += '}';
  } catch (const json::exception& error) {
    throw InternalError(std::string("a name cannot be written to a weight file: ") + error.what());
  }
}

}  // namespace halcyon::runtime
