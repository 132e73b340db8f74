/// Network files that are wrong, and a machine that lacks a C++ compiler.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

constexpr const char* kBegin = R"(#include <halcyon/dsl.h>
using namespace halcyon::dsl;
constexpr Network net() {
  Network net("mine");
  Tensor x = net.input("image", {.height = 8, .width = 8, .channels = 1});
)";
constexpr const char* kEnd = R"(  return net;
}
)";

class SourceErrors : public testing::Test {
 protected:
  std::string network(const std::string& body, const std::string& last = "HALCYON_NETWORK(net);\n",
                      const std::string& name = "mine.cpp") const {
    write_text(folder_.file(name), kBegin + body + kEnd + last);
    return folder_.file(name);
  }
  template <typename... Parts>
  void expect_refused(const std::string& source, const Parts&... parts) const {
    expect_failure(run_halcyon({"compile", source, "-o", out_}), 1, parts...);
    EXPECT_EQ(names_in(out_), std::vector<std::string>{});
  }

  TemporaryFolder folder_;
  const std::string out_ = folder_.file("out");
};

TEST_F(SourceErrors, FilesThatAreNotThereOrNoSource) {
  const std::string missing = folder_.file("missing.cpp");
  expect_refused(missing, "error: cannot read network file '" + missing + "'",
                 "hint: a DSL file (.cpp), a model (.onnx) or zoo:NAME");
  expect_refused(folder_.file(""), "is no network: its name ends with none of .cpp");
  const std::string long_name = folder_.file(std::string(5000, 'a') + ".cpp");
  expect_refused(long_name, "error: cannot read network file '" + long_name + "'");
  write_text(folder_.file("model.txt"), "x");
  expect_refused(folder_.file("model.txt"), "model.txt' is no network");
  write_text(folder_.file("model.onnx"), "x");
  expect_refused(folder_.file("model.onnx"), "model.onnx is no ONNX model, or a damaged one");
}

TEST_F(SourceErrors, TheCompilersOwnMessageComesWithTheUsersLine) {
  const std::string file = network("  x = x | convolve(8);\n");
  expect_refused(file, "error: " + file + " does not compile:", "mine.cpp:6:", "convolve");
}

TEST_F(SourceErrors, AWrongShapeIsReportedWithNodeLineAndArithmetic) {
  const std::string file = network("  net.output(\"y\", x | conv(4, 9));\n");
  expect_refused(
      file, "conv 'conv1' (mine.cpp:6): a window of 9 (kernel 9, dilation 1) does not fit into",
      "hint: use a smaller kernel, more padding or a larger input");
}

TEST_F(SourceErrors, AttributesThatDoNotGoTogether) {
  expect_refused(network("  net.output(\"y\", x | conv(4, 3, {.groups = 3}));\n"),
                 "conv 'conv1' (mine.cpp:6): 1 channels cannot be split into 3 groups (1 % 3 = 1)",
                 "hint: choose .groups that divides both the input channels and the filters");
  expect_refused(network("  net.output(\"y\", x | max_pool(2, {.pad = 2}));\n"),
                 "(mine.cpp:6): padding 2 is not below the window's 2",
                 "hint: a window that holds padding alone has no maximum");
}

TEST_F(SourceErrors, AVerifiedNetworkWhoseValuesAreNotFiniteIsNoBugOfHalcyons) {
  const std::string file =
      network("  net.output(\"y\", x | custom(\"l\", [](auto v) { return log(v); }));\n");
  expect_failure(
      run_halcyon({"verify", file}), 1,
      "error: on random data the network computes what is not finite, first in output y");
}

TEST_F(SourceErrors, AFileWithoutItsLastLine) {
  const std::string file = network("  net.output(\"y\", x | relu);\n", "");
  expect_refused(file,
                 "does not compile:", "hint: a network file ends with HALCYON_NETWORK(function)");
}

