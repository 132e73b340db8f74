/// Code that a page quotes stands in the sources, word by word.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace halcyon::structure {
namespace {

namespace fs = std::filesystem;

/// A block of code whose first line names its file: "// dsl/ops/matmul.h", "# CMakeLists.txt".
/// Lines of three dots stand for what is left out.
struct Quotation {
  std::string file;
  std::vector<std::string> parts;
};

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" #/");
  return begin == line.npos ? "" : line.substr(begin);
}

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<Quotation> quotations_of(const std::string& page) {
  std::vector<Quotation> list;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside && line != "```";
      if (inside) {
        std::getline(lines, line);
        list.push_back({trimmed(line), {""}});
      }
    } else if (inside && trimmed(line) == "...") {
      list.back().parts.emplace_back();
    } else if (inside) {
      list.back().parts.back() += line + "\n";
    }
  }
  return list;
}

/// What of the page's code is not in the file that it names; empty if all is.
std::string finding(const Quotation& quotation, const std::string& source) {
  std::size_t from = 0;
  for (const std::string& part : quotation.parts) {
    const std::size_t found = source.find(part, from);
    if (found == source.npos) return quotation.file + " does not have, in this order:\n" + part;
    from = found + part.size();
  }
  return "";
}

TEST(QuotedCode, OfThePageAboutOperatorsIsInTheSources) {
  const fs::path root = HALCYON_SOURCE_DIR;
  const std::vector<Quotation> quotations = quotations_of(text_of(root / "compiler/ops/README.md"));
  EXPECT_GE(quotations.size(), 6U);
  for (const Quotation& quotation : quotations) {
    ASSERT_TRUE(fs::is_regular_file(root / quotation.file)) << quotation.file;
    EXPECT_EQ(finding(quotation, text_of(root / quotation.file)), "");
  }
}

TEST(QuotedCode, IsMissedWhereItDiffersOrStandsInAnotherOrder) {
  const std::string page = "text\n```cpp\n// a.h\nint x;\n...\nint y;\n```\n";
  const std::vector<Quotation> quotations = quotations_of(page);
  ASSERT_EQ(quotations.size(), 1U);
  EXPECT_EQ(quotations[0].file, "a.h");
  EXPECT_EQ(finding(quotations[0], "int x;\nint z;\nint y;\n"), "");
  EXPECT_EQ(finding(quotations[0], "int y;\nint x;\n"),
            "a.h does not have, in this order:\nint y;\n");
  EXPECT_NE(finding(quotations[0], "int x; \nint y;\n"), "");
}

}  // namespace
}  // namespace halcyon::structure
