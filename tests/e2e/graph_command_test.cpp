/// halcyon graph: a picture for each ending, and one message for each mistake.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

class GraphCommand : public testing::Test {
 protected:
  /// halcyon graph zoo:lenet5 -o FOLDER/name and more words.
  Command command(const std::string& name, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"graph", "zoo:lenet5", "-o", folder_.file(name)};
    words.insert(words.end(), more.begin(), more.end());
    return halcyon_command(words);
  }
  Finished run(const std::string& name, const std::vector<std::string>& more = {}) const {
    return run_program(command(name, more));
  }
  /// The picture that a command draws.
  std::string drawn(const std::string& name, const std::vector<std::string>& more = {}) const {
    const Finished finished = run(name, more);
    EXPECT_EQ(finished.status, 0) << finished.errors;
    EXPECT_EQ(finished.output + finished.errors, "");
    return read_text(folder_.file(name));
  }
  /// A folder with a program "dot" of one's own.
  std::string folder_with_dot(const std::string& script) const {
    std::string folder = folder_.file("bin");
    std::filesystem::create_directory(folder);
    if (!script.empty()) {
      write_text(folder + "/dot", "#!/bin/sh\n" + script);
      chmod((folder + "/dot").c_str(), 0755);
    }
    return folder;
  }

  TemporaryFolder folder_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

TEST_F(GraphCommand, WritesTextForGraphviz) {
  const std::string dot = drawn("net.dot");
  EXPECT_TRUE(dot.starts_with("digraph \"lenet5\" {\n"));
  EXPECT_TRUE(contains(dot, "label=\"conv1\\nconv 5x5, 8\""));
  EXPECT_TRUE(contains(dot, "subgraph cluster_before {"));
  EXPECT_TRUE(contains(dot, "label=\"kernel 1\" "));
  EXPECT_FALSE(contains(drawn("net.dot", {"--stage", "before"}), "cluster_after"));
  EXPECT_FALSE(contains(drawn("net.dot", {"--stage", "after"}), "cluster_before"));
}

TEST_F(GraphCommand, DrawsTheTrainingStep) {
  EXPECT_FALSE(contains(drawn("net.dot"), "conv1.weight\\n"));
  EXPECT_TRUE(
      contains(drawn("net.dot", {"--train", "--optimizer", "adam"}), "label=\"update\\nupdate\""));
}

TEST_F(GraphCommand, WritesAPage) {
  const std::string page = drawn("net.html");
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_TRUE(contains(page, "62,958"));
}

TEST_F(GraphCommand, DrawsWithGraphviz) {
  if (std::system("dot -V >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "Graphviz is not installed: there is no program 'dot'";
  const std::string svg = drawn("net.svg");
  EXPECT_TRUE(contains(svg, "<svg"));
  EXPECT_TRUE(contains(svg, ">conv1<"));
  EXPECT_TRUE(contains(svg, ">kernel 1<"));
}

TEST_F(GraphCommand, SaysWhichPackageHasGraphviz) {
  Command without = command("net.svg");
  without.environment["PATH"] = folder_with_dot("");
  expect_failure(run_program(without), 1,
                 "error: cannot run Graphviz, the program 'dot': No such file or directory\n"
                 "  hint: install the package graphviz; a page F.html needs no Graphviz\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("net.svg")));
}

TEST_F(GraphCommand, StopsAGraphvizThatHangs) {
  Command hanging = command("net.svg", {"--dot-timeout", "1"});
  hanging.environment["PATH"] = folder_with_dot("exec /bin/sleep 100\n");
  expect_failure(run_program(hanging, 60), 1,
                 "error: Graphviz, the program 'dot', took longer than 1 s and was stopped",
                 "hint: --dot-timeout SECONDS waits longer");
}

TEST_F(GraphCommand, RepeatsWhatAFailingGraphvizSays) {
  Command failing = command("net.svg");
  failing.environment["PATH"] = folder_with_dot("echo no fonts >&2\nexit 1\n");
  expect_failure(run_program(failing), 1,
                 "error: Graphviz, the program 'dot', failed:\nno fonts\n");
  failing.environment["PATH"] = folder_with_dot("exit 0\n");
  expect_failure(run_program(failing), 1, "error: Graphviz, the program 'dot', failed\n");
}

TEST_F(GraphCommand, RefusesOtherEndingsBeforeAnythingElse) {
  for (const char* name : {"net.png", "net", "net.HTML", ".svg"}) {
    expect_failure(run_halcyon({"graph", "zoo:no_such", "-o", folder_.file(name)}), 1,
                   "its name ends with neither .dot nor .svg nor .html", "hint: .html is a page");
  }
}

TEST_F(GraphCommand, RefusesFilesThatCannotBeWritten) {
  expect_failure(run("missing/net.html"), 1, "missing");
  std::filesystem::create_directory(folder_.file("net.html"));
  expect_failure(run("net.html"), 1, "net.html");
  EXPECT_EQ(names_in(folder_.file("net.html")), std::vector<std::string>{});
}

TEST_F(GraphCommand, WordsThatItDoesNotTake) {
  expect_failure(run("net.dot", {"--stage", "middle"}), 2, "--stage", "middle");
  expect_failure(run("net.dot", {"--optimizer", "adam"}), 2, "--train");
  expect_failure(run_halcyon({"graph", "zoo:lenet5"}), 2, "--output");
  expect_failure(run_halcyon({"graph", "zoo:no_such", "-o", folder_.file("a.dot")}), 1,
                 "the zoo has no network 'no_such'");
}

}  // namespace
}  // namespace halcyon::tests
