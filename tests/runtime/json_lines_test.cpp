#include "runtime/json_lines.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(JsonLines, WritesEachLineAtOnceAndEscapesText) {
  const TemporaryFolder folder;
  JsonLines log(folder.file("a.jsonl"), false);
  log.begin("step").add("step", int64_t{3}).add("loss", 0.25).end();
  EXPECT_EQ(text_of(folder.file("a.jsonl")), "{\"event\":\"step\",\"step\":3,\"loss\":0.25}\n");
  log.begin("x").open("losses").add("a", 1.0).add("b", 2.0).close().add("q", "\"\\\n").end();
  EXPECT_EQ(text_of(folder.file("a.jsonl")),
            "{\"event\":\"step\",\"step\":3,\"loss\":0.25}\n"
            "{\"event\":\"x\",\"losses\":{\"a\":1,\"b\":2},\"q\":\"\\\"\\\\\\u000a\"}\n");
}

TEST(JsonLines, AppendsOrStartsAnew) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.jsonl");
  for (const bool append : {false, true}) JsonLines(path, append).begin("x").end();
  EXPECT_EQ(text_of(path), "{\"event\":\"x\"}\n{\"event\":\"x\"}\n");
  JsonLines(path, false).begin("y").end();
  EXPECT_EQ(text_of(path), "{\"event\":\"y\"}\n");
}

TEST(JsonLines, IsFalseWithoutAPath) { EXPECT_FALSE(JsonLines("", false)); }

TEST(JsonLines, NamesTheFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  const std::string path = folder.file("missing/a.jsonl");
  expect_error<SystemError>([&] { JsonLines(path, false); },
                            "cannot write log '" + path + "': No such file");
  expect_error<SystemError>([&] { JsonLines("/dev/full", false).begin("x").end(); },
                            "cannot write log '/dev/full': No space left");
}

}  // namespace
}  // namespace halcyon::runtime
