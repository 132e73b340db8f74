/// The demo on a data set in files; of what it draws by itself, examples/demo has a test.

#include <gtest/gtest.h>

#include "e2e_grey.h"
#include "runtime/data/read_picture.h"
#include "runtime/network.h"
#include "tests/e2e/command.h"
#include "tests/e2e/idx_files.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

TEST(Demo, LearnsFromAFolderWithTheFilesOfMnist) {
  const TemporaryFolder folder;
  write_small_mnist(folder.file("mnist"));
  const Finished finished =
      run_program({.words = {HALCYON_DEMO, "--data", "mnist", "--epochs", "2", "--batch", "32",
                             "--save", "w.safetensors", "--picture", "digits.png"},
                   .folder = folder.file("")});
  ASSERT_EQ(finished.status, 0) << finished.errors;
  EXPECT_EQ(finished.errors.find("error: "), std::string::npos) << finished.errors;
  EXPECT_EQ(names_in(folder.file("")),
            (std::vector<std::string>{"digits.png", "mnist", "w.safetensors"}));

  const std::vector<std::string> lines = lines_of(finished.output);
  ASSERT_EQ(lines.size(), 7u) << finished.output;
  EXPECT_EQ(lines[0], "training on 640 pictures of 28x28x1, batch 32");
  EXPECT_TRUE(lines[1].starts_with("training took ")) << lines[1];
  EXPECT_TRUE(lines[2].ends_with(" % on 64 unseen pictures")) << lines[2];
  EXPECT_EQ(lines[3], "saved w.safetensors");
  EXPECT_EQ(lines[6], "saved digits.png");

  // The first pictures of the folder's second part, as it was written, and an answer for each.
  const runtime::Dataset unseen =
      runtime::make_digits({.count = IdxPictures().test, .shape = {28, 28, 1}, .seed = 2});
  std::string truths = "digits   ";
  for (std::size_t i = 0; i < 40; ++i) truths += " " + std::to_string(unseen.labels()[i]);
  EXPECT_EQ(lines[4], truths);
  EXPECT_TRUE(lines[5].starts_with("read as   ")) << lines[5];
  EXPECT_EQ(lines[5].size(), truths.size());

  runtime::Network network(*e2e_grey_network(), 1);
  EXPECT_NO_THROW(network.load(folder.file("w.safetensors")));
  const runtime::Picture sheet = runtime::read_picture(folder.file("digits.png"));
  EXPECT_GT(sheet.width, 10 * 28);
  EXPECT_GT(sheet.height, 4 * 28);
}

}  // namespace
}  // namespace halcyon::tests
