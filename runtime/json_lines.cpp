#include "runtime/json_lines.h"

#include <cerrno>
#include <cstring>

#include "runtime/base/error.h"

namespace halcyon::runtime {

JsonLines::JsonLines(const std::string& path, bool append) : path_(path) {
  if (path.empty()) return;
  file_.reset(std::fopen(path.c_str(), append ? "ab" : "wb"));
  if (!file_) throw SystemError("cannot write log '" + path + "': " + std::strerror(errno));
  line_.reserve(4096);
}

JsonLines& JsonLines::begin(std::string_view event) {
  line_.clear();
  line_.push_back('{');
  return add("event", event);
}

JsonLines& JsonLines::add(std::string_view key, int64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  append_key(key);
  line_.append(text);
  return *this;
}

JsonLines& JsonLines::add(std::string_view key, double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  append_key(key);
  line_.append(text);
  return *this;
}

JsonLines& JsonLines::add(std::string_view key, std::string_view text) {
  append_key(key);
  append_quoted(text);
  return *this;
}

JsonLines& JsonLines::open(std::string_view key) {
  append_key(key);
  line_.push_back('{');
  return *this;
}

JsonLines& JsonLines::close() {
  line_.push_back('}');
  return *this;
}

void JsonLines::end() {
  line_.append("}\n");
  if (std::fwrite(line_.data(), 1, line_.size(), file_.get()) != line_.size() ||
      std::fflush(file_.get()) != 0)
    throw SystemError("cannot write log '" + path_ + "': " + std::strerror(errno));
}

void JsonLines::append_key(std::string_view key) {
  if (line_.back() != '{') line_.push_back(',');
  append_quoted(key);
  line_.push_back(':');
}

void JsonLines::append_quoted(std::string_view text) {
  line_.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') line_.push_back('\\');
    if (static_cast<unsigned char>(c) >= 0x20) {
      line_.push_back(c);
    } else {
      char code[16];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      line_.append(code);
    }
  }
  line_.push_back('"');
}

}  // namespace halcyon::runtime
