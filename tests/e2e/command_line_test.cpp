/// What halcyon says to wrong words, names and folders. Nothing is half-written in any case.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

namespace fs = std::filesystem;

class CommandLine : public testing::Test {
 protected:
  /// halcyon compile zoo:lenet5 into a folder that must stay away.
  template <typename... Parts>
  void expect_compile_fails(std::vector<std::string> words, int status, const Parts&... parts) {
    words.insert(words.begin(), {"compile", "-o", out_});
    expect_failure(run_halcyon(words), status, parts...);
    EXPECT_EQ(names_in(out_), std::vector<std::string>{});
  }

  TemporaryFolder folder_;
  const std::string out_ = folder_.file("out");
};

TEST_F(CommandLine, UnknownCommandsOptionsAndMissingWordsAreBadUsage) {
  expect_failure(run_halcyon({"frobnicate"}), 2, "error: there is no command 'frobnicate'",
                 "hint: the commands are compile, train, verify");
  expect_failure(run_halcyon({}), 2, "error: a subcommand is required", "hint: halcyon --help");
  expect_failure(run_halcyon({"compile", "-o", out_}), 2, "error: SRC is required");
  expect_failure(run_halcyon({"compile", "zoo:lenet5"}), 2, "error: --output is required");
  expect_compile_fails({"zoo:lenet5", "--frob"}, 2, "not expected: --frob");
  expect_compile_fails({"zoo:lenet5", "--jobs", "x"}, 2, "--jobs");
}

TEST_F(CommandLine, NumbersThatAreNoneOrOutOfRangeAreBadUsage) {
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--batch", "0"}), 2,
                 "error: --batch: '0' is no whole number from 1 to 1048576");
  for (const std::string wrong :
       {"-1", "99999999999999999999", "1.5", "0x10", "010", "+1", " 1", "ten", "nan", ""}) {
    for (const std::string option :
         {"--batch", "--epochs", "--steps", "--seed", "--warmup", "--threads", "--jobs"}) {
      expect_failure(run_halcyon({"train", "zoo:lenet5", option, wrong}), 2,
                     "error: " + option + ": '" + wrong + "' is no whole number from ",
                     "hint: halcyon --help");
    }
  }
  expect_failure(run_halcyon({"bench", "zoo:lenet5", "--runs", "0"}), 2, "--runs: '0'");
  expect_failure(run_halcyon({"verify", "zoo:lenet5", "--seed", "-1"}), 2, "--seed: '-1'");
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--seed", "18446744073709551616"}), 2,
                 "is no whole number from 0 to 18446744073709551615");
  for (const std::string wrong : {"-1", "0", "nan", "inf", "1e39", "1e-60", "fast", ""}) {
    expect_failure(run_halcyon({"train", "zoo:lenet5", "--lr", wrong}), 2,
                   "error: --lr: '" + wrong + "' is no number above 0");
  }
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--momentum", "1"}), 2,
                 "error: --momentum: '1' is no number from 0 to below 1");
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--weight-decay", "-1"}), 2,
                 "error: --weight-decay: '-1' is no number from 0");
}

TEST_F(CommandLine, InputShapesThatAreNoneAreBadUsageAndSmallerPicturesAMistake) {
  for (const std::string wrong :
       {"", "40x", "x40", "0x40", "-40x40", "40 x 40", "40x40x3x1x1x1x1x1x1"}) {
    expect_failure(run_halcyon({"summary", "zoo:lenet5", "--input-shape", wrong}), 2,
                   "error: --input-shape: '" + wrong + "' is no shape of an input",
                   "hint: HxW or HxWxC, such as 256x320x3");
  }
  expect_failure(run_halcyon({"summary", "zoo:lenet5", "--input-shape", "32x31"}), 1,
                 "error: input 'image'",
                 "a picture of 32x31 is smaller than the one that the network is made for, 32x32");
  expect_failure(run_halcyon({"verify", "zoo:lenet5", "--input-shape", "40x40x1"}), 1,
                 "the picture has 1 channels, the network is made for 3");
  expect_compile_fails({"zoo:lenet5", "--input-shape", "40x40", "--train"}, 2, "--input-shape");
}

