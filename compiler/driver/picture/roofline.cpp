#include "compiler/driver/picture/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/driver/picture/escape.h"
#include "compiler/driver/picture/page_style.h"

namespace halcyon::compiler {

namespace {

/// The plot, in units of the drawing; both axes are logarithmic.
constexpr double kWidth = 1000, kHeight = 460, kLeft = 62, kRight = 16, kTop = 16, kBottom = 46;

struct Axis {
  double low, high;  ///< powers of ten
  double from, to;   ///< in the drawing

  double at(double value) const {
    const double share =
        (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
    return from + std::clamp(share, 0.0, 1.0) * (to - from);
  }
};

double flops(const KernelTime& kernel) { return 2 * static_cast<double>(kernel.computed_macs); }

/// Multiply-adds and bytes do not say what bounds a kernel that has next to none.
bool is_plotted(const KernelTime& kernel) { return kernel.macs > 0 && kernel.bytes > 0; }

double intensity(const KernelTime& kernel) {
  return flops(kernel) / static_cast<double>(kernel.bytes);
}

std::string kind_of(const KernelTime& kernel) {
  if (kernel.algorithm.starts_with("Winograd")) return "normalisation";
  if (kernel.algorithm == "matrix") return "dense";
  if (kernel.algorithm == "depthwise") return "pooling";
  return kernel.macs > 0 ? "convolution" : "movement";
}

Axis axis_of(std::vector<double> values, double from, double to) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {.low = std::pow(10, std::floor(std::log10(*least))),
          .high = std::pow(10, std::ceil(std::log10(*most * 1.01))),
          .from = from,
          .to = to};
}

std::string grid(const Axis& x, const Axis& y) {
  std::string text;
  for (double value = x.low; value <= x.high * 1.01; value *= 10) {
    text += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
        x.at(value), kTop, kHeight - kBottom, kHeight - kBottom + 18, value);
  }
  for (double value = y.low; value <= y.high * 1.01; value *= 10) {
    text += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        kLeft, y.at(value), kWidth - kRight, kLeft - 8, y.at(value) + 4, value);
  }
  return text +
         fmt::format(
             "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">operations for each byte that is "
             "read or written</text>\n<text transform=\"translate(14 {}) rotate(-90)\" "
             "text-anchor=\"middle\">GFLOP/s</text>\n",
             (kLeft + kWidth - kRight) / 2, kHeight - 6, (kTop + kHeight - kBottom) / 2);
}

std::string plot(const Measured& m) {
  std::vector<double> xs = {m.peak_gflops / m.peak_gb_per_s}, ys = {m.peak_gflops};
  double total_us = 0;
  for (const KernelTime& kernel : m.kernels) {
    total_us += kernel.median_us;
    if (!is_plotted(kernel)) continue;
    xs.push_back(intensity(kernel));
    ys.push_back(1e-3 * flops(kernel) / kernel.median_us);
  }
  const Axis x = axis_of(xs, kLeft, kWidth - kRight), y = axis_of(ys, kHeight - kBottom, kTop);
  std::string text =
      fmt::format("<svg class=\"roofline\" viewBox=\"0 0 {} {}\" role=\"img\">\n", kWidth, kHeight);
  text += grid(x, y);
  // Both roofs, and the corner where they meet.
  const double corner = m.peak_gflops / m.peak_gb_per_s;
  const double begin = std::max(x.low, y.low / m.peak_gb_per_s);
  text += fmt::format(
      "<polyline class=\"roof\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\"/>\n",
      x.at(begin), y.at(begin * m.peak_gb_per_s), x.at(corner), y.at(m.peak_gflops), x.at(x.high),
      y.at(m.peak_gflops));
  for (const KernelTime& kernel : m.kernels) {
    if (!is_plotted(kernel)) continue;
    const double speed = 1e-3 * flops(kernel) / kernel.median_us;
    const double radius = 4 + 22 * std::sqrt(kernel.median_us / total_us);
    text += fmt::format(
        "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}\n{}, {}\n{:.0f} "
        "us, "
        "{:.1f} GFLOP/s, {:.0f} % of the peak</title></circle>\n",
        kind_of(kernel), x.at(intensity(kernel)), y.at(speed), radius, html(kernel.label),
        html(kernel.algorithm), html(kernel.words), kernel.median_us, speed,
        100 * speed / m.peak_gflops);
  }
  return text + "</svg>\n";
}

