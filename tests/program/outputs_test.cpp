#include "runtime/program/outputs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/data/npy.h"
#include "runtime/data/numbers.h"
#include "runtime/data/read_picture.h"
#include "runtime/file.h"
#include "runtime/weights.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

constexpr halcyon_tensor_info kOutputs[] = {{"scores", HALCYON_F32, 1, {3}, "C", 3, 0},
                                            {"map", HALCYON_F32, 3, {2, 2, 1}, "HWC", 4, 0}};

class Outputs : public testing::Test {
 protected:
  Outputs() {
    network_.name = "net";
    network_.outputs = kOutputs;
    network_.output_count = 2;
  }

  /// What is printed.
  std::string deliver(const OutputValues& values) {
    const OutputPlan plan(network_, options_);
    testing::internal::CaptureStdout();
    plan.check_batch(values.batch);
    plan.deliver(values);
    std::fflush(stdout);
    return testing::internal::GetCapturedStdout();
  }
  template <typename... Parts>
  void expect_refused(const Parts&... parts) {
    expect_error<Error>([&] { OutputPlan(network_, options_); }, parts...);
  }
  std::string labels(const std::string& text) {
    write_file_atomically(folder_.file("labels.txt"), std::as_bytes(std::span(text)));
    return folder_.file("labels.txt");
  }

  tests::TemporaryFolder folder_;
  halcyon_network network_{};
  OutputOptions options_;
  static std::vector<float> floats(const Tensor& tensor) {
    return {tensor.floats().begin(), tensor.floats().end()};
  }
  static OutputValues values_of(int64_t batch, int threads, double time_ms,
                                const std::vector<float>& scores, const std::vector<float>& map) {
    return {batch, threads, time_ms, {Tensor({batch, 3}, scores), Tensor({batch, 2, 2, 1}, map)}};
  }
  const OutputValues one_ = values_of(1, 2, 1.5, {0.25f, 0.5f, 0.125f}, {0, 1, 0.5f, 2});
};

TEST_F(Outputs, ClassesArePrintedLargestFirstAndMapsInShort) {
  options_.top = 2;
  EXPECT_EQ(deliver(one_),
            "scores\n         0.5  class 1\n        0.25  class 0\n"
            "map [1,2,2,1]: least 0, mean 0.875, most 2\n"
            "1.500 ms for a batch of 1 with 2 threads\n");
}

TEST_F(Outputs, LabelsNameTheClasses) {
  options_.labels = labels("a cat\r\nb\nthe third\n\n");
  const std::string text = deliver(values_of(2, 1, 1, {1, 2, 3, NAN, 5, 4}, std::vector<float>(8)));
  EXPECT_NE(text.find("scores, sample 1 of 2\n           3  class 2  the third\n"), text.npos)
      << text;
  EXPECT_NE(
      text.find("class 1  b\n           4  class 2  the third\n         nan  class 0  a cat\n"),
      text.npos)
      << text;
}

TEST_F(Outputs, LabelsMustFit) {
  options_.labels = labels("a\nb\n");
  expect_refused("labels '" + options_.labels + "': 2 lines, output 'scores' has 3 classes");
  options_.labels = folder_.file("none");
  expect_refused("cannot read '");
}

TEST_F(Outputs, JsonHasClassesAndValues) {
  options_.json = true;
  options_.labels = labels("a\n\xff\nc\n");
  const nlohmann::json json = nlohmann::json::parse(deliver(one_));
  EXPECT_EQ(json["network"], "net");
  EXPECT_EQ(json["batch"], 1);
  EXPECT_EQ(json["ms"], 1.5);
  EXPECT_EQ(json["outputs"][0]["shape"], (std::vector<int>{1, 3}));
  EXPECT_EQ(json["outputs"][0]["top"][0][0]["class"], 1);
  EXPECT_EQ(json["outputs"][0]["top"][0][1]["label"], "a");
  EXPECT_EQ(json["outputs"][1]["values"], (std::vector<double>{0, 1, 0.5, 2}));
}

TEST_F(Outputs, GoIntoFilesOfEachKind) {
  options_.files = {"scores=" + folder_.file("s.npy"), "map=" + folder_.file("m.png"),
                    folder_.file("all.safetensors")};
  const std::string text = deliver(one_);
  EXPECT_NE(text.find("s.npy: scores [1,3]\n"), text.npos) << text;
  EXPECT_EQ(text.find("class"), text.npos);
  const Tensor scores = read_npy(folder_.file("s.npy"));
  EXPECT_EQ(scores.shape(), (Shape{1, 3}));
  EXPECT_EQ(floats(scores), floats(one_.values[0]));
  EXPECT_EQ(read_picture(folder_.file("m.png")).rgb,
            (std::vector<uint8_t>{0, 0, 0, 255, 255, 255, 128, 128, 128, 255, 255, 255}));
  const WeightFile all = read_weights(folder_.file("all.safetensors"));
  EXPECT_EQ(floats(to_tensor(*all.find("map"), "")), floats(one_.values[1]));
  EXPECT_EQ(all.find("map")->shape, (std::vector<int64_t>{1, 2, 2, 1}));
}

TEST_F(Outputs, FilesThatCannotHoldThemAreRefusedAtOnce) {
  options_.files = {folder_.file("a.txt")};
  expect_refused("a.txt' has a name that says nothing of its format",
                 "hint: .npy, .safetensors and .png are written");
  options_.files = {folder_.file("a.npy")};
  expect_refused("is for one output, network 'net' has 2", "hint: write NAME=");
  options_.files = {"scores=" + folder_.file("a.png")};
  expect_refused("a picture has one or three channels, the output is [N,3] (C)");
  options_.files = {"map=" + folder_.file("no/a.npy")};
  expect_refused("cannot write '", "there is no folder");
  options_.files = {"map=" + folder_.file("a.png")};
  expect_error<UserError>([&] { OutputPlan(network_, options_).check_batch(3); },
                          "holds one picture, the batch is 3");
  options_.files = {"score=" + folder_.file("a.npy")};
  expect_refused(
      "network 'net' has no output 'score'",
      "hint: the outputs are 'scores', 'map'; a file whose name has a '=' is written as ./score=");
  options_.files = {"scores=" + folder_.file("a.npy"), "map=" + folder_.file("./a.npy")};
  expect_refused("--output " + options_.files[0] + " and --output " + options_.files[1] +
                 " both write '");
  EXPECT_EQ(folder_.count(), 0u);
}

}  // namespace
}  // namespace halcyon::runtime