TEST_F(CommandLine, ANetworkSlidesOverALargerPicture) {
  const Finished finished =
      run_halcyon({"summary", "zoo:lenet5", "--input-shape", "40x36", "--json"});
  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_NE(finished.output.find("62958"), std::string::npos) << finished.output;
}

TEST_F(CommandLine, HelpIsNoError) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"compile", "--help"}, {"train", "--help"}, {"zoo"}, {"passes"}}) {
    const Finished finished = run_halcyon(words);
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.errors, "");
    EXPECT_GT(finished.output.size(), 50u);
  }
}

TEST_F(CommandLine, TheZooIsListedWithItsPictures) {
  const std::string list = run_halcyon({"zoo"}).output;
  for (const char* part :
       {"zoo:lenet5 ", " 62958 parameters ", " 32x32x3 ", " LeNet-5 with ReLU"}) {
    EXPECT_NE(list.find(part), std::string::npos) << list;
  }
}

TEST_F(CommandLine, TheVersionNamesWhatMakesTheCode) {
  const Finished finished = run_halcyon({"--version"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.errors, "");
  EXPECT_TRUE(std::regex_match(
      finished.output,
      std::regex("halcyon \\d+\\.\\d+\\.\\d+ \\(Halide 14[.0-9]*, LLVM 14[.0-9]*\\)\n")))
      << finished.output;
}

TEST_F(CommandLine, NetworksTheZooDoesNotHave) {
  expect_compile_fails({"zoo:nope"}, 1, "error: the zoo has no network 'nope'",
                       "hint: it has alexnet, ");
  expect_compile_fails({"zoo:"}, 1, "error: the zoo has no network ''");
  for (const std::string shape : {"0x1x1", "28x28", "28x28x1x", "axbxc", "-3x3x3", "",
                                  "99999999999999999999x1x1", "28x28x1 "}) {
    expect_compile_fails({"zoo:lenet5:" + shape}, 1,
                         "error: zoo:lenet5:" + shape + ": '" + shape + "' is no picture shape",
                         "hint: write HEIGHTxWIDTHxCHANNELS, as in zoo:lenet5:28x28x1");
  }
}

TEST_F(CommandLine, PicturesOfTheZooThatAreTooSmallOrTooLarge) {
  expect_compile_fails({"zoo:lenet5:4x4x1"}, 1, "error: conv 'conv1' (lenet5.h:",
                       "a window of 5 (kernel 5, dilation 1) does not fit into 4");
  expect_compile_fails({"zoo:lenet5:65536x65536x4"}, 1, "input 'image'", "2147483647");
}

TEST_F(CommandLine, TargetsThatHalideDoesNotKnowOrWeDoNotMake) {
  for (const std::string wrong : {"nonsense", "", "x86-64-linux-frob", "HOST"}) {
    expect_compile_fails({"zoo:lenet5", "--target", wrong}, 1,
                         "error: unknown target '" + wrong + "'", "hint: host, or a name such as");
  }
  for (const std::string other : {"x86-64-windows", "arm-32-linux"}) {
    expect_compile_fails({"zoo:lenet5", "--target", other}, 1,
                         "error: target '" + other + "' is not supported",
                         "hint: x86-64-linux and arm-64-linux are");
  }
  for (const std::string command : {"summary", "verify", "bench"}) {
    expect_failure(run_halcyon({command, "zoo:lenet5", "--target", "nonsense"}), 1,
                   "error: unknown target 'nonsense'");
  }
}

TEST_F(CommandLine, ValuesThatAnOptionDoesNotHaveAreBadUsage) {
  expect_compile_fails({"zoo:lenet5", "--dump-after", "frob"}, 2,
                       "error: --dump-after: there is no pass 'frob'", "hint: the passes are",
                       "plan_memory");
  expect_compile_fails({"zoo:lenet5", "--stop-after", "frob"}, 2, "there is no pass 'frob'");
  expect_compile_fails({"zoo:lenet5", "--no-fuse", "pool,convs"}, 2,
                       "error: --no-fuse: unknown fusion 'convs'", "hint: pool or reduce");
  expect_compile_fails({"zoo:lenet5", "--train", "--optimizer", "lion"}, 2,
                       "error: --optimizer: unknown optimizer 'lion'",
                       "hint: sgd, momentum, rmsprop or adam");
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--schedule", "zigzag"}), 2,
                 "error: --schedule: unknown learning-rate schedule 'zigzag'");
}

