/// halcyon import and export: a model becomes a network file that gives what the model gives.

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "runtime/data/npy.h"
#include "runtime/data/picture.h"
#include "runtime/random.h"
#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

class Import : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.file(name); }

  static Finished succeed(std::vector<std::string> words) {
    Finished finished = run_halcyon(std::move(words));
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return finished;
  }

  /// A network with branches, batch norm, and an output that is a map.
  std::string exported() const {
    write_text(file("net.cpp"), R"(#include <halcyon/dsl.h>
using namespace halcyon::dsl;
constexpr Network net() {
  Network net("branches");
  Tensor x = net.input("image", {.height = 9, .width = 7, .channels = 3});
  x = x | conv_bn_relu(6, 3, {.pad = 1});
  x = concat({x | conv(4, 1, {.name = "narrow"}), x | max_pool(3, {.stride = 1, .pad = 1})});
  net.output("map", x);
  net.output("scores", x | global_average_pool({.keep_dims = false}) | dense(5) | softmax);
  return net;
}
HALCYON_NETWORK(net);
)");
    succeed({"export", file("net.cpp"), "--seed", "3", "-o", file("model.onnx")});
    return file("model.onnx");
  }

  TemporaryFolder folder_;
};

TEST_F(Import, AModelAndItsNetworkFileGiveTheSame) {
  const std::string model = exported();
  const Finished imported = succeed({"import", model, "-o", file("out")});
  EXPECT_EQ(names_in(file("out")),
            (std::vector<std::string>{"branches.cpp", "branches.graph", "branches.safetensors"}));
  EXPECT_NE(imported.output.find("branches.safetensors: 9 tensors"), std::string::npos)
      << imported.output;
  const std::string source = read_text(file("out/branches.cpp"));
  EXPECT_NE(source.find(".height = 9, .width = 7, .channels = 3}"), std::string::npos) << source;
  EXPECT_NE(source.find("conv_bn_relu(6, 3, {.pad = 1"), std::string::npos) << source;
  EXPECT_EQ(read_text(file("out/branches.graph")).substr(0, 19), "network \"branches\"\n");

  runtime::Tensor images({2, 9, 7, 3});
  runtime::Random random(5);
  for (float& value : images.floats()) value = static_cast<float>(random.uniform(-1, 1));
  runtime::write_npy(file("x.npy"), images);
  const auto outputs = [&](std::vector<std::string> words, const std::string& name) {
    words.insert(words.begin(), "run");
    for (const char* output : {"map", "scores"}) {
      words.insert(words.end(), {"--output", output + ("=" + file(name + output + ".npy"))});
    }
    words.insert(words.end(), {"--input", file("x.npy")});
    succeed(words);
  };
  outputs({model}, "a_");
  outputs({file("out/branches.cpp"), "--weights", file("out/branches.safetensors")}, "b_");
  outputs({file("net.cpp"), "--seed", "3"}, "c_");
  for (const char* output : {"map.npy", "scores.npy"}) {
    const runtime::Tensor ours = runtime::read_npy(file(std::string("c_") + output));
    for (const char* kind : {"a_", "b_"}) {
      const runtime::Tensor found = runtime::read_npy(file(kind + std::string(output)));
      ASSERT_EQ(found.shape(), ours.shape()) << kind << output;
      for (std::size_t i = 0; i < found.floats().size(); ++i) {
        ASSERT_NEAR(found.floats()[i], ours.floats()[i], 1e-5f) << kind << output << " " << i;
      }
    }
  }
}

// Its channels are last, as those of the network that was exported.
TEST_F(Import, AnExportedModelTakesPictures) {
  const std::string model = exported();
  runtime::write_png(file("x.png"), {9, 7, 3}, std::vector<uint8_t>(9 * 7 * 3, 128));
  const auto scores = [&](const std::string& source, const std::string& name) {
    succeed({"run", source, "--seed", "3", "--input", file("x.png"), "--output",
             "scores=" + file(name), "--output", "map=" + file("map.npy")});
    const runtime::Tensor found = runtime::read_npy(file(name));
    return std::vector<float>(found.floats().begin(), found.floats().end());
  };
  const std::vector<float> theirs = scores(model, "theirs.npy");
  const std::vector<float> ours = scores(file("net.cpp"), "ours.npy");
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(theirs[i], ours[i], 1e-5f);
}

TEST_F(Import, FilesThatAreNoModelsAndFoldersThatAreNone) {
  expect_failure(run_halcyon({"import", "zoo:lenet5", "-o", file("out")}), 1,
                 "'zoo:lenet5' is no model");
  expect_failure(run_halcyon({"import", file("none.onnx"), "-o", file("out")}), 1, "none.onnx");
  write_text(file("broken.onnx"), "no model at all");
  expect_failure(run_halcyon({"import", file("broken.onnx"), "-o", file("out")}), 1, "broken.onnx");
  expect_failure(run_halcyon({"import", file("broken.onnx")}), 2, "--output");
  EXPECT_FALSE(std::filesystem::exists(file("out")));
  expect_failure(run_halcyon({"import", exported(), "-o", file("broken.onnx")}), 1,
                 "cannot make folder");
  expect_failure(run_halcyon({"import", file("model.onnx"), "-o", file("out"), "--name", "9"}), 2,
                 "--name");
}

}  // namespace
}  // namespace halcyon::tests
