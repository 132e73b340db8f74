/// Trained models of other people, on real pictures, held to the figures that came with them. The
/// data lies in $HALCYON_DATA (see its README), or beside the repository; without it these tests
/// are skipped.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/onnx/import.h"
#include "runtime/data/mnist.h"
#include "runtime/data/npy.h"
#include "runtime/data/read_picture.h"
#include "runtime/data/resize.h"
#include "tests/onnx/npz.h"
#include "tests/onnx/run_model.h"

namespace halcyon::tests {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  if (const char* folder = std::getenv("HALCYON_DATA")) return folder;
  return HALCYON_DEFAULT_DATA;
}

/// A picture as one sample [C,H,W] of values 0 to 255.
struct Planes {
  int64_t height = 0, width = 0;
  Floats values;
};

/// `order` says which of red, green and blue is which channel.
Planes planes_of(const fs::path& path, int64_t height, int64_t width, std::array<int, 3> order) {
  const runtime::Picture picture = runtime::read_picture(path.string());
  Floats pixels(picture.rgb.begin(), picture.rgb.end());
  if (picture.height != height || picture.width != width) {
    const runtime::Tensor whole(Shape{1, picture.height, picture.width, 3}, pixels);
    const runtime::Tensor resized = runtime::resize_bilinear(whole, height, width);
    pixels.assign(resized.floats().begin(), resized.floats().end());
  }
  Planes planes{height, width, {}};
  for (int channel : order) {
    for (int64_t i = 0; i < height * width; ++i) {
      planes.values.push_back(pixels[static_cast<std::size_t>(i * 3 + channel)]);
    }
  }
  return planes;
}
constexpr std::array<int, 3> kRgb = {0, 1, 2}, kBgr = {2, 1, 0};

/// The second column of lines "index,value".
Floats read_column(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  Floats values;
  while (std::getline(file, line)) {
    const std::size_t comma = line.find(',');
    if (comma != line.npos && line[0] >= '0' && line[0] <= '9') {
      values.push_back(std::strtof(line.c_str() + comma + 1, nullptr));
    }
  }
  return values;
}

double largest_difference(const Floats& a, const Floats& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

int64_t top(std::span<const float> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

class RealModels : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_folder() / "models")) {
      GTEST_SKIP() << "no trained models in " << data_folder()
                   << " (HALCYON_DATA names the folder)";
    }
  }
};

class SqueezeNet : public RealModels {
 protected:
  fs::path folder_ = data_folder() / "models/squeezenet";
};

// The model's weights and input are in half precision; we compute in single.
TEST_F(SqueezeNet, GivesTheExpectedProbabilitiesOfAFish) {
  const dsl::Graph graph = compiler::import_file(folder_ / "SqueezeNet_fp16.onnx");
  const Floats fish = planes_of(folder_ / "fish.png", 224, 224, kBgr).values;
  const Floats found = CompiledModel(graph).run({{"data_0", fish}}, 2).at("softmaxout_1");
  EXPECT_EQ(top(found), 0);
  const Floats single = read_column(folder_ / "expected_Squeezenet_fish_input_CPU.csv");
  // Weights rounded to half precision change the file's probabilities by 8.2e-4, and ours
  // by 8.244e-4.
  EXPECT_LE(largest_difference(found, single), 8.3e-4);
}

TEST_F(SqueezeNet, SeesInTenPhotosWhatTheReferenceSees) {
  const dsl::Graph graph = compiler::import_file(folder_ / "SqueezeNet_fp16.onnx");
  const runtime::Tensor reference =
      runtime::read_npy((folder_ / "ref_probs_classify.npy").string());
  std::ifstream names(folder_ / "ref_probs_classify.txt");
  constexpr std::array<float, 3> kMean = {103.94f, 116.78f, 123.68f};
  Floats photos;
  int64_t count = 0;
  for (std::string name; std::getline(names, name); ++count) {
    const Planes planes = planes_of(data_folder() / "photos/classify" / name, 224, 224, kBgr);
    for (std::size_t i = 0; i < planes.values.size(); ++i) {
      photos.push_back(planes.values[i] - kMean[i / (224 * 224)]);
    }
  }
  ASSERT_EQ(count, 10);
  const Floats found = CompiledModel(graph).run({{"data_0", photos}}, 2).at("softmaxout_1");
  for (int64_t n = 0; n < count; ++n) {
    const auto row = static_cast<std::size_t>(n * 1000);
    EXPECT_EQ(top(std::span(found).subspan(row, 1000)), top(reference.floats().subspan(row, 1000)))
        << "photo " << n;
  }
}

class Mnist8 : public RealModels {
 protected:
  fs::path folder_ = data_folder() / "models/mnist";
  dsl::Graph graph_;
  void SetUp() override {
    RealModels::SetUp();
    if (!IsSkipped()) graph_ = compiler::import_file(folder_ / "mnist-8_cntk.onnx");
  }
};

TEST_F(Mnist8, ReadsNearlyAllOfTheFirstTwoThousandTestDigits) {
  const runtime::TrainTest mnist = runtime::load_mnist((data_folder() / "mnist").string());
  constexpr int64_t kCount = 2000;
  Floats digits;
  for (int64_t n = 0; n < kCount; ++n) {
    const std::span<const uint8_t> picture = mnist.test.picture(n);
    digits.insert(digits.end(), picture.begin(), picture.end());
  }
  const Floats found = CompiledModel(graph_).run({{"Input3", digits}}, 2).at("Plus214_Output_0");
  int64_t right = 0;
  for (int64_t n = 0; n < kCount; ++n) {
    const auto row = static_cast<std::size_t>(n * 10);
    right +=
        top(std::span(found).subspan(row, 10)) == mnist.test.labels()[static_cast<std::size_t>(n)]
            ? 1
            : 0;
  }
  EXPECT_EQ(right, 1968) << "98.4 %";
}

}  // namespace
}  // namespace halcyon::tests
