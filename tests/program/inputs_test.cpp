#include "runtime/program/inputs.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/data/npy.h"
#include "runtime/data/picture.h"
#include "runtime/file.h"
#include "runtime/weights.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

constexpr halcyon_tensor_info kColour{"image", HALCYON_F32, 3, {2, 3, 3}, "HWC", 18, 0};
constexpr halcyon_tensor_info kColourPlanes{"image", HALCYON_F32, 3, {3, 2, 3}, "CHW", 18, 0};
constexpr halcyon_tensor_info kGrey{"image", HALCYON_F32, 3, {2, 3, 1}, "HWC", 6, 0};
constexpr halcyon_tensor_info kTwo[] = {kGrey, {"more", HALCYON_F32, 1, {2}, "C", 2, 0}};

halcyon_network network_of(const halcyon_tensor_info* inputs, int32_t count) {
  halcyon_network network{};
  network.name = "net";
  network.inputs = inputs;
  network.input_count = count;
  return network;
}

class Inputs : public testing::Test {
 protected:
  std::string array(const char* name, std::vector<int64_t> shape, std::vector<float> values) {
    Shape extents;
    for (const int64_t extent : shape) extents.push_back(extent);
    write_npy(folder_.file(name), Tensor(extents, values));
    return folder_.file(name);
  }
  std::string counting(const char* name, std::vector<int64_t> shape) {
    int64_t elements = 1;
    for (const int64_t extent : shape) elements *= extent;
    std::vector<float> values(static_cast<std::size_t>(elements));
    std::iota(values.begin(), values.end(), 0.0f);
    return array(name, std::move(shape), values);
  }
  /// 2 x 3 pixels, red counts from 0, green from 100, blue from 200.
  std::string picture() {
    Picture picture{2, 3, {}};
    for (int i = 0; i < 6; ++i) {
      for (const int base : {0, 100, 200}) picture.rgb.push_back(static_cast<uint8_t>(base + i));
    }
    write_png(folder_.file("p.png"), picture);
    return folder_.file("p.png");
  }

  static std::vector<float> floats(const Tensor& tensor) {
    return {tensor.floats().begin(), tensor.floats().end()};
  }
  InputValues read(const halcyon_tensor_info& input) {
    return read_inputs(network_of(&input, 1), options_);
  }
  template <typename... Parts>
  void expect_refused(const halcyon_tensor_info& input, const std::string& path,
                      const Parts&... parts) {
    options_.files = {path};
    expect_error<UserError>([&] { read(input); }, "input 'image' from '" + path + "'", parts...);
  }

  tests::TemporaryFolder folder_;
  InputOptions options_;
};

