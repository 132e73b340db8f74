#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "compiler/driver/picture/picture.h"
#include "dsl/zoo/googlenet.h"
#include "dsl/zoo/resnet.h"
#include "runtime/base/error.h"
#include "tests/driver/picture/networks.h"

namespace halcyon::compiler {
namespace {

using tests::wide_context;

std::string page_of(const dsl::Graph& graph, bool train = false, Show show = Show::both) {
  return page_text(make_picture(graph, wide_context(), train, show));
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++times;
  return times;
}

nlohmann::json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t at = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(at, page.find("</script>", at) - at));
}

TEST(Page, NeedsNothingElse) {
  const std::string page = page_of(tests::small_network().graph());
  EXPECT_EQ(page.find("src="), page.npos);
  EXPECT_EQ(page.find("@import"), page.npos);
  EXPECT_EQ(page.find("<link"), page.npos);
  EXPECT_EQ(count(page, "http://"), count(page, "xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_EQ(page.find("https://"), page.npos);
  EXPECT_NE(page.find("default-src 'none'"), page.npos);
}

TEST(Page, ShowsEachViewOnceAndWhatTheSummaryCounts) {
  const dsl::Graph graph = tests::small_network().graph();
  const std::string page = page_of(graph);
  EXPECT_EQ(count(page, "<svg class=\"graph\""), 2U);
  EXPECT_EQ(count(page, "<svg class=\"memory\""), 1U);
  EXPECT_NE(page.find("<b>" + std::to_string(graph.parameter_count()) + "</b>"), page.npos);
  const nlohmann::json data = data_of(page);
  EXPECT_EQ(data.at("graphs").at("before").at("boxes").size(), 13U);
  EXPECT_EQ(data.at("graphs").at("before").at("boxes").at(1).at("facts").at(0),
            nlohmann::json({"operator", "conv"}));
  EXPECT_EQ(data.at("memory").at("memory").at(0).at("facts").at(0).at(0), "size");
  EXPECT_EQ(count(page, "id=\"before-"), 13U + 1 /* the arrow */);
  EXPECT_EQ(count(page_of(graph, false, Show::before), "<svg class=\"graph\""), 1U);
  EXPECT_EQ(count(page_of(graph, false, Show::after), "id=\"before-"), 0U);
}

TEST(Page, EveryBoxOfLargeNetworksIsDrawnAndDescribed) {
  for (const bool train : {false, true}) {
    for (const dsl::Graph& graph :
         {dsl::zoo::googlenet().graph(), dsl::zoo::resnet152({64, 64, 3}).graph()}) {
      const std::string page = page_of(graph, train);
      const nlohmann::json data = data_of(page);
      for (const char* stage : {"before", "after"}) {
        EXPECT_EQ(count(page, "id=\"" + std::string(stage) + "-"),
                  data.at("graphs").at(stage).at("boxes").size() +
                      count(page, "id=\"" + std::string(stage) + "-k") + 1 /* the arrow */);
      }
      EXPECT_EQ(count(page, "nan"), count(page, "\"nan")) << "a coordinate is no number";
    }
  }
}

TEST(Page, NamesCannotBecomeMarkup) {
  dsl::Network net("net");
  const dsl::Tensor x =
      net.input("</script><script>alert(1)</script>", {.height = 4, .width = 4, .channels = 1});
  net.output("'onload='", x | dsl::conv(2, 3, {.name = "<img src=x>&'"}) | dsl::flatten |
                              dsl::dense(2) | dsl::softmax);
  const std::string page = page_of(net.graph());
  EXPECT_EQ(page.find("alert(1)<"), page.npos);
  EXPECT_EQ(page.find("<img"), page.npos);
  EXPECT_EQ(page.find("\"'onload"), page.find("\"'onload", page.find("id=\"data\"")));
  EXPECT_EQ(count(page, "</script>"), 2U);  // the data and the script
  EXPECT_EQ(data_of(page).at("graphs").at("before").at("boxes").at(0).at("name"),
            "</script><script>alert(1)</script>");
}

TEST(Picture, RefusesWhatNobodyCanLookAt) {
  dsl::Network net("huge");
  dsl::Tensor x = net.input("x", {.height = 1, .width = 1, .channels = 1});
  for (int i = 0; i < 20'001; ++i) x = x | dsl::relu;
  net.output("y", x);
  try {
    make_picture(net.graph(), wide_context(), false, Show::both);
    FAIL() << "was drawn";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "network 'huge' has 20,002 nodes, a picture shows at most 20,000\n"
                 "  hint: halcyon summary lists them");
  }
}

}  // namespace
}  // namespace halcyon::compiler
