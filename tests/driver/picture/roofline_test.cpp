#include "compiler/driver/picture/roofline.h"

#include <gtest/gtest.h>

namespace halcyon::compiler {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++times;
  return times;
}

Measured measured() {
  return {.network = "net",
          .conditions = "inference, batch 1, 1 thread",
          .network_ms = 3,
          .peak_gflops = 100,
          .peak_gb_per_s = 20,
          .kernels = {
              {.label = "conv1+relu1",
               .algorithm = "direct",
               .words = "7 outputs of 2 blocks in registers",
               .median_us = 1000,
               .macs = 40'000'000,
               .computed_macs = 40'000'000,
               .bytes = 1'000'000},
              {.label = "conv2<b>",
               .algorithm = "Winograd F(4x4, 3x3)",
               .median_us = 500,
               .macs = 90'000'000,
               .computed_macs = 22'500'000,
               .bytes = 2'000'000},
              {.label = "pool1", .algorithm = "max_pool", .median_us = 100, .bytes = 1'000'000}}};
}

TEST(Roofline, ShowsEachKernelThatMultiplies) {
  const std::string page = roofline_page(measured());
  EXPECT_EQ(count(page, "<circle "), 2u);
  EXPECT_EQ(count(page, "<tr><td>"), 3u);
  EXPECT_NE(page.find("80.0 GFLOP/s, 80 % of the peak"), page.npos) << page;
  // What Winograd's kernel computes, not what the convolution has.
  EXPECT_NE(page.find("90.0 GFLOP/s, 90 % of the peak"), page.npos) << page;
  // 10 GB/s of 20.
  EXPECT_NE(page.find("<td>10.0</td><td>50 %</td>"), page.npos) << page;
}

TEST(Roofline, LoadsNothingAndIsNotWrittenByNames) {
  const std::string page = roofline_page(measured());
  EXPECT_EQ(page.find("http"), page.npos);
  EXPECT_EQ(page.find("src="), page.npos);
  EXPECT_EQ(page.find("conv2<b>"), page.npos);
  EXPECT_NE(page.find("conv2&lt;b&gt;"), page.npos);
}

TEST(Roofline, DrawsANetworkThatMultipliesNothing) {
  Measured idle = measured();
  idle.kernels.erase(idle.kernels.begin(), idle.kernels.begin() + 2);
  EXPECT_EQ(count(roofline_page(idle), "<circle "), 0u);
  EXPECT_EQ(roofline_page(idle).find("nan"), std::string::npos);
}

}  // namespace
}  // namespace halcyon::compiler
