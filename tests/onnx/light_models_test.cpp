/// Real topologies with seeded random weights, held against ONNX Runtime: ten inputs each, batches
/// of one and three, one and two threads. The models are ONNX's own "light" ones, whose weights are
/// constants; a script beside them fills them (tools/randomize_onnx.py, with Debian's
/// python3-onnx).

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "compiler/onnx/import.h"
#include "runtime/data/npy.h"
#include "runtime/random.h"
#include "runtime/temporary_folder.h"
#include "tests/e2e/run_program.h"
#include "tests/onnx/run_model.h"
#include "tests/support/data_folder.h"

namespace halcyon::tests {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 2e-4;  ///< of the largest output
constexpr int kInputs = 10;

struct Light {
  const char* name;
  const char* input;
  int64_t side;
};

void PrintTo(const Light& light, std::ostream* out) { *out << light.name; }

fs::path shared_folder() { return data_folder() / ".."; }

struct Missing {};

/// Errors: the program's own words; Missing where it lacks a package.
void run(const std::vector<std::string>& words) {
  const Finished done = run_program({words}, 300);
  if (done.status == 77) throw Missing{};
  if (done.status != 0) throw std::runtime_error(words[1] + ": " + done.errors);
}

class LightModels : public testing::TestWithParam<Light> {
 protected:
  /// What ONNX Runtime makes of the samples, one by one.
  Floats in_onnx_runtime(const std::string& model, const Floats& samples) {
    const Light& light = GetParam();
    const Shape shape = {kInputs, 3, light.side, light.side};
    runtime::write_npy(folder_.file("x.npy"), runtime::Tensor(shape, samples));
    run({"node", HALCYON_SOURCE_DIR "/benchmarks/peers/onnxruntime_run.js", model, "--one-by-one",
         "--input", std::string(light.input) + "=" + folder_.file("x.npy"), "--output",
         folder_.file("out")});
    const fs::path made = *fs::directory_iterator(folder_.file("out"));
    const runtime::Tensor array = runtime::read_npy(made.string());
    return {array.floats().begin(), array.floats().end()};
  }
  std::string with_weights() {
    const std::string light = std::string("light_") + GetParam().name + ".onnx";
    const std::string path = folder_.file("model.onnx");
    run({"/usr/bin/python3", (shared_folder() / "tools/randomize_onnx.py").string(),
         (shared_folder() / "models" / light).string(), path, "--seed", "7"});
    return path;
  }
  runtime::TemporaryFolder folder_;
};

TEST_P(LightModels, GiveWhatOnnxRuntimeGives) {
  if (!fs::exists(shared_folder() / "models")) {
    GTEST_SKIP() << "no light models beside the data (HALCYON_DATA names its folder)";
  }
  const Light& light = GetParam();
  runtime::Random random(11);
  Floats samples(static_cast<std::size_t>(kInputs * 3 * light.side * light.side));
  for (float& value : samples) value = static_cast<float>(random.uniform(-1, 1));
  const std::string path = with_weights();
  Floats expected;
  try {
    expected = in_onnx_runtime(path, samples);
  } catch (const Missing&) {
    GTEST_SKIP() << "no ONNX Runtime (benchmarks/peers/install_onnxruntime gets it)";
  }
  double largest = 0;
  for (float value : expected) largest = std::max(largest, std::abs(static_cast<double>(value)));
  ASSERT_GT(largest, 0);
  const CompiledModel model(compiler::import_file(path));
  for (int threads : {1, 2}) {
    for (int64_t batch : {1, 3}) {
      const Floats found = model.run({{light.input, samples}}, threads, batch).begin()->second;
      ASSERT_EQ(found.size(), expected.size());
      double error = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        error = std::max(error, std::abs(static_cast<double>(found[i] - expected[i])));
      }
      EXPECT_LE(error, kTolerance * largest) << "batch " << batch << ", " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LightModels,
                         testing::Values(Light{"bvlc_alexnet", "data_0", 224},
                                         Light{"inception_v1", "data_0", 224},
                                         Light{"resnet50", "gpu_0/data_0", 224},
                                         Light{"squeezenet", "data_0", 224},
                                         Light{"vgg19", "data_0", 224}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace halcyon::tests