TEST_F(SourceErrors, ANetworkWithoutAnOutputOrWithoutALossToTrain) {
  expect_refused(network("  x | relu;\n"), "output");
  const std::string file = network("  net.output(\"y\", x | conv(4, 3) | relu);\n");
  expect_failure(run_halcyon({"compile", file, "-o", out_, "--train"}), 1, "loss");
  EXPECT_EQ(names_in(out_), std::vector<std::string>{});
}

TEST_F(SourceErrors, FilesInFoldersWithBlanksAndWordsOfAShell) {
  const std::string odd = folder_.file("a b; $(touch x)");
  std::filesystem::create_directory(odd);
  write_text(odd + "/n.cpp", std::string(kBegin) + "  net.output(\"y\", x | relu);\n" + kEnd +
                                 "HALCYON_NETWORK(net);\n");
  const Finished finished = run_halcyon({"compile", odd + "/n.cpp", "-o", odd + "/o ut"});
  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_EQ(names_in(odd + "/o ut").size(), 4u);
}

TEST_F(SourceErrors, AMachineWithoutTheCompilerThatWasNamed) {
  const std::string file = network("  net.output(\"y\", x | relu);\n");
  Command command = halcyon_command({"compile", file, "-o", out_});
  command.environment["CXX"] = "/nonexistent/c++";
  expect_failure(run_program(command), 1, "error: cannot run the C++ compiler '/nonexistent/c++': ",
                 "hint: install g++ or clang++, or name one in the environment variable CXX");
  command.environment["CXX"] = folder_.file("");  // a folder cannot be run
  expect_failure(run_program(command), 1, "error: cannot run the C++ compiler '");
  command.environment["CXX"] = "/bin/false";
  expect_failure(run_program(command), 1, "does not compile");
  EXPECT_EQ(names_in(out_), std::vector<std::string>{});
}

TEST_F(SourceErrors, CxxMayBeSeveralWordsOrAPathWithBlanks) {
  Command command = halcyon_command(
      {"compile", network("  net.output(\"y\", x | relu);\n"), "-o", out_, "--stop-after", "fuse"});
  command.environment["CXX"] = "  env LC_ALL=C " HALCYON_CXX " -DANYTHING ";
  EXPECT_EQ(run_program(command).status, 0);
  std::filesystem::create_directory(folder_.file("a b"));
  command.environment["CXX"] = folder_.file("a b/c++");
  std::filesystem::create_symlink(HALCYON_CXX, folder_.file("a b/c++"));
  EXPECT_EQ(run_program(command).status, 0);
}

TEST_F(SourceErrors, APlaceForTemporaryFilesThatIsNotThere) {
  const std::string file = network("  net.output(\"y\", x | relu);\n");
  Command command = halcyon_command({"compile", file, "-o", out_});
  command.environment["TMPDIR"] = folder_.file("gone");
  expect_failure(run_program(command), 1, "temporary");
  EXPECT_EQ(names_in(out_), std::vector<std::string>{});
}

TEST_F(SourceErrors, NoTemporaryFilesAreLeft) {
  std::filesystem::create_directory(folder_.file("tmp"));
  for (const char* body : {"  net.output(\"y\", x | relu);\n", "  wrong;\n"}) {
    Command command = halcyon_command({"compile", network(body), "-o", out_});
    command.environment["TMPDIR"] = folder_.file("tmp");
    run_program(command);
    EXPECT_EQ(names_in(folder_.file("tmp")), std::vector<std::string>{});
  }
}

