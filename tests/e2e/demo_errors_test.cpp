/// What the demo says to wrong words and places, before it spends time on training.

#include <gtest/gtest.h>

#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

class DemoErrors : public testing::Test {
 protected:
  /// Training would take hours: what is wrong must be found before.
  Finished demo(std::vector<std::string> more) const {
    more.insert(more.begin(), {HALCYON_DEMO, "--epochs", "10000"});
    return run_program({.words = more, .folder = folder_.file("")});
  }

  TemporaryFolder folder_;
};

TEST_F(DemoErrors, PlacesThatCannotBeWrittenAreFoundBeforeTheTraining) {
  const std::string nowhere = folder_.file("gone/file");
  for (const std::string option : {"--save", "--picture", "--checkpoint"}) {
    expect_failure(demo({option, nowhere}), 1,
                   "error: cannot write '" + nowhere + "': there is no folder '");
    expect_failure(demo({option, folder_.file("")}), 1, "it is a folder");
  }
  expect_failure(demo({"--save", ""}), 1, "its path is empty");
  expect_failure(demo({"--save", "a", "--picture", "./a"}), 1,
                 "error: --save and --picture both write './a'");
  expect_failure(demo({"--log", nowhere}), 1, "error: cannot write log '" + nowhere + "'");
  EXPECT_EQ(folder_.count(), 0u);
}

TEST_F(DemoErrors, DataThatIsNotThere) {
  expect_failure(demo({"--data", folder_.file("gone")}), 1, "error: no folder '");
  expect_failure(demo({"--resume", folder_.file("gone"), "--digits", "100"}), 1,
                 "error: cannot read '" + folder_.file("gone") + "'");
}

TEST_F(DemoErrors, WrongWordsAreBadUsage) {
  expect_failure(demo({"--frob"}), 2, "error: the following argument was not expected: --frob",
                 "hint: --help lists the options");
  expect_failure(demo({"--batch", "0"}), 2,
                 "error: --batch: '0' is no whole number from 1 to 65536");
  for (const std::string seed : {"-1", "1.5", "18446744073709551616", "ten", "0x10", ""}) {
    expect_failure(demo({"--seed", seed}), 2, "error: --seed: '" + seed + "' is no whole number");
  }
}

TEST_F(DemoErrors, HelpIsNoError) {
  const Finished help = demo({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.errors, "");
  EXPECT_NE(help.output.find("--save"), std::string::npos);
}

}  // namespace
}  // namespace halcyon::tests
