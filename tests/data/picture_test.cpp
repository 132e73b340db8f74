#include "runtime/data/picture.h"

#include <gtest/gtest.h>
#include <png.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

Picture read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_file(&image, path.c_str()), 0) << image.message;
  image.format = PNG_FORMAT_RGB;
  Picture picture{image.height, image.width, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
  EXPECT_NE(png_image_finish_read(&image, nullptr, picture.rgb.data(), 0, nullptr), 0)
      << image.message;
  return picture;
}

/// How many pixels have just this colour.
int64_t count_colour(const Picture& picture, int red, int green, int blue) {
  int64_t count = 0;
  for (size_t i = 0; i < picture.rgb.size(); i += 3)
    count += picture.rgb[i] == red && picture.rgb[i + 1] == green && picture.rgb[i + 2] == blue;
  return count;
}

int64_t count_green(const Picture& picture) { return count_colour(picture, 92, 205, 134); }
int64_t count_red(const Picture& picture) { return count_colour(picture, 246, 104, 104); }

TEST(WritePng, CanBeReadBack) {
  const TemporaryFolder folder;
  Picture picture{3, 5, std::vector<uint8_t>(45)};
  for (size_t i = 0; i < 45; ++i) picture.rgb[i] = static_cast<uint8_t>(i * 5);
  write_png(folder.file("a.png"), picture);
  const Picture read = read_png(folder.file("a.png"));
  EXPECT_EQ(read.height, 3);
  EXPECT_EQ(read.width, 5);
  EXPECT_EQ(read.rgb, picture.rgb);
  EXPECT_EQ(folder.count(), 1u);
}

TEST(WritePng, RefusesExtentsThatDoNotFit) {
  expect_error<UserError>(
      [] {
        write_png("a.png", {2, 2, std::vector<uint8_t>(5)});
      },
      "picture for 'a.png': 2x2x3 with 5 bytes");
  expect_error<UserError>([] { write_png("a.png", {0, 0, {}}); }, "0x0x3 with 0 bytes");
}

TEST(WritePng, NamesThePlaceThatCannotBeWritten) {
  const TemporaryFolder folder;
  const std::string path = folder.file("missing/a.png");
  expect_error<SystemError>([&] { write_png(path, {1, 1, {1, 2, 3}}); }, path);
}

class SheetTest : public testing::Test {
 protected:
  ClassifiedPicture entry(int64_t predicted, int64_t truth, float confidence = 0.9f) const {
    return {pixels_, predicted, truth, confidence};
  }
  Picture sheet(std::vector<ClassifiedPicture> entries, const SheetOptions& options = {}) const {
    return contact_sheet(shape_, entries, options);
  }

  PictureShape shape_{8, 8, 3};
  std::vector<uint8_t> pixels_ = std::vector<uint8_t>(8 * 8 * 3, 200);
};

TEST_F(SheetTest, IsGreenWhereRightAndRedWhereWrong) {
  const Picture right = sheet({entry(3, 3)}), wrong = sheet({entry(3, 4)}),
                unknown = sheet({entry(3, -1)});
  EXPECT_GT(count_green(right), 50);
  EXPECT_EQ(count_red(right), 0);
  EXPECT_GT(count_red(wrong), 50);
  EXPECT_EQ(count_green(wrong), 0);
  EXPECT_EQ(count_green(unknown) + count_red(unknown), 0);
}

TEST_F(SheetTest, DrawsABarAsLongAsTheConfidence) {
  const int64_t full = count_green(sheet({entry(3, 3, 1.0f)}));
  const int64_t half = count_green(sheet({entry(3, 3, 0.5f)}));
  const int64_t none = count_green(sheet({entry(3, 3, 0.0f)}));
  EXPECT_NEAR(static_cast<double>(half - none), static_cast<double>(full - none) / 2, 12);
  EXPECT_EQ(count_green(sheet({entry(3, 3, NAN)})), none);
  EXPECT_EQ(count_green(sheet({entry(3, 3, 17.0f)})), full);
}

TEST_F(SheetTest, ShowsThePictureItself) {
  const Picture one = sheet({entry(1, 1)});
  EXPECT_GT(count_colour(one, 200, 200, 200), 100 * 100);
}

TEST_F(SheetTest, ArrangesRowsAndColumns) {
  const std::vector<ClassifiedPicture> seven(7, entry(1, 1));
  const Picture one = sheet({entry(1, 1)}), wide = sheet(seven, {.columns = 7}),
                tall = sheet(seven, {.columns = 1});
  EXPECT_EQ(wide.height, one.height);
  EXPECT_EQ(tall.width, one.width);
  EXPECT_GT(wide.width, 6 * one.width);
  EXPECT_GT(sheet(seven, {.title = "title", .columns = 7}).height, wide.height);
  EXPECT_EQ(sheet({entry(1, 1)}, {.columns = 99}).width, one.width);
}

TEST_F(SheetTest, CopesWithLongNamesGreyPicturesAndOddSizes) {
  const SheetOptions options{.title = std::string(500, 'w'),
                             .class_names = {std::string(300, 'x'), "b"}};
  sheet({entry(0, 1), entry(1, 0), entry(-1, 0), entry(77, 1)}, options);
  const std::vector<uint8_t> grey(500 * 3, 9);
  for (const PictureShape shape : {PictureShape{500, 3, 1}, {3, 500, 1}, {1, 1500, 1}}) {
    const std::vector<ClassifiedPicture> entries = {{grey, 1, 1, 0.5f}};
    const Picture drawn = contact_sheet(shape, entries);
    EXPECT_LT(drawn.width, 200);
    EXPECT_LT(drawn.height, 250);
  }
}

TEST_F(SheetTest, RefusesWhatCannotBeShown) {
  expect_error<UserError>([&] { sheet({}); }, "contact sheet: 0 pictures, 1 to 4096 are possible");
  shape_.channels = 2;
  expect_error<UserError>([&] { sheet({entry(1, 1)}); },
                          "pictures of 8x8x2, they must have 1 or 3 channels");
  shape_ = {9, 8, 3};
  expect_error<UserError>([&] { sheet({entry(1, 1)}); }, "a picture of 192 bytes, expected 9x8x3");
}

}  // namespace
}  // namespace halcyon::runtime
