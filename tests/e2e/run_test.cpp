/// halcyon run: files in, the same results out that a program gets which links the network.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "e2e_grey.h"
#include "runtime/data/npy.h"
#include "runtime/data/numbers.h"
#include "runtime/data/picture.h"
#include "runtime/data/read_picture.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "tests/e2e/batches.h"
#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

constexpr const char* kMixed = R"(#include <halcyon/dsl.h>
using namespace halcyon::dsl;
constexpr Network net() {
  Network net("mixed");
  Tensor left = net.input("left", {.height = 6, .width = 5, .channels = 3});
  Tensor right = net.input("right", {.height = 6, .width = 5, .channels = 3});
  net.output("map", add(left, right) | conv(1, 3, {.pad = 1}) | sigmoid);
  net.output("scores", left | flatten | dense(4));
  return net;
}
HALCYON_NETWORK(net);
)";

class Run : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.file(name); }

  void write_array(const std::string& name, const Shape& shape,
                   const std::vector<float>& values) const {
    runtime::write_npy(file(name), runtime::Tensor(shape, values));
  }
  std::vector<float> read_array(const std::string& name) const {
    return floats(runtime::read_npy(file(name)));
  }
  static std::vector<float> floats(const runtime::Tensor& tensor) {
    return {tensor.floats().begin(), tensor.floats().end()};
  }
  Finished run(std::vector<std::string> words) const {
    words.insert(words.begin(), "run");
    Finished finished = run_halcyon(words);
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return finished;
  }

  TemporaryFolder folder_;
};

TEST_F(Run, AnArrayGivesWhatALinkedNetworkGives) {
  runtime::Network network(*e2e_grey_network());
  network.initialize(3);
  network.save(file("w.safetensors"));
  network.reserve(3);
  const Batch batch = random_batch(network.info(), 3, 1);
  const std::vector<float> expected = infer(network, batch);
  write_array("x.npy", {3, 28, 28, 1}, batch.images);
  for (const char* threads : {"1", "2"}) {
    const Finished finished =
        run({"zoo:lenet5:28x28x1", "--input", file("x.npy"), "--output", file("y.npy"), "--weights",
             file("w.safetensors"), "--threads", threads});
    EXPECT_EQ(finished.errors, "");
    EXPECT_NE(finished.output.find("y.npy: scores [3,10]\n"), std::string::npos) << finished.output;
    EXPECT_EQ(runtime::read_npy(file("y.npy")).shape(), (Shape{3, 10}));
    const std::vector<float> found = read_array("y.npy");
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5f);
  }
}

TEST_F(Run, WithoutWeightsTheSeedDecidesAndAWarningIsGiven) {
  write_array("x.npy", {32, 32, 3}, std::vector<float>(32 * 32 * 3, 0.5f));
  std::vector<std::vector<float>> results;
  for (const char* seed : {"1", "1", "2"}) {
    const Finished finished =
        run({"zoo:lenet5", "--input", file("x.npy"), "--output", file("y.npy"), "--seed", seed});
    EXPECT_EQ(finished.errors, std::string("warning: no --weights: they are random (seed ") + seed +
                                   "), and so are the results\n");
    results.push_back(read_array("y.npy"));
  }
  EXPECT_TRUE(same_bits(results[0], results[1]));
  EXPECT_FALSE(same_bits(results[0], results[2]));
}

TEST_F(Run, APictureIsClassifiedWithLabels) {
  runtime::Picture picture{40, 50, std::vector<uint8_t>(40 * 50 * 3, 90)};
  write_png(file("p.png"), picture);
  std::string labels;
  for (int i = 0; i < 10; ++i) labels += "name" + std::to_string(i) + "\n";
  write_text(file("labels.txt"), labels);
  const Finished finished =
      run({"zoo:lenet5", "--input", file("p.png"), "--resize", "--mean", "0.4,0.4,0.4",
           "--deviation", "0.2", "--top", "3", "--labels", file("labels.txt")});
  const std::vector<std::string> lines = lines_of(finished.output);
  ASSERT_EQ(lines.size(), 5u) << finished.output;
  EXPECT_EQ(lines[0], "scores");
  for (int i = 1; i <= 3; ++i)
    EXPECT_NE(lines[static_cast<std::size_t>(i)].find("  name"), std::string::npos);
  EXPECT_NE(lines[4].find(" ms for a batch of 1 with "), std::string::npos);
}

