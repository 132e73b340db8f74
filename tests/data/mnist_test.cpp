#include "runtime/data/mnist.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/support/data_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string images(uint32_t count, uint32_t height, uint32_t width) {
  std::string text = big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width);
  for (uint32_t i = 0; i < count * height * width; ++i) text += static_cast<char>(i * 7);
  return text;
}

std::string labels(const std::string& values) {
  return big_endian(0x801) + big_endian(static_cast<uint32_t>(values.size())) + values;
}

std::string packed(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class IdxTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
    return folder_.file(name);
  }
  Dataset read(const std::string& image_text, const std::string& label_text, int64_t classes = 10) {
    return read_idx(write("images", image_text), write("labels", label_text), "small", classes);
  }
  /// Expects both the file of pictures as it is and compressed to be refused.
  template <class... Parts>
  void expect_refused(const std::string& image_text, const Parts&... parts) {
    for (const bool compressed : {false, true})
      expect_error<UserError>(
          [&] {
            read(compressed ? packed(image_text) : image_text, labels({0, 1}));
          },
          std::string("'").append(folder_.file("images")).append("': "), "hint: ", parts...);
  }

  TemporaryFolder folder_;
};

using IdxErrors = IdxTest;

TEST_F(IdxTest, ReadsPlainAndCompressed) {
  for (const bool compressed : {false, true}) {
    const std::string pictures = images(2, 3, 5), classes = labels({9, 4});
    const Dataset data =
        compressed ? read(packed(pictures), packed(classes)) : read(pictures, classes);
    EXPECT_EQ(data.shape(), (PictureShape{3, 5, 1}));
    EXPECT_EQ(data.count(), 2);
    EXPECT_EQ(data.labels()[0], 9);
    EXPECT_EQ(data.labels()[1], 4);
    for (int64_t n = 0; n < 2; ++n)
      for (size_t i = 0; i < 15; ++i)
        EXPECT_EQ(data.picture(n)[i], static_cast<uint8_t>((15 * static_cast<size_t>(n) + i) * 7));
  }
}

TEST_F(IdxErrors, WrongMagicNumber) {
  expect_refused(labels({0, 1, 2, 3}),
                 "no IDX file of pictures: magic number 0x00000801, expected 0x00000803");
  expect_refused("P5 28 28 255 and so on", "magic number 0x50352032");
  expect_error<UserError>([&] { read(images(1, 2, 2), images(1, 2, 2)); },
                          "no IDX file of labels: magic number 0x00000803, expected 0x00000801");
}

TEST_F(IdxErrors, EveryTruncation) {
  const std::string whole = images(2, 2, 2);
  for (size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    if (size == 0) {
      expect_error<UserError>(
          [&] {
            read("", labels({0, 1}));
          },
          "truncated: an IDX file of pictures starts with 16 bytes");
    } else if (size < 16) {
      expect_refused(whole.substr(0, size),
                     "truncated: an IDX file of pictures starts with 16 bytes");
    } else {
      expect_refused(whole.substr(0, size),
                     "truncated: the header says 2x2x2, that is 8 bytes, the file holds fewer");
    }
  }
}

TEST_F(IdxErrors, SurplusBytes) {
  expect_error<UserError>(
      [&] {
        read(images(2, 2, 2) + "xyz", labels({0, 1}));
      },
      "27 bytes, its header accounts for 24: 3 surplus bytes at the end");
  expect_error<UserError>(
      [&] {
        read(packed(images(2, 2, 2) + "xyz"), labels({0, 1}));
      },
      "more bytes after decompression than the 24 its header accounts for");
  expect_error<UserError>(
      [&] {
        read(packed(images(2, 2, 2)) + "xyz", labels({0, 1}));
      },
      "3 surplus bytes after the compressed data");
}

TEST_F(IdxErrors, ExtentsThatCannotBe) {
  expect_refused(big_endian(0x803) + big_endian(0) + big_endian(28) + big_endian(28),
                 "extents 0, extent 0 must be");
  expect_refused(big_endian(0x803) + big_endian(2) + big_endian(28) + big_endian(0),
                 "extents 2x28x0, extent 2 must be 1 to 16384");
  expect_refused(big_endian(0x803) + big_endian(2) + big_endian(0xffffffff) + big_endian(1),
                 "extent 1 must be 1 to 16384");
}

TEST_F(IdxErrors, HeadersThatPromiseTooMuchCostNoMemory) {
  const std::string lie = big_endian(0x803) + big_endian(60000) + big_endian(100) + big_endian(100);
  expect_refused(
      lie + "some",
      "truncated: the header says 60000x100x100, that is 600000000 bytes, the file holds fewer");
  const std::string more =
      big_endian(0x803) + big_endian(0xffffffff) + big_endian(16384) + big_endian(16384);
  expect_refused(more, "the limit is 1073741824");
}

