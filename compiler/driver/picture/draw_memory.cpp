#include <fmt/format.h>

#include <algorithm>

#include "compiler/driver/number_text.h"
#include "compiler/driver/picture/escape.h"
#include "compiler/driver/picture/memory_map.h"

namespace halcyon::compiler {

namespace {

constexpr double kWidth = 1280, kHeight = 420;
constexpr double kLeft = 84, kRight = 12, kTop = 24, kBottom = 44;

/// 1, 2 or 5 times a power of ten: the least such that at most `most` of them fit into `whole`.
int64_t tick_step(int64_t whole, int64_t most) {
  for (int64_t power = 1;; power *= 10) {
    for (const int64_t digit : {1, 2, 5}) {
      if (whole / (digit * power) <= most) return digit * power;
    }
  }
}

class MemoryDrawer {
 public:
  MemoryDrawer(const MemoryMap& map, std::string id) : map_(map), id_(std::move(id)) {}

  std::string svg() {
    out_ = fmt::format(
        "<svg class=\"memory\" id=\"{}\" xmlns=\"http://www.w3.org/2000/svg\" "
        "viewBox=\"0 0 {} {}\" role=\"group\">\n",
        id_, kWidth, kHeight);
    draw_axes();
    for (std::size_t i = 0; i < map_.blocks.size(); ++i) draw_block(i);
    draw_lines();
    return out_ + "</svg>\n";
  }

 private:
  double x(double step) const {
    return kLeft + (kWidth - kLeft - kRight) * step / std::max(map_.steps, 1);
  }
  double y(int64_t offset) const {
    const auto whole = static_cast<double>(std::max<int64_t>(map_.size_bytes, 1));
    return kHeight - kBottom - (kHeight - kTop - kBottom) * static_cast<double>(offset) / whole;
  }

  void draw_axes() {
    const int64_t kilobyte = 1024;
    const int64_t step = tick_step(map_.size_bytes / kilobyte, 6) * kilobyte;
    for (int64_t at = 0; at < map_.size_bytes; at += step) {
      out_ += fmt::format(
          "<path class=\"tick\" d=\"M{0} {1:.1f}H{2}\"/><text class=\"axis\" x=\"{3}\" "
          "y=\"{4:.1f}\" "
          "text-anchor=\"end\">{5} kB</text>\n",
          kLeft, y(at), kWidth - kRight, kLeft - 8, y(at) + 4, grouped(at / kilobyte));
    }
    const int64_t kernels = tick_step(map_.steps, 24);
    for (int64_t at = kernels; at <= map_.steps; at += kernels) {
      out_ += fmt::format(
          "<text class=\"axis\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
          x(static_cast<double>(at) - 0.5), kHeight - kBottom + 16, at);
    }
    out_ += fmt::format(
        "<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">kernels, in the order in "
        "which they run</text>\n",
        (kLeft + kWidth - kRight) / 2, kHeight - 8);
  }

  void draw_block(std::size_t number) {
    constexpr double kCharacter = 6.4;
    const MemoryBlock& block = map_.blocks[number];
    const double left = x(block.first_step), width = x(block.last_step + 1) - left;
    const double top = y(block.offset_bytes + block.size_bytes);
    const double height = y(block.offset_bytes) - top;
    out_ += fmt::format(
        "<g class=\"value {}\" id=\"{}-{}\" tabindex=\"{}\" role=\"button\" aria-label=\"{}\">"
        "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"/>",
        to_string(block.kind), id_, number, number == 0 ? 0 : -1, html(block.name), left, top,
        width, height);
    const std::string name = printable(block.name);
    if (height > 15 && width > kCharacter * static_cast<double>(name.size()) + 10) {
      out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", left + 6,
                          top + height / 2 + 4, html(name));
    }
    out_ += "</g>\n";
  }

  void draw_lines() {
    const bool full = map_.size_bytes == map_.largest_live_bytes;
    draw_line("peak", map_.size_bytes, -6,
              full ? fmt::format("workspace {} bytes = the largest live set: nothing is wasted",
                                 grouped(map_.size_bytes))
                   : fmt::format("workspace {} bytes", grouped(map_.size_bytes)));
    if (full) return;
    // Below its line: the other one is above.
    draw_line("bound", map_.largest_live_bytes, 14,
              fmt::format("largest live set {} bytes", grouped(map_.largest_live_bytes)));
  }

  void draw_line(const char* name, int64_t at, double text, const std::string& label) {
    out_ += fmt::format(
        "<path class=\"{0}\" d=\"M{1} {2:.1f}H{3}\"/><text class=\"{0}\" x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5}</text>\n",
        name, kLeft, y(at), kWidth - kRight, y(at) + text, label);
  }

  const MemoryMap& map_;
  std::string id_;
  std::string out_;
};

}  // namespace

std::string memory_svg(const MemoryMap& map, const std::string& id) {
  return MemoryDrawer(map, id).svg();
}

}  // namespace halcyon::compiler
