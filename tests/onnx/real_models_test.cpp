/// Trained models of other people, on real pictures, held to the figures that came with them. The
/// data lies in $HALCYON_DATA (see its README), or beside the repository; without it these tests
/// are skipped.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "compiler/onnx/import.h"
#include "examples/faces/faces.h"
#include "runtime/data/mnist.h"
#include "runtime/data/npy.h"
#include "runtime/data/read_picture.h"
#include "runtime/data/resize.h"
#include "runtime/network.h"
#include "tests/onnx/npz.h"
#include "tests/onnx/peers.h"
#include "tests/onnx/run_model.h"
#include "tests/support/data_folder.h"
#include "tests/support/object_cache.h"

namespace halcyon::tests {
namespace {

namespace fs = std::filesystem;

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
  const Floats half = read_column(folder_ / "expected_Squeezenet_fp16_fish_input_CPU.csv");
  EXPECT_LE(largest_difference(found, half), 1.2e-4);
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

// The scores that came with the model are not those of single precision: ONNX Runtime's differ from
// them as ours do, by 2.4 of 6081.
TEST_F(Mnist8, GivesTheScoresOfADigitThatOthersGive) {
  const Planes planes = planes_of(folder_ / "mnist_28.png", 28, 28, kRgb);
  const Floats digit(planes.values.begin(), planes.values.begin() + 784);
  const Floats found = CompiledModel(graph_).run({{"Input3", digit}}, 1).at("Plus214_Output_0");
  const Floats published = read_column(folder_ / "expected_Mnist_8_input_CPU.csv");
  EXPECT_LE(largest_difference(found, published), 2.5);
  if (!missing_onnx_runtime().empty()) GTEST_SKIP() << missing_onnx_runtime();
  const std::vector<NamedTensor> theirs =
      run_onnx_runtime((folder_ / "mnist-8_cntk.onnx").string(),
                       {{"Input3", {1, 1, 28, 28}, digit}}, {"Plus214_Output_0"});
  EXPECT_LE(largest_difference(found, theirs[0].values), 0.02) << "of 6081";
}

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

/// UltraFace, RFB-320: as it was exported, with the arithmetic of its shapes, and without.
class UltraFace : public RealModels, public testing::WithParamInterface<const char*> {
 protected:
  std::string model() const { return std::string("version-RFB-320") + GetParam(); }
  fs::path folder_ = data_folder() / "models/ultraface";
};

TEST_P(UltraFace, FindsWhatTheReferenceFinds) {
  const dsl::Graph graph = compiler::import_file(folder_ / (model() + ".onnx"));
  Floats picture = planes_of(folder_ / "ref_input_320x240.png", 240, 320, kRgb).values;
  for (float& value : picture) value = (value - 127) / 128;
  const NamedFloats found = CompiledModel(graph).run({{"input", picture}}, 2);
  for (const char* output : {"scores", "boxes"}) {
    const Floats expected = read_npz(folder_ / ("ref_" + model() + ".npz"), output);
    EXPECT_LE(largest_difference(found.at(output), expected), 1e-4) << output;
  }
}

/// Boxes of a file in dlib's form: <image file='...'> <box top='' left='' width='' height=''/>
std::map<std::string, std::vector<examples::Face>> read_boxes(const fs::path& path) {
  std::ifstream file(path);
  std::map<std::string, std::vector<examples::Face>> boxes;
  std::string photo;
  for (std::string line; std::getline(file, line);) {
    const auto attribute = [&](const std::string& name) {
      const std::size_t begin = line.find(" " + name + "='") + name.size() + 3;
      return line.substr(begin, line.find('\'', begin) - begin);
    };
    if (line.find("<image file=") != line.npos) photo = attribute("file");
    if (line.find("<box ") == line.npos) continue;
    const float left = std::stof(attribute("left")), top = std::stof(attribute("top"));
    boxes[photo].push_back({.left = left,
                            .top = top,
                            .right = left + std::stof(attribute("width")),
                            .bottom = top + std::stof(attribute("height"))});
  }
  return boxes;
}

// Without its arithmetic the model gives boxes as they were learned, not as corners.
TEST_F(RealModels, UltraFaceFindsAllFacesOfNinePhotos) {
  dsl::Graph graph = compiler::import_file(data_folder() / "models/ultraface/version-RFB-320.onnx");
  const runtime::WeightFile weights = compiler::take_weights(graph);
  const compiler::LoadedNetwork loaded(*compiler::compile(graph, cached_options()));
  runtime::Network network(loaded.info(), 2);
  network.set_weights(weights);
  std::size_t known = 0, met = 0, found = 0;
  for (const char* list : {"dlib_testing.xml", "dlib_training.xml"}) {
    for (const auto& [photo, boxes] : read_boxes(data_folder() / "photos/faces" / list)) {
      const runtime::Picture picture =
          runtime::read_picture((data_folder() / "photos/faces" / photo).string());
      const std::vector<examples::Face> faces = examples::find_faces(network, picture, 0.7f);
      known += boxes.size();
      found += faces.size();
      for (const examples::Face& box : boxes) {
        const bool is_met = std::ranges::any_of(faces, [&](const examples::Face& face) {
          return examples::overlap(face, box) > 0.25f;
        });
        met += is_met ? 1 : 0;
        EXPECT_TRUE(is_met) << photo << ": " << box.left << "," << box.top;
      }
    }
  }
  EXPECT_EQ(known, 43u);
  EXPECT_EQ(met, 43u);
  EXPECT_EQ(found, 43u) << "and nothing else";
}

INSTANTIATE_TEST_SUITE_P(Models, UltraFace, testing::Values("", "_simplified"),
                         [](const auto& info) {
                           return std::string(info.param).empty() ? "WithShapes" : "Simplified";
                         });

}  // namespace
}  // namespace halcyon::tests