std::string row(const Measured& m, const KernelTime& kernel, double total_us) {
  const double share = 100 * kernel.median_us / total_us;
  const double speed = 1e-3 * flops(kernel) / kernel.median_us;
  const double bytes = 1e-3 * static_cast<double>(kernel.bytes) / kernel.median_us;
  const std::string products = kernel.macs == 0 ? "<td></td><td></td>"
                                                : fmt::format("<td>{:.1f}</td><td>{:.0f} %</td>",
                                                              speed, 100 * speed / m.peak_gflops);
  return fmt::format(
      "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"bar\" style=\"--share:{:.1f}%\">{:.1f}</td>"
      "{}<td>{:.1f}</td><td>{:.0f} %</td></tr>\n",
      html(kernel.label), html(kernel.algorithm), html(kernel.words), share, kernel.median_us,
      products, bytes, 100 * bytes / m.peak_gb_per_s);
}

constexpr const char* kOwnStyle = R"(
.roofline { width: 100%; max-width: 1100px; background: var(--card); border: 1px solid var(--faint); border-radius: 10px; }
.roofline text { fill: var(--soft); font-size: 12px; }
.roofline .grid { stroke: var(--faint); }
.roofline .roof { fill: none; stroke: var(--ink); stroke-width: 2; }
.roofline circle { fill: var(--kind); fill-opacity: .45; stroke: var(--kind); }
)";

std::string tile(const std::string& number, const std::string& what) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", number, what);
}

}  // namespace

std::string roofline_page(const Measured& m) {
  double total_us = 0, all_flops = 0;
  for (const KernelTime& kernel : m.kernels) {
    total_us += kernel.median_us;
    all_flops += flops(kernel);
  }
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}, measured</title>\n"
      "<style>\n{1}{2}</style>\n</head>\n<body>\n<header><h1>{0}</h1>\n<div class=\"tiles\">\n",
      html(m.network), kPageStyle, kOwnStyle);
  page += tile(fmt::format("{:.2f} ms", m.network_ms), html(m.conditions));
  page += tile(fmt::format("{:.0f} GFLOP/s", m.peak_gflops), "multiply-adds, the machine's peak");
  page +=
      tile(fmt::format("{:.1f} GB/s", m.peak_gb_per_s), "reads from memory, the machine's peak");
  page += tile(fmt::format("{:.0f} %", 1e-1 * all_flops / std::max(total_us, 1e-9) / m.peak_gflops),
               "of the multiply-add peak, all kernels together");
  page +=
      "</div></header>\n<main>\n<section>\n<h2>Roofline</h2>\n<p>Each kernel by itself, as large "
      "as "
      "its share of the time. Winograd's kernels are shown with the multiplications that they "
      "compute. What stays in a cache may lie above the slope.</p>\n<p class=\"legend\">"
      "<span class=\"convolution\"><i></i>direct</span><span "
      "class=\"normalisation\"><i></i>Winograd"
      "</span><span class=\"dense\"><i></i>matrix</span><span class=\"pooling\"><i></i>depthwise"
      "</span></p>\n";
  page += plot(m);
  page +=
      "</section>\n<section>\n<h2>Kernels</h2>\n<table>\n<thead><tr><th>kernel</th>"
      "<th>algorithm</th><th>schedule</th><th>us</th><th>GFLOP/s</th><th>of peak</th><th>GB/s</th>"
      "<th>of peak</th></tr></thead>\n<tbody>\n";
  for (const KernelTime& kernel : m.kernels) page += row(m, kernel, total_us);
  return page + "</tbody>\n</table>\n</section>\n</main>\n</body>\n</html>\n";
}

}  // namespace halcyon::compiler
