#include "runtime/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace halcyon::runtime {
namespace {

constexpr double kRedrawSeconds = 0.05;  // quicker than the eye follows is waste
constexpr double kLineSeconds = 10;
constexpr int kWidest = 100;

Progress::Mode mode_of(std::FILE* stream) {
  const char* term = std::getenv("TERM");
  const bool moves = term != nullptr && std::strcmp(term, "dumb") != 0;
  return moves && isatty(fileno(stream)) ? Progress::Mode::kBar : Progress::Mode::kLines;
}

int columns_of(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == 0) continue;  // the first that is set decides
    return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr;
  }
  return false;
}

/// Writes duration_text without allocating; returns the text.
const char* format_duration(double seconds, char (&text)[32]) {
  const long long s = std::isfinite(seconds) ? std::llround(std::clamp(seconds, 0.0, 1e9)) : 0;
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
  return text;
}

/// How many characters a UTF-8 text shows: all bytes but the continuation bytes.
int shown(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string duration_text(double seconds) {
  char text[32];
  return format_duration(seconds, text);
}

Progress::Progress(std::FILE* stream) : Progress(stream, mode_of(stream), columns_of(stream)) {}

Progress::Progress(std::FILE* stream, Mode mode, int columns)
    : stream_(stream), mode_(mode), columns_(std::clamp(columns - 1, 20, kWidest)) {
  unicode_ = locale_is_utf8();
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = mode == Mode::kBar && (no_colour == nullptr || *no_colour == 0);
  buffer_.reserve(1024);
}

Progress::~Progress() { clear_bar(); }

void Progress::begin(std::string_view title, int64_t total) {
  clear_bar();
  title_ = title;
  total_ = std::max<int64_t>(total, 0);
  active_ = true;
  began_ = last_ = Clock::now();
  if (mode_ == Mode::kBar) draw_bar(0, {}, 0);
}

void Progress::update(int64_t done, std::string_view note) {
  if (mode_ == Mode::kSilent || !active_) return;
  const Clock::time_point now = Clock::now();
  const double since_s = std::chrono::duration<double>(now - last_).count();
  const bool complete = done >= total_;
  if (mode_ == Mode::kBar && (complete || since_s >= kRedrawSeconds)) {
    draw_bar(done, note, std::chrono::duration<double>(now - began_).count());
    last_ = now;
  } else if (mode_ == Mode::kLines && !complete && since_s >= kLineSeconds) {
    draw_line(done, note);
    last_ = now;
  }
}

void Progress::finish(std::string_view text) {
  clear_bar();
  active_ = false;
  if (!text.empty()) line(text);
}

void Progress::line(std::string_view text) {
  if (mode_ == Mode::kSilent) return;
  clear_bar();
  std::fprintf(stream_, "%.*s\n", static_cast<int>(text.size()), text.data());
  std::fflush(stream_);
}

void Progress::clear_bar() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stream_);
  std::fflush(stream_);
  drawn_ = false;
}

void Progress::draw_bar(int64_t done, std::string_view note, double elapsed_s) {
  const double part =
      total_ > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0)
                 : 1;
  char left[32], tail[64];
  if (done > 0 && part < 1)
    std::snprintf(tail, sizeof tail, " %3d%%  %s left", static_cast<int>(100 * part),
                  format_duration(elapsed_s * (1 - part) / part, left));
  else
    std::snprintf(tail, sizeof tail, " %3d%%", static_cast<int>(100 * part));

  // The bar takes what title, tail and note leave; a note that leaves less than ten cells is
  // dropped.
  constexpr int kFewest = 10;
  int cells = columns_ - shown(title_) - 1 - static_cast<int>(std::strlen(tail));
  const int note_width = note.empty() ? 0 : shown(note) + 2;
  const bool with_note = note_width > 0 && cells - note_width >= kFewest;
  cells = std::clamp(cells - (with_note ? note_width : 0), kFewest, 40);
  const int full = static_cast<int>(part * cells);

  buffer_.clear();
  buffer_.push_back('\r');
  buffer_.append(title_).append(" ");
  if (colour_) buffer_.append("\033[36m");
  for (int i = 0; i < full; ++i) buffer_.append(unicode_ ? "━" : "#");
  if (colour_) buffer_.append("\033[90m");
  for (int i = full; i < cells; ++i) buffer_.append(unicode_ ? "─" : ".");
  if (colour_) buffer_.append("\033[0m");
  buffer_.append(tail);
  if (with_note) buffer_.append("  ").append(note);
  buffer_.append("\033[K");
  std::fwrite(buffer_.data(), 1, buffer_.size(), stream_);
  std::fflush(stream_);
  drawn_ = true;
}

void Progress::draw_line(int64_t done, std::string_view note) {
  std::fprintf(stream_, "%s: %lld of %lld%s%.*s\n", title_.c_str(), static_cast<long long>(done),
               static_cast<long long>(total_), note.empty() ? "" : ", ",
               static_cast<int>(note.size()), note.data());
  std::fflush(stream_);
}

}  // namespace halcyon::runtime
