#include "runtime/data/cifar.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

class CifarTest : public testing::Test {
 protected:
  /// A picture whose planes hold `red`, `green` and `blue`, but for its first pixel.
  static std::string record(char label, char red, char green, char blue) {
    std::string text(1, label);
    for (const char plane : {red, green, blue}) {
      text += static_cast<char>(plane + 1);
      text += std::string(32 * 32 - 1, plane);
    }
    return text;
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
    return folder_.file(name);
  }

  tests::TemporaryFolder folder_;
};

TEST_F(CifarTest, PutsThePlanesOfAPictureTogether) {
  const Dataset data =
      read_cifar10(write("two.bin", record(3, 10, 20, 30) + record(9, 40, 50, 60)));
  EXPECT_EQ(data.count(), 2);
  EXPECT_EQ(data.shape(), (PictureShape{32, 32, 3}));
  EXPECT_EQ(data.classes(), 10);
  EXPECT_EQ(data.labels()[0], 3);
  EXPECT_EQ(data.labels()[1], 9);
  const auto second = data.picture(1);
  EXPECT_EQ(std::vector<int>(second.begin(), second.begin() + 6),
            (std::vector<int>{41, 51, 61, 40, 50, 60}));
  EXPECT_EQ(data.picture(0)[3 * 32 * 32 - 1], 30);
}

TEST_F(CifarTest, RefusesWhatIsNoWholeNumberOfPictures) {
  const auto read = [&](const std::string& name, const std::string& text) {
    const std::string path = write(name, text);
    return [=] { read_cifar10(path); };
  };
  tests::expect_error<UserError>(read("short.bin", record(0, 1, 2, 3).substr(1)),
                                 "short.bin': 3072 bytes are no whole number",
                                 "hint: it is the binary version, whose pictures take 3073 bytes");
  tests::expect_error<UserError>(read("empty.bin", ""), "0 bytes are no whole number");
  tests::expect_error<UserError>(read("packed.bin.xz", "\xfd"), "1 bytes", "hint: it is compressed",
                                 "xz -dk");
  tests::expect_error<UserError>(read("class.bin", record(0, 1, 2, 3) + record(10, 1, 2, 3)),
                                 "picture 1 has class 10, there are 0 to 9");
}

}  // namespace
}  // namespace halcyon::runtime