TEST_F(SourceErrors, AProgramThatDoesNotGetToItsNetworkSaysWhy) {
  // In place of the compiler: its last argument is the program that it should make.
  const std::string compiler = folder_.file("c++"), program = folder_.file("program");
  write_text(compiler, "#!/bin/sh\nfor last; do :; done\ncp '" + program + "' \"$last\"\n");
  std::filesystem::permissions(compiler, std::filesystem::perms::owner_all);
  const auto refused = [&](const std::string& line, const auto&... parts) {
    write_text(program, "#!/bin/sh\n" + line + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    Command command = halcyon_command({"compile", network(""), "-o", out_});
    command.environment["CXX"] = compiler;
    expect_failure(run_program(command), 1, parts...);
  };
  refused("kill -ABRT $$", "the program that describes the network was ended by a signal: Aborted");
  refused("echo no data >&2; exit 7",
          "the program that describes the network ended with status 7; it said:\nno data\n");
  refused("exit 0", "ended without printing it", "hint: does the function call exit?");
  refused("echo hello", "mine.cpp prints 'hello' in front of the network",
          "hint: standard output carries the network: print to standard error instead");
  write_text(compiler, "#!/bin/sh\n");
  refused("", "mine.cpp: cannot run the program that the C++ compiler made of it: No such file",
          "hint: is CXX a C++ compiler");
  EXPECT_EQ(names_in(out_), std::vector<std::string>{});
}

/// Programs that do not end, and start others that do not either.
class EndlessSource : public SourceErrors {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_.file("tmp"));
    write_script("hang", "sleep 1000 &\necho $! >'" + folder_.file("pid.new") + "'\nmv '" +
                             folder_.file("pid.new") + "' '" + folder_.file("pid") + "'\nwait\n");
    // Its last argument is the program that it should make.
    write_script("c++", "for last; do :; done\ncp '" + folder_.file("hang") + "' \"$last\"\n");
  }

  void write_script(const std::string& name, const std::string& lines) const {
    write_text(folder_.file(name), "#!/bin/sh\n" + lines);
    std::filesystem::permissions(folder_.file(name), std::filesystem::perms::owner_all);
  }

  Command compile_with(const std::string& compiler, const std::string& timeout_s) const {
    Command command = halcyon_command({"compile", network("  net.output(\"y\", x | relu);\n"), "-o",
                                       out_, "--source-timeout", timeout_s});
    command.environment["CXX"] = folder_.file(compiler);
    command.environment["TMPDIR"] = folder_.file("tmp");
    return command;
  }

  bool is_hanging() const { return std::filesystem::exists(folder_.file("pid")); }

  /// One that nobody waited for is dead as well.
  static bool is_alive(const std::string& pid) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string text;
    return std::getline(stat, text) && text.find(") Z ") == std::string::npos;
  }

  /// Neither temporary files nor processes are left.
  void expect_nothing_left() const {
    EXPECT_EQ(names_in(folder_.file("tmp")), std::vector<std::string>{});
    EXPECT_EQ(names_in(out_), std::vector<std::string>{});
    ASSERT_TRUE(is_hanging());
    std::string pid = read_text(folder_.file("pid"));
    pid.pop_back();
    // A process that was killed takes a moment to go.
    for (int tries = 0; tries < 1000 && is_alive(pid); ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_FALSE(is_alive(pid)) << "process " << pid << " still runs";
    std::filesystem::remove(folder_.file("pid"));
  }
};

TEST_F(EndlessSource, IsStoppedWhenItsTimeIsOver) {
  expect_failure(run_program(compile_with("c++", "2")), 1,
                 "mine.cpp: the program that describes the network ran longer than 2 s",
                 "hint: does a loop of it never end? --source-timeout SECONDS waits longer");
  expect_nothing_left();
  expect_failure(run_program(compile_with("hang", "2")), 1, "mine.cpp: the C++ compiler '",
                 "took longer than 2 s", "hint: is the machine very busy? --source-timeout");
  expect_nothing_left();
}

TEST_F(EndlessSource, IsStoppedWithUsBySignals) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    for (const char* compiler : {"c++", "hang"}) {
      const Finished finished = run_and_kill(
          compile_with(compiler, "1000"), [&] { return is_hanging(); }, signal);
      EXPECT_EQ(finished.status, 128 + signal) << finished.errors;
      expect_nothing_left();
    }
  }
}

}  // namespace
}  // namespace halcyon::tests