TEST_F(Inputs, AnArrayMayHaveABatchOrNone) {
  options_.files = {counting("one.npy", {2, 3, 1})};
  InputValues values = read(kGrey);
  EXPECT_EQ(values.batch, 1);
  EXPECT_EQ(floats(values.values[0]), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  options_.files = {counting("two.npy", {2, 2, 3, 1})};
  values = read(kGrey);
  EXPECT_EQ(values.batch, 2);
  EXPECT_EQ(values.values[0].floats().size(), 12u);
}

TEST_F(Inputs, FilesOfOneInputAreABatch) {
  options_.files = {counting("one.npy", {2, 3, 1}), "image=" + counting("two.npy", {2, 2, 3, 1})};
  EXPECT_EQ(read(kGrey).batch, 3);
}

TEST_F(Inputs, ShapesThatDoNotFitAreShownBesideTheNetworks) {
  expect_refused(kColour, counting("a.npy", {1, 2, 3, 4}),
                 "it is [N,2,3,3] (HWC), the array is [1,2,3,4]");
  expect_refused(kColour, counting("b.npy", {7, 3, 2, 3}), "the array is [7,3,2,3]",
                 "hint: its channels come first, the network's come last");
  expect_refused(kColourPlanes, counting("c.npy", {2, 3, 3}), "it is [N,3,2,3] (CHW)",
                 "hint: its channels come last, the network's come first");
  expect_refused(kColour, counting("d.npy", {}), "the array is []");
  expect_refused(kColour, array("e.npy", {0, 2, 3, 3}, {}), "a batch of 0, possible are 1 to");
}

TEST_F(Inputs, APictureBecomesWhatTheNetworkTakes) {
  options_.files = {picture()};
  options_.scale = 1;
  EXPECT_EQ(floats(read(kColour).values[0]),
            (std::vector<float>{0, 100, 200, 1, 101, 201, 2, 102, 202, 3, 103, 203, 4, 104, 204, 5,
                                105, 205}));
  EXPECT_EQ(floats(read(kColourPlanes).values[0]),
            (std::vector<float>{0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105, 200, 201, 202, 203,
                                204, 205}));
  // 0.299 * 0 + 0.587 * 100 + 0.114 * 200 = 81.5
  EXPECT_EQ(read(kGrey).values[0].floats()[0], 82);
  options_.bgr = true;
  EXPECT_EQ(read(kColour).values[0].floats()[0], 200);
}

TEST_F(Inputs, ValuesAreScaledShiftedAndDivided) {
  options_.files = {picture()};
  EXPECT_FLOAT_EQ(read(kColour).values[0].floats()[1], 100.0f / 255);
  options_.scale = 0.5f;
  options_.mean = {1, 2, 3};
  options_.deviation = {4};
  EXPECT_FLOAT_EQ(read(kColour).values[0].floats()[4], (0.5f * 101 - 2) / 4);
  EXPECT_FLOAT_EQ(read(kColourPlanes).values[0].floats()[12], (0.5f * 200 - 3) / 4);
  options_.scale.reset();
  options_.files = {counting("a.npy", {2, 3, 3})};
  EXPECT_FLOAT_EQ(read(kColour).values[0].floats()[4], (4.0f - 2) / 4);
  options_.mean = {1, 2};
  expect_refused(kColour, options_.files[0],
                 "--mean has 2 numbers, expected one, or one for each of 3 channels");
}

TEST_F(Inputs, APictureOfAnotherSizeIsResizedOnlyOnDemand) {
  constexpr halcyon_tensor_info kLarge{"image", HALCYON_F32, 3, {4, 6, 3}, "HWC", 72, 0};
  expect_refused(kLarge, picture(),
                 "the picture has 2x3 pixels (height x width), the network takes 4x6",
                 "hint: --resize makes it fit");
  options_.resize = true;
  EXPECT_EQ(read(kLarge).values[0].floats().size(), 72u);
  expect_refused(kColour, counting("a.npy", {2, 3, 3}), "--resize is for pictures");
}

TEST_F(Inputs, PicturesNeedAnInputThatTakesThem) {
  constexpr halcyon_tensor_info kFlat{"image", HALCYON_F32, 1, {5}, "C", 5, 0};
  constexpr halcyon_tensor_info kDeep{"image", HALCYON_F32, 3, {2, 3, 4}, "HWC", 24, 0};
  expect_refused(kFlat, picture(), "it takes no picture: it is [N,5] (C)");
  expect_refused(kDeep, picture(), "it has 4 channels, pictures have 1 or 3");
}

TEST_F(Inputs, ValuesThatAreNotFiniteAreRefused) {
  expect_refused(kGrey, array("a.npy", {2, 3, 1}, {0, 0, NAN, 0, 0, 0}),
                 "value 2 of 6 is not a number");
  expect_refused(kGrey, array("b.npy", {2, 3, 1}, {0, 0, 0, 0, 0, INFINITY}),
                 "value 5 of 6 is infinite");
}

TEST_F(Inputs, SeveralInputsAreNamed) {
  const halcyon_network network = network_of(kTwo, 2);
  const std::string grey = counting("g.npy", {2, 2, 3, 1}), two = counting("t.npy", {2, 2});
  options_.files = {"more=" + two, "image=" + grey};
  const InputValues values = read_inputs(network, options_);
  EXPECT_EQ(values.batch, 2);
  EXPECT_EQ(floats(values.values[1]), (std::vector<float>{0, 1, 2, 3}));

  const auto refused = [&](std::vector<std::string> files, const std::string& part,
                           const std::string& hint) {
    options_.files = std::move(files);
    expect_error<UserError>([&] { read_inputs(network, options_); }, part, hint);
  };
  refused({grey}, "is for one input, network 'net' has 2", "the inputs are 'image', 'more'");
  refused({"image=" + grey}, "no file for input 'more', which is [N,2] (C)",
          "hint: --input more=FILE");
  refused({"image=" + grey, "more=" + counting("u.npy", {3, 2})},
          "input 'more' has a batch of 3, 'image' of 2", "");
  refused({"imag=" + grey}, "network 'net' has no input 'imag', and there is no file 'imag=" + grey,
          "hint: the inputs are 'image', 'more'");
  refused({"image=a.bmp"}, "input file 'a.bmp' has a name that says nothing of its format",
          "hint: .npy, .safetensors, .png and .jpg");
}

TEST_F(Inputs, ASafetensorsFileGivesInputsByName) {
  const halcyon_network network = network_of(kTwo, 2);
  WeightFile file;
  file.add("more", {1, 2})[1] = 7;
  file.add("other", {1});
  file.add("image", {1, 2, 3, 1})[5] = 9;
  write_weights(folder_.file("a.safetensors"), file);
  options_.files = {folder_.file("a.safetensors")};
  const InputValues values = read_inputs(network, options_);
  EXPECT_EQ(values.values[0].floats()[5], 9);
  EXPECT_EQ(values.values[1].floats()[1], 7);
  file.tensors = {file.tensors[1]};
  write_weights(folder_.file("a.safetensors"), file);
  expect_error<UserError>([&] { read_inputs(network, options_); },
                          "has no tensor with the name of an input",
                          "hint: the inputs are 'image', 'more', the file holds 'other'");
  for (int i = 0; i < 20; ++i) file.add("t" + std::to_string(i), {1});
  write_weights(folder_.file("a.safetensors"), file);
  expect_error<UserError>([&] { read_inputs(network, options_); },
                          "the file holds 'other', 't0', 't1', ", "'t8' and 11 more");
}

}  // namespace
}  // namespace halcyon::runtime