TEST_F(CommandLine, AnEmptyPathIsNotAnOptionLeftOut) {
  expect_failure(run_halcyon({"compile", "zoo:lenet5", "-o", ""}), 2,
                 "error: --output: the path is empty");
  for (const std::string option : {"--weights", "--cache"}) {
    expect_compile_fails({"zoo:lenet5", option, ""}, 2, "error: " + option + ": the path is empty");
  }
  for (const std::string option :
       {"--weights", "--save", "--checkpoint", "--resume", "--log", "--cache"}) {
    expect_failure(run_halcyon({"train", "zoo:lenet5", option, ""}), 2,
                   "error: " + option + ": the path is empty");
  }
  for (const std::string option : {"--weights", "--labels"}) {
    expect_failure(run_halcyon({"run", "zoo:lenet5", "--input", "x.npy", option, ""}), 2,
                   "error: " + option + ": the path is empty");
  }
  EXPECT_EQ(names_in(out_), std::vector<std::string>{});
}

TEST_F(CommandLine, TargetsWithWhatIsNoSetOfInstructions) {
  for (const std::string feature :
       {"cuda", "opencl", "debug", "profile", "asan", "msan", "jit", "no_asserts",
        "c_plus_plus_name_mangling", "no_runtime", "user_context"}) {
    expect_compile_fails({"zoo:lenet5", "--target", "x86-64-linux-sse41-" + feature}, 1,
                         "error: target 'x86-64-linux-sse41-" + feature +
                             "' is not supported: " + feature + " is no set of instructions");
  }
}

TEST_F(CommandLine, HelpThatCannotBeWrittenIsNotSaidToBe) {
  for (const char* words : {"--help", "compile --help", "--version", "zoo"}) {
    const Finished finished = run_program(
        {.words = {"sh", "-c", std::string(HALCYON_PROGRAM) + " " + words + " >/dev/full"}});
    expect_failure(finished, 1, "error: cannot write to standard output");
  }
}

TEST_F(CommandLine, OptionsThatMeanNothingTogetherAreBadUsage) {
  expect_compile_fails({"zoo:lenet5", "--optimizer", "adam"}, 2,
                       "error: --optimizer requires --train");
  expect_compile_fails({"zoo:lenet5", "--freeze", "conv*"}, 2, "error: --freeze requires --train");
  expect_failure(run_halcyon({"bench", "zoo:lenet5", "--optimizer", "adam"}), 2,
                 "error: --optimizer requires --train");
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--weights", "a", "--resume", "b"}), 2,
                 "--weights", "excludes", "--resume");
}

TEST_F(CommandLine, CodeForAnotherMachineIsNotRunHere) {
  expect_failure(run_halcyon({"train", "zoo:lenet5", "--target", "arm-64-linux", "--steps", "1"}),
                 1, "error: code for arm-64-linux cannot run on this machine");
}

