#pragma once
/// Progress of long work: one redrawn bar on a terminal, plain lines anywhere else (a file, a CI
/// log). Threads: one thread at a time.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace halcyon::runtime {

class Progress {
 public:
  enum class Mode { kBar, kLines, kSilent };

  /// kBar when the stream is a terminal that can move its cursor, kLines otherwise.
  explicit Progress(std::FILE* stream = stderr);
  /// `columns` is the width of the line a bar may use. Colour and block characters only where the
  /// terminal has them.
  Progress(std::FILE* stream, Mode mode, int columns = 80);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  Mode mode() const { return mode_; }

  /// Starts a piece of work of `total` parts; "epoch 2/5".
  void begin(std::string_view title, int64_t total);
  /// `done` of the parts are done; `note` stands behind the bar ("loss 0.312"). Redraws at most 20
  /// times a second; as plain lines, one every ten seconds.   Cost: allocates nothing.
  void update(int64_t done, std::string_view note = {});
  /// Ends the piece of work: the bar disappears and `text` stays as one line. Empty: nothing stays.
  void finish(std::string_view text = {});
  /// A line of text above whatever is drawn.
  void line(std::string_view text);

 private:
  using Clock = std::chrono::steady_clock;
  void draw_bar(int64_t done, std::string_view note, double elapsed_s);
  void draw_line(int64_t done, std::string_view note);
  void clear_bar();

  std::FILE* stream_;
  Mode mode_;
  int columns_;
  bool unicode_ = false, colour_ = false, drawn_ = false, active_ = false;
  std::string title_;
  std::string buffer_;  // one drawn line; its capacity is reserved once
  int64_t total_ = 0;
  Clock::time_point began_{}, last_{};
};

/// "0:07", "12:05", "3:02:11".   Units: seconds.
std::string duration_text(double seconds);

}  // namespace halcyon::runtime
