/// torchvision's networks as PyTorch exports them, held to what PyTorch computes. Skipped where
/// PyTorch is not installed (Debian's python3-torchvision).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/onnx/import.h"
#include "runtime/data/npy.h"
#include "tests/e2e/run_program.h"
#include "tests/onnx/run_model.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

/// Both sides round in single precision, and ours has Winograd's tiles.
constexpr double kTolerance = 2e-4;  // of the largest output
constexpr int kNotInstalled = 77;    // how the script ends

class TorchModels : public testing::TestWithParam<const char*> {};

TEST_P(TorchModels, GiveWhatPyTorchGives) {
  const TemporaryFolder folder;
  const Finished exported = run_program(
      {.words = {"/usr/bin/python3", HALCYON_SOURCE_DIR "/tests/onnx/export_torch_model.py",
                 GetParam(), folder.path().string()}},
      /*limit_s=*/300);
  if (exported.status == kNotInstalled) {
    GTEST_SKIP() << "PyTorch is not installed (Debian's python3-torchvision)";
  }
  ASSERT_EQ(exported.status, 0) << exported.errors;
  const runtime::Tensor image = runtime::read_npy(folder.file("image.npy"));
  const runtime::Tensor scores = runtime::read_npy(folder.file("scores.npy"));
  const Floats images(image.floats().begin(), image.floats().end());
  const Floats found = CompiledModel(compiler::import_file(folder.file("model.onnx")))
                           .run({{"image", images}}, /*threads=*/2)
                           .at("scores");
  ASSERT_EQ(found.size(), scores.floats().size());
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double expected = scores.floats()[i];
    largest = std::max(largest, std::abs(expected));
    error = std::max(error, std::abs(static_cast<double>(found[i]) - expected));
  }
  EXPECT_GT(largest, 0);
  EXPECT_LE(error, kTolerance * largest);
}

INSTANTIATE_TEST_SUITE_P(Networks, TorchModels,
                         testing::Values("resnet18", "googlenet", "squeezenet1_1", "mobilenet_v2",
                                         "densenet121", "vgg11_bn", "inception_v3"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace halcyon::tests