TEST_F(IdxErrors, ABombIsReadNoFurtherThanItsHeader) {
  expect_error<UserError>(
      [&] {
        read(packed(images(2, 2, 2) + std::string(8'000'000, '\0')), labels({0, 1}));
      },
      "more bytes after decompression than the 24");
}

TEST_F(IdxErrors, BrokenCompression) {
  const std::string whole = packed(images(2, 2, 2));
  for (size_t size = 2; size < whole.size(); ++size)
    expect_error<UserError>([&] { read(whole.substr(0, size), labels({0, 1})); }, "truncated: ");
  std::string wrong = whole;
  wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] ^ 1);  // in the checksum
  expect_error<UserError>(
      [&] {
        read(wrong, labels({0, 1}));
      },
      "broken compression after 24 bytes (incorrect data check)");
  // Any other damaged byte: refused in one way or another, or harmless (a time in the gzip header).
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    try {
      EXPECT_EQ(read(damaged, labels({0, 1})).count(), 2);
    } catch (const UserError&) {
    }
  }
}

TEST_F(IdxErrors, LabelsThatDoNotFit) {
  expect_error<UserError>(
      [&] {
        read(images(2, 2, 2), labels({0, 1, 2}));
      },
      "'" + folder_.file("labels") + "': 3 labels, '" + folder_.file("images") + "' has 2 pictures",
      "hint: the two files must belong together");
  expect_error<UserError>(
      [&] {
        read(images(2, 2, 2), labels({9, 10}));
      },
      "'" + folder_.file("labels") + "': label 10 of picture 1, labels must be 0 to 9");
  expect_error<UserError>(
      [&] {
        read(images(2, 2, 2), labels({4, 1}), 3);
      },
      "label 4 of picture 0, labels must be 0 to 2");
}

TEST_F(IdxTest, FindsTheFourFilesOfAFolderInEverySpelling) {
  write("train-images-idx3-ubyte", images(3, 4, 4));
  write("train-labels.idx1-ubyte", labels({1, 2, 3}));
  write("t10k-images.idx3-ubyte.gz", packed(images(2, 4, 4)));
  write("t10k-labels-idx1-ubyte.gz", packed(labels({5, 6})));
  const TrainTest mnist = load_mnist(folder_.file(""));
  EXPECT_EQ(mnist.train.count(), 3);
  EXPECT_EQ(mnist.test.labels()[1], 6);
  EXPECT_FLOAT_EQ(mnist.test.normalization().mean[0], 0.1307f);
}

TEST_F(IdxErrors, FilesThatAreMissingOrBelongElsewhere) {
  const std::string missing = folder_.file("none");
  expect_error<UserError>([&] { load_mnist(missing); }, "no folder '" + missing + "'");
  write("train-images-idx3-ubyte", images(1, 4, 4));
  write("train-labels-idx1-ubyte", labels(std::string(1, '\0')));
  write("t10k-images-idx3-ubyte", images(1, 4, 5));
  expect_error<UserError>([&] { load_mnist(folder_.file(".")); },
                          "no file 't10k-labels-idx1-ubyte' (plain or .gz) in '");
  write("t10k-labels-idx1-ubyte", labels(std::string(1, '\0')));
  expect_error<UserError>([&] { load_mnist(folder_.file(".")); },
                          "t10k-images-idx3-ubyte': pictures of 4x5x1, '",
                          "train-images-idx3-ubyte' has 4x4x1");
}

TEST(Mnist, RealFilesAreWhole) {
  const std::filesystem::path folder = tests::data_folder() / "mnist";
  if (!std::filesystem::is_directory(folder))
    GTEST_SKIP() << "no folder " << folder << "; set HALCYON_DATA to the folder that holds mnist/";
  const TrainTest mnist = load_mnist(folder.string());
  EXPECT_EQ(mnist.train.count(), 60000);
  EXPECT_EQ(mnist.test.count(), 10000);
  EXPECT_EQ(mnist.train.shape(), (PictureShape{28, 28, 1}));
  EXPECT_EQ(std::ranges::count(mnist.train.labels(), 1), 6742);
  EXPECT_EQ(std::ranges::count(mnist.test.labels(), 0), 980);
  EXPECT_EQ(mnist.train.labels()[0], 5);
  const Normalization found = mnist.train.measure_normalization();
  EXPECT_NEAR(found.mean[0], 0.1307, 5e-5);
  EXPECT_NEAR(found.deviation[0], 0.3081, 5e-5);
}

}  // namespace
}  // namespace halcyon::runtime
