/// Damaged texts: parsing either works or ends in one UserError with a line number; nothing crashes
/// or hangs.

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/graph/parse.h"
#include "compiler/graph/verify.h"
#include "dsl/layers.h"
#include "dsl/print.h"
#include "dsl/zoo/lenet5.h"
#include "tests/graph/examples.h"

namespace halcyon::compiler {
namespace {

std::string text_of(const dsl::Graph& graph) {
  std::ostringstream out;
  dsl::print(graph, out);
  return out.str();
}

// Texts that hold everything the format has.
std::vector<std::string> whole_texts() {
  std::vector<std::string> texts = {text_of(dsl::zoo::lenet5().graph())};
  for (const tests::Example& example : tests::all_examples()) {
    texts.push_back(text_of(tests::graph_of(example)));
  }
  return texts;
}

// True if the text was read. What was read must be fit for everything that comes next.
bool try_to_read(const std::string& text) {
  try {
    const dsl::Graph graph = parse_graph(text, "text");
    EXPECT_EQ(text_of(parse_graph(text_of(graph))), text_of(graph)) << text;
    EXPECT_GE(graph.macs(), 0) << text;
    verify(graph, Stage::source);
    return true;
  } catch (const UserError& error) {
    const std::string_view what = error.what();
    EXPECT_FALSE(what.empty());
    EXPECT_LT(what.size(), 1200u) << what;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not a UserError: " << error.what() << "\n" << text;
  }
  return false;
}

TEST(HostileText, MayEndAnywhere) {
  for (const std::string& text : whole_texts()) {
    for (std::size_t size = 0; size < text.size(); ++size) try_to_read(text.substr(0, size));
  }
}

TEST(HostileText, MayLackOrRepeatAnyLine) {
  for (const std::string& text : whole_texts()) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin) + 1;
      const std::string line = text.substr(begin, end - begin);
      try_to_read(text.substr(0, begin) + text.substr(end));
      try_to_read(text.substr(0, end) + line + text.substr(end));
      try_to_read(text + line);
      begin = end;
    }
  }
}

TEST(HostileText, MayHaveAnyCharactersChanged) {
  constexpr uint32_t kSeed = 20240;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  const std::vector<std::string> texts = whole_texts();
  // Pieces that mean something to the parser, absurd numbers among them.
  const std::vector<std::string> pieces = {"0",          "1",           "-1",
                                           "2147483647", "-2147483648", "9223372036854775807",
                                           "1e30",       "nan",         "-inf",
                                           "0x",         "%0",          "%9",
                                           "N",          "[",           "]",
                                           "{",          "}",           "(",
                                           ")",          ",",           "=",
                                           "\"",         "\n",          "->",
                                           "@",          " ",           "#",
                                           "",           ".1",          "[]",
                                           "true",       "values",      std::string(1, '\0'),
                                           "\xff"};
  for (int round = 0; round < 6000; ++round) {
    std::string text = texts[below(texts.size())];
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(text.size() + 1);
      const std::size_t size = std::min(below(4), text.size() - at);
      text.replace(at, size, pieces[below(pieces.size())]);
    }
    try_to_read(text);
  }
}

TEST(HostileText, MayHaveAnyNumberReplaced) {
  for (const std::string& text : whole_texts()) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool starts =
          text[at] >= '0' && text[at] <= '9' && (text[at - 1] < '0' || text[at - 1] > '9');
      if (!starts) continue;
      std::size_t end = at;
      while (text[end] >= '0' && text[end] <= '9') ++end;
      for (const char* number : {"0", "-1", "2147483647", "65536", "99999999999999999999"}) {
        try_to_read(text.substr(0, at) + number + text.substr(end));
      }
    }
  }
}

TEST(HostileText, MayBeLong) {
  std::string text = "network \"deep\"\n%0 = input \"x\" () {shape=[N,3]} -> [N,3]\n";
  constexpr int kNodes = 20000;
  for (int id = 1; id < kNodes; ++id) {
    text += '%';
    text += std::to_string(id) + " = copy \"c\" (%" + std::to_string(id - 1) + ") {} -> [N,3]\n";
  }
  text += "output \"y\" %" + std::to_string(kNodes - 1) + "\n";
  EXPECT_TRUE(try_to_read(text));
  EXPECT_FALSE(try_to_read("network \"x\"\n%0 = input \"x\" (" + std::string(1 << 20, '%')));
  EXPECT_FALSE(try_to_read("network \"x\"\nconstant 0 [" + std::string(1 << 20, '1')));
}

}  // namespace
}  // namespace halcyon::compiler