TEST_F(Run, SeveralInputsAndOutputsHaveNames) {
  write_text(file("mixed.cpp"), kMixed);
  std::vector<float> left(90), right(90);
  for (std::size_t i = 0; i < 90; ++i) left[i] = static_cast<float>(i % 7) - 3;
  write_array("l.npy", {6, 5, 3}, left);
  write_array("r.npy", {1, 6, 5, 3}, right);
  run({file("mixed.cpp"), "--input", "left=" + file("l.npy"), "--input", "right=" + file("r.npy"),
       "--output", "map=" + file("m.png"), "--output", "map=" + file("m.npy"), "--output",
       "scores=" + file("s.npy"), "--output", file("all.safetensors")});
  EXPECT_EQ(runtime::read_npy(file("m.npy")).shape(), (Shape{1, 6, 5, 1}));
  const std::vector<float> map = read_array("m.npy");
  const runtime::Picture picture = runtime::read_picture(file("m.png"));
  ASSERT_EQ(picture.rgb.size(), 90u);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_NEAR(picture.rgb[3 * i], 255 * map[i], 0.51f);
  const runtime::WeightFile all = runtime::read_weights(file("all.safetensors"));
  EXPECT_EQ(floats(runtime::to_tensor(*all.find("scores"), "")), read_array("s.npy"));

  // The same from one file with both inputs, told as JSON.
  runtime::WeightFile both;
  std::ranges::copy(left, both.add("left", {1, 6, 5, 3}).begin());
  both.add("right", {1, 6, 5, 3});
  runtime::write_weights(file("x.safetensors"), both);
  const Finished finished = run({file("mixed.cpp"), "--input", file("x.safetensors"), "--json"});
  const nlohmann::json json = nlohmann::json::parse(finished.output);
  EXPECT_EQ(json["outputs"][0]["shape"], (std::vector<int>{1, 6, 5, 1}));
  EXPECT_EQ(json["outputs"][0]["values"].get<std::vector<float>>(), map);
  EXPECT_EQ(json["outputs"][1]["top"][0].size(), 4u);
  EXPECT_GT(json["ms"], 0);
}

TEST_F(Run, ADamagedOrUselessCacheIsNoError) {
  const std::string cache = file("cache");
  write_array("x.npy", {28, 28, 1}, std::vector<float>(28 * 28, 0.25f));
  const auto result = [&](const std::string& folder) {
    run({"zoo:lenet5:28x28x1", "--input", file("x.npy"), "--output", file("y.npy"), "--cache",
         folder});
    return read_array("y.npy");
  };
  const std::vector<float> expected = result(cache);
  const std::vector<std::string> entries = names_in(cache);
  ASSERT_GT(entries.size(), 3u);
  std::vector<std::string> before;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string path = cache + "/" + entries[i];
    before.push_back(read_text(path));
    std::string text = before.back();
    text[text.size() / 2] ^= 1;
    write_text(path, i == 0 ? "" : i == 1 ? text.substr(0, text.size() - 1) : text);
  }
  EXPECT_TRUE(same_bits(result(cache), expected));
  for (std::size_t i = 0; i < entries.size(); ++i)
    EXPECT_EQ(read_text(cache + "/" + entries[i]), before[i]) << "is not repaired";
  write_text(file("plain"), "no folder");
  EXPECT_TRUE(same_bits(result(file("plain")), expected));
  EXPECT_EQ(read_text(file("plain")), "no folder");
}

}  // namespace
}  // namespace halcyon::tests