TEST_F(CommandLine, LibraryNamesThatAreNone) {
  const std::string huge(5000, 'a');
  for (const std::string& name :
       {huge, std::string(41, 'a'), std::string("../evil"), std::string("a b"), std::string("1st"),
        std::string("caf\xc3\xa9"), std::string("_hidden")}) {
    expect_compile_fails({"zoo:lenet5", "--name", name}, 2, "error: --name: library name '",
                         "is not usable", "at most 40 in all");
  }
  expect_compile_fails({"zoo:lenet5", "--name", "class"}, 2,
                       "error: --name: library name 'class' already means something else",
                       "hint: choose another with --name");
  EXPECT_EQ(folder_.count(), 0u);
  EXPECT_EQ(
      run_halcyon({"compile", "zoo:lenet5", "-o", out_, "--name", std::string(40, 'a')}).status, 0);
}

TEST_F(CommandLine, FoldersThatCannotBeWritten) {
  write_text(folder_.file("plain"), "kept");
  for (const std::string& path :
       {folder_.file("plain"), folder_.file("plain/deeper"), std::string("/proc/nowhere")}) {
    expect_failure(run_halcyon({"compile", "zoo:lenet5", "-o", path}), 1,
                   "error: cannot make folder " + path + ": ");
  }
  EXPECT_EQ(read_text(folder_.file("plain")), "kept");
  EXPECT_EQ(folder_.count(), 1u);
}

TEST_F(CommandLine, AFailedCompilationKeepsTheGoodLibraryOfBefore) {
  ASSERT_EQ(run_halcyon({"compile", "zoo:lenet5", "-o", out_}).status, 0);
  const std::vector<std::string> names = names_in(out_);
  EXPECT_EQ(names,
            (std::vector<std::string>{"lenet5.h", "lenet5.hpp", "lenet5.json", "liblenet5.a"}));
  std::vector<std::string> before, after;
  for (const std::string& name : names) before.push_back(read_text(out_ + "/" + name));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"compile", "zoo:lenet5:0x1x1", "-o", out_},
           {"compile", "zoo:lenet5", "-o", out_, "--target", "nonsense"},
           {"compile", "zoo:lenet5", "-o", out_, "--weights", folder_.file("none")}}) {
    EXPECT_NE(run_halcyon(words).status, 0);
  }
  EXPECT_EQ(names_in(out_), names);
  for (const std::string& name : names) after.push_back(read_text(out_ + "/" + name));
  EXPECT_EQ(before, after);
}

TEST_F(CommandLine, AFileThatCannotBeReplacedIsNamed) {
  fs::create_directories(out_ + "/liblenet5.a");
  expect_failure(run_halcyon({"compile", "zoo:lenet5", "-o", out_}), 1,
                 "cannot write '" + out_ + "/liblenet5.a': it is a folder");
  EXPECT_EQ(names_in(out_), std::vector<std::string>{"liblenet5.a"});
}

TEST_F(CommandLine, StoppingEarlyWritesNoLibrary) {
  const Finished finished = run_halcyon(
      {"compile", "zoo:lenet5", "-o", out_, "--dump-after", "fuse", "--stop-after", "fuse"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_NE(finished.output.find("# inference, after fuse"), std::string::npos);
  EXPECT_NE(finished.output.find("region conv1"), std::string::npos);
  EXPECT_EQ(names_in(out_), std::vector<std::string>{});
}

TEST_F(CommandLine, ShowingPassesNeedsNoFolder) {
  Command command = halcyon_command({"compile", "zoo:lenet5", "--train", "--dump-after", "fuse"});
  command.folder = folder_.file("");
  const Finished dumped = run_program(command);
  EXPECT_EQ(dumped.status, 0) << dumped.errors;
  EXPECT_NE(dumped.output.find("# training, after fuse"), std::string::npos);
  EXPECT_NE(dumped.output.find("# inference, after fuse"), std::string::npos);
  EXPECT_EQ(dumped.output.find(".a, "), std::string::npos);  // what a library would be told with
  command.words = halcyon_command({"compile", "zoo:lenet5", "--stop-after", "fuse"}).words;
  EXPECT_EQ(run_program(command).status, 0);
  EXPECT_EQ(folder_.count(), 0u);
}

}  // namespace
}  // namespace halcyon::tests
