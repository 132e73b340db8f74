#pragma once
/// Writes events as JSON lines: one object per line, complete in the file before anything else
/// happens, so that a program reading along never sees half a line for long. Not a JSON library:
/// flat objects, one level of nesting.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace halcyon::runtime {

/// Cost: allocates when a line is longer than any before, otherwise nothing.
class JsonLines {
 public:
  /// An empty path: no file, and nothing may be written (the object is false).
  /// Errors: SystemError if the file cannot be opened.
  JsonLines(const std::string& path, bool append);

  explicit operator bool() const { return file_ != nullptr; }

  /// Starts a line with {"event": event.
  JsonLines& begin(std::string_view event);
  JsonLines& add(std::string_view key, int64_t value);
  JsonLines& add(std::string_view key, double value);  ///< nine digits; must be finite
  JsonLines& add(std::string_view key, std::string_view text);
  JsonLines& open(std::string_view key);  ///< an object inside, until close()
  JsonLines& close();
  /// Errors: SystemError if the line cannot be written.
  void end();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void append_key(std::string_view key);
  void append_quoted(std::string_view text);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string line_;
};

}  // namespace halcyon::runtime
