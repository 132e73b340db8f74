#include "runtime/data/read_picture.h"

#include <gtest/gtest.h>
#include <png.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
// Behind <cstdio>.
#include <jpeglib.h>

#include "runtime/base/error.h"
#include "runtime/file.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

class ReadPicture : public testing::Test {
 protected:
  template <class Number>
  std::string write_pixels(const char* name, int height, int width, png_uint_32 format,
                           const std::vector<Number>& pixels) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.height = static_cast<png_uint_32>(height);
    image.width = static_cast<png_uint_32>(width);
    image.format = format;
    EXPECT_NE(
        png_image_write_to_file(&image, folder_.file(name).c_str(), 0, pixels.data(), 0, nullptr),
        0);
    return folder_.file(name);
  }

  std::string write_jpeg(int height, int width, const std::vector<uint8_t>& rgb) {
    jpeg_compress_struct jpeg{};
    jpeg_error_mgr errors{};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    unsigned char* memory = nullptr;
    unsigned long bytes = 0;
    jpeg_mem_dest(&jpeg, &memory, &bytes);
    jpeg.image_height = static_cast<JDIMENSION>(height);
    jpeg.image_width = static_cast<JDIMENSION>(width);
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < height; ++y) {
      auto* row = const_cast<JSAMPROW>(
          &rgb[3 * static_cast<std::size_t>(y) * static_cast<std::size_t>(width)]);
      jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    write_file_atomically(folder_.file("a.jpg"),
                          {reinterpret_cast<const std::byte*>(memory), bytes});
    std::free(memory);
    return folder_.file("a.jpg");
  }

  /// The file without its last `count` bytes.
  std::string cut(const std::string& path, std::size_t count) {
    std::vector<std::byte> bytes = read_file(path);
    bytes.resize(bytes.size() - count);
    write_file_atomically(path, bytes);
    return path;
  }

  tests::TemporaryFolder folder_;
};

TEST_F(ReadPicture, ReadsAPng) {
  const std::vector<uint8_t> rgb = {1, 2, 3, 40, 50, 60, 255, 0,  128,
                                    7, 8, 9, 10, 11, 12, 13,  14, 15};
  const Picture picture = read_picture(write_pixels("a.png", 2, 3, PNG_FORMAT_RGB, rgb));
  EXPECT_EQ(picture.height, 2);
  EXPECT_EQ(picture.width, 3);
  EXPECT_EQ(picture.rgb, rgb);
}

TEST_F(ReadPicture, RepeatsGreyAndDropsTransparency) {
  EXPECT_EQ(read_picture(write_pixels<uint8_t>("g.png", 1, 2, PNG_FORMAT_GRAY, {9, 200})).rgb,
            (std::vector<uint8_t>{9, 9, 9, 200, 200, 200}));
  EXPECT_EQ(read_picture(write_pixels<uint8_t>("t.png", 1, 2, PNG_FORMAT_RGBA,
                                               {10, 20, 30, 128, 40, 50, 60, 255}))
                .rgb,
            (std::vector<uint8_t>{10, 20, 30, 40, 50, 60}));
}

TEST_F(ReadPicture, ReadsAJpegAboutAsItWas) {
  std::vector<uint8_t> rgb;
  for (int i = 0; i < 16 * 24; ++i) rgb.insert(rgb.end(), {200, 100, 50});
  const Picture picture = read_picture(write_jpeg(16, 24, rgb));
  EXPECT_EQ(picture.height, 16);
  EXPECT_EQ(picture.width, 24);
  ASSERT_EQ(picture.rgb.size(), rgb.size());
  for (std::size_t i = 0; i < rgb.size(); ++i) EXPECT_NEAR(picture.rgb[i], rgb[i], 3);
}

