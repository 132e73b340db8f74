/// Weights that others have trained, in a network of ours: ResNet-20 as PyTorch saved it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "compiler/driver/load.h"
#include "dsl/zoo/resnet_cifar.h"
#include "runtime/data/cifar.h"
#include "runtime/data/npy.h"
#include "runtime/data/numbers.h"
#include "runtime/network.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/support/data_folder.h"
#include "tests/support/object_cache.h"

namespace halcyon::compiler {
namespace {

/// The network of the zoo, which gives what its softmax reads as well.
dsl::Graph with_logits() {
  dsl::Network net = dsl::zoo::resnet20();
  const dsl::Graph& graph = net.graph();
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    if (graph.node(id).name.view() == "linear") {
      net.output("logits", {&net, {id, 0}});
      return net.graph();
    }
  }
  throw std::out_of_range("linear");
}

TEST(Pretrained, ResNet20ReadsCifarAsItsTrainersFound) {
  const std::filesystem::path data = tests::data_folder();
  const std::filesystem::path packed = data / "cifar10/test_1000.bin.xz";
  if (!std::filesystem::exists(packed)) GTEST_SKIP() << "no " << packed.string();
  if (std::system("xz --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no program xz";
  const tests::TemporaryFolder folder;
  const std::string plain = folder.file("test_1000.bin");
  ASSERT_EQ(std::system(("xz -dc '" + packed.string() + "' > '" + plain + "'").c_str()), 0);
  runtime::Dataset pictures = runtime::read_cifar10(plain);
  ASSERT_EQ(pictures.count(), 1000);
  // As these weights were trained.
  pictures.set_normalization({{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}});

  const LoadedNetwork loaded(*compile(with_logits(), tests::cached_options()));
  runtime::Network network(loaded.info(), 2);
  network.load((data / "models/resnet-cifar/resnet20.safetensors").string());
  network.reserve_inference(1000);
  std::vector<int64_t> indices(1000);
  std::iota(indices.begin(), indices.end(), 0);
  std::vector<float> images(1000 * 32 * 32 * 3), scores(10'000), logits(10'000);
  std::vector<int32_t> labels(1000);
  pictures.fill(indices, images.data(), labels.data());
  network.infer(1000, std::vector<const void*>{images.data()},
                std::vector<void*>{scores.data(), logits.data()});

  const runtime::Tensor reference =
      runtime::read_npy((data / "models/resnet-cifar/ref_logits_resnet20_test1000.npy").string());
  const std::span<const float> expected = reference.floats();
  ASSERT_EQ(expected.size(), logits.size());
  float largest = 0, error = 0;
  int right = 0;
  for (std::size_t n = 0; n < 1000; ++n) {
    const auto first = logits.begin() + static_cast<int64_t>(10 * n);
    right += std::max_element(first, first + 10) - first == labels[n] ? 1 : 0;
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    error = std::max(error, std::abs(logits[i] - expected[i]));
  }
  // Both round in single precision; 20 layers.
  EXPECT_LE(error, 2e-5f * largest) << "of " << largest;
  EXPECT_EQ(right, 915);
}

}  // namespace
}  // namespace halcyon::compiler
