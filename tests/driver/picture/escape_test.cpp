#include "compiler/driver/picture/escape.h"

#include <gtest/gtest.h>

namespace halcyon::compiler {
namespace {

const std::string kReplaced = "\xEF\xBF\xBD";

TEST(Escape, KeepsWhatIsPrintable) {
  EXPECT_EQ(printable("conv1 größe 层 😀"), "conv1 größe 层 😀");
  EXPECT_EQ(printable(""), "");
}

TEST(Escape, ReplacesControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(printable(std::string("a\0b\n\x1b\x7f", 6)),
            "a" + kReplaced + "b" + kReplaced + kReplaced + kReplaced);
  EXPECT_EQ(printable("a\xC3"), "a" + kReplaced);           // as a name that was cut
  EXPECT_EQ(printable("\xC0\xAF"), kReplaced + kReplaced);  // overlong
  EXPECT_EQ(printable("\xED\xA0\x80"), kReplaced + kReplaced + kReplaced);  // surrogate
  EXPECT_EQ(printable("\xC2\x85"), kReplaced);                              // C1
}

TEST(Escape, HtmlCannotLeaveItsTextOrAttribute) {
  EXPECT_EQ(html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
}

TEST(Escape, DotStringsEndOnlyAtTheirEnd) {
  EXPECT_EQ(dot_quoted("a\"] b [\\N"), "\"a\\\"] b [\\\\N\"");
  EXPECT_EQ(dot_quoted("two\nlines"), "\"two\\nlines\"");
}

TEST(Escape, JsonCannotEndItsScript) {
  EXPECT_EQ(json_in_script(R"({"a":"</script><!--&"})"),
            R"({"a":"\u003c/script\u003e\u003c!--\u0026"})");
}

}  // namespace
}  // namespace halcyon::compiler