TEST_F(ReadPicture, RefusesWhatIsCutOff) {
  const std::vector<uint8_t> rgb(64 * 64 * 3, 77);
  const std::string png = cut(write_pixels("a.png", 64, 64, PNG_FORMAT_RGB, rgb), 40);
  expect_error<UserError>([&] { read_picture(png); },
                          "picture '" + png + "' is no complete PNG file: ");
  const std::string jpeg = cut(write_jpeg(64, 64, rgb), 40);
  expect_error<UserError>([&] { read_picture(jpeg); },
                          "picture '" + jpeg + "' is no complete JPEG file: ");
  const std::string head = cut(write_jpeg(64, 64, rgb), 500);
  expect_error<UserError>([&] { read_picture(head); }, "is no complete JPEG file: ");
}

TEST_F(ReadPicture, SurvivesEveryChangedByte) {
  std::vector<uint8_t> rgb;
  for (int i = 0; i < 9 * 7; ++i) rgb.insert(rgb.end(), {static_cast<uint8_t>(i * 4), 100, 7});
  for (const std::string& path :
       {write_pixels("a.png", 9, 7, PNG_FORMAT_RGB, rgb), write_jpeg(9, 7, rgb)}) {
    const std::vector<std::byte> good = read_file(path);
    int64_t refused = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::vector<std::byte> bytes = good;
      bytes[at] ^= std::byte{0x55};
      try {
        const Picture picture = decode_picture(bytes, "a");
        EXPECT_EQ(picture.rgb.size(), static_cast<std::size_t>(3 * picture.height * picture.width));
      } catch (const UserError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 20);
  }
}

TEST_F(ReadPicture, RefusesWhatIsNoPictureOrClaimsToBeHuge) {
  const std::string path = folder_.file("a.png");
  const std::string text = "hello";
  write_file_atomically(path, std::as_bytes(std::span(text)));
  expect_error<UserError>([&] { read_picture(path); },
                          "picture '" + path + "' begins neither as a PNG nor as a JPEG file");
  expect_error<UserError>([&] { read_picture(folder_.file("none.png")); }, "cannot read '");
  expect_error<UserError>([] { detail::check_picture_extents(65536, 65536, "a.png"); },
                          "picture 'a.png' has 65536x65536 pixels", "at most 268435456 in all");
  expect_error<UserError>([] { detail::check_picture_extents(1, 65537, "a.png"); }, "1x65537");
}

TEST(PictureName, IsKnownByItsEnding) {
  for (const char* name : {"a.png", "a.JPG", "b/c.jpeg"}) EXPECT_TRUE(is_picture_name(name));
  for (const char* name : {"a.npy", "png", "a.png/b", ""}) EXPECT_FALSE(is_picture_name(name));
}

TEST_F(ReadPicture, PixelsBecomeTheTensorThatANetworkTakes) {
  const Picture picture{1, 2, {255, 0, 51, 0, 100, 200}};
  const Tensor colours = to_tensor(picture);
  EXPECT_EQ(colours.shape(), (Shape{1, 1, 2, 3}));
  EXPECT_FLOAT_EQ(colours.floats()[0], 1);
  EXPECT_FLOAT_EQ(colours.floats()[2], 0.2f);
  EXPECT_EQ(to_tensor(picture, {.scale = 1, .blue_first = true}).floats()[3], 200);
  const Tensor grey = to_tensor(picture, {.channels = 1, .scale = 1});
  EXPECT_EQ(grey.shape(), (Shape{1, 1, 2, 1}));
  // 0.299 * 0 + 0.587 * 100 + 0.114 * 200 = 81.5
  EXPECT_EQ(grey.floats()[1], 82);
  tests::expect_error<UserError>([&] { to_tensor(picture, {.channels = 4}); },
                                 "pixels of 4 channels: a picture has 1 or 3");
  tests::expect_error<UserError>(
      [] {
        to_tensor({2, 2, {1, 2, 3}});
      },
      "a picture of 2x2 pixels has 3 bytes");
}

}  // namespace
}  // namespace halcyon::runtime
