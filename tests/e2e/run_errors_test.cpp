/// What halcyon run says to files that do not fit and bounds that are too low. Nothing is
/// half-written in any case.

#include <gtest/gtest.h>

#include <cmath>

#include "e2e_grey.h"
#include "runtime/data/npy.h"
#include "runtime/data/picture.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

class RunErrors : public testing::Test {
 protected:
  RunErrors() { array("x.npy", {1, 28, 28, 1}); }

  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string array(const std::string& name, const Shape& shape, float value = 0.5f) const {
    runtime::Tensor tensor(shape);
    std::ranges::fill(tensor.floats(), value);
    runtime::write_npy(file(name), tensor);
    return file(name);
  }
  /// halcyon run with an output that must stay away.
  template <typename... Parts>
  void expect_refused(std::vector<std::string> words, int status, const Parts&... parts) const {
    words.insert(words.begin(), {"run", "zoo:lenet5:28x28x1", "--output", file("y.npy")});
    expect_failure(run_halcyon(words), status, parts...);
    for (const std::string& name : names_in(file(""))) EXPECT_FALSE(name.starts_with("y.npy"));
  }

  TemporaryFolder folder_;
};

TEST_F(RunErrors, InputsThatDoNotFit) {
  expect_refused({}, 2, "error: --input is required");
  expect_refused({"--input", file("none.npy")}, 1, "error: cannot read '" + file("none.npy") + "'");
  const std::string wide = array("wide.npy", {2, 28, 29, 1});
  expect_refused({"--input", wide}, 1,
                 "error: input 'image' from '" + wide +
                     "': it is [N,28,28,1] (HWC), the array is [2,28,29,1]");
  const std::string planes = array("planes.npy", {1, 1, 28, 28});
  expect_refused({"--input", planes}, 1, "hint: its channels come first, the network's come last");
  const std::string wrong = array("nan.npy", {28, 28, 1}, NAN);
  expect_refused({"--input", wrong}, 1,
                 "error: input 'image' from '" + wrong + "': value 0 of 784 is not a number");
  std::vector<std::byte> bytes = runtime::read_file(file("x.npy"));
  bytes.resize(bytes.size() - 4);
  runtime::write_file_atomically(file("cut.npy"), bytes);
  expect_refused({"--input", file("cut.npy")}, 1,
                 "error: array file '" + file("cut.npy") +
                     "': [1,28,28,1] of <f4 has 3136 bytes, the file holds 3132",
                 "hint: the file has been cut off");
}

TEST_F(RunErrors, APictureOfAnotherSize) {
  write_png(file("p.png"), runtime::Picture{20, 30, std::vector<uint8_t>(1800)});
  expect_refused({"--input", file("p.png")}, 1,
                 "error: input 'image' from '" + file("p.png") +
                     "': the picture has 20x30 pixels (height x width), the network takes 28x28",
                 "hint: --resize makes it fit");
}

TEST_F(RunErrors, OutputsThatCannotBeWritten) {
  const auto refused = [&](const std::string& path, const std::string& message) {
    expect_failure(
        run_halcyon({"run", "zoo:lenet5:28x28x1", "--input", file("x.npy"), "--output", path}), 1,
        "error: " + message);
  };
  refused(file("no/y.npy"), "cannot write '" + file("no/y.npy") + "': there is no folder");
  refused("/proc/y.npy", "cannot write '/proc/y.npy': ");
  refused(file("y.csv"), "output file '" + file("y.csv") + "' has a name that says nothing");
  refused(file("y.png"),
          "output 'scores' into '" + file("y.png") + "': a picture has one or three");
  EXPECT_EQ(names_in(file("")), std::vector<std::string>{"x.npy"});
}

TEST_F(RunErrors, WeightsAndLabelsThatDoNotFit) {
  runtime::WeightFile foreign;
  foreign.add("a.weight", {3});
  runtime::write_weights(file("w.safetensors"), foreign);
  expect_refused({"--input", file("x.npy"), "--weights", file("w.safetensors")}, 1,
                 "error: weights '" + file("w.safetensors") + "' do not fit network 'lenet5'");
  // ReLU would hide it.
  runtime::Network network(*e2e_grey_network());
  network.initialize(1);
  runtime::WeightFile spoiled = network.weights();
  spoiled.tensors[0].floats()[3] = NAN;
  runtime::write_weights(file("nan.safetensors"), spoiled);
  expect_refused({"--input", file("x.npy"), "--weights", file("nan.safetensors")}, 1,
                 "nan.safetensors: tensor '" + spoiled.tensors[0].name + "'", "not a number");
  expect_refused({"--input", file("x.npy"), "--weights", file("w.safetensors"), "--seed", "1"}, 2,
                 "--seed", "excludes", "--weights");
  write_text(file("labels.txt"), "a\nb\n");
  expect_refused(
      {"--input", file("x.npy"), "--labels", file("labels.txt")}, 1,
      "error: labels '" + file("labels.txt") + "': 2 lines, output 'scores' has 10 classes");
}

TEST_F(RunErrors, CodeForAnotherMachineIsNotRunHere) {
  expect_refused({"--input", file("x.npy"), "--target", "arm-64-linux"}, 1,
                 "error: code for arm-64-linux cannot run on this machine");
}

TEST_F(RunErrors, AWorkspaceAboveTheLimit) {
  array("many.npy", {100, 28, 28, 1});
  expect_refused({"--input", file("many.npy"), "--threads", "1", "--workspace-limit", "200K"}, 1,
                 "error: network 'lenet5': the workspace of batch 100 needs ",
                 "--workspace-limit is 204800 bytes (0.2 M)", "hint: a batch of ");
  expect_refused({"--input", file("x.npy"), "--workspace-limit", "64MB"}, 2,
                 "error: --workspace-limit: '64MB' is no number of bytes");
  const std::string out = file("out");
  for (const char* train : {"--timing", "--train"}) {
    expect_failure(
        run_halcyon({"compile", "zoo:lenet5", "-o", out, train, "--workspace-limit", "1K"}), 1,
        "error: network 'lenet5': the workspace of batch 1 needs ",
        "--workspace-limit is 1024 bytes", "hint: each further sample of a batch takes ");
  }
  expect_failure(
      run_halcyon({"compile", "zoo:lenet5", "-o", out, "--train", "--workspace-limit", "100K"}), 1,
      "error: network 'lenet5', training: the workspace of batch 1 needs ");
  EXPECT_EQ(names_in(out), std::vector<std::string>{});
  EXPECT_EQ(run_halcyon({"compile", "zoo:lenet5", "-o", out, "--workspace-limit", "1G"}).status, 0);
}

}  // namespace
}  // namespace halcyon::tests
