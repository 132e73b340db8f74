#include "runtime/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

namespace fs = std::filesystem;
using tests::expect_error;
using tests::TemporaryFolder;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string text_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(File, ReadsWhatWasWrittenAndLeavesNothingElse) {
  const TemporaryFolder folder;
  for (const std::string& text : {std::string("first"), std::string(), std::string(100'000, 'x')}) {
    write_file_atomically(folder.file("a"), bytes_of(text));
    EXPECT_EQ(text_of(folder.file("a")), text);
    EXPECT_EQ(folder.count(), 1u);
  }
}

TEST(File, KeepsModeAndSymbolicLinkOfTheOldFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder.file("real"), bytes_of("old"));
  fs::permissions(folder.file("real"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real", folder.file("link"));
  write_file_atomically(folder.file("link"), bytes_of("new"));
  EXPECT_TRUE(fs::is_symlink(folder.file("link")));
  EXPECT_EQ(text_of(folder.file("real")), "new");
  EXPECT_EQ(fs::status(folder.file("real")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST(File, ReusesTheTemporaryOfAKilledProcess) {
  const TemporaryFolder folder;
  write_file_atomically(folder.file("a.partial"), bytes_of("a longer rest of a killed process"));
  write_file_atomically(folder.file("a"), bytes_of("new"));
  EXPECT_EQ(text_of(folder.file("a")), "new");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(File, LetsWritersOfOneFileWaitForEachOther) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  std::vector<std::thread> writers;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    writers.emplace_back([&path, letter] {
      for (int i = 0; i < 20; ++i)
        write_file_atomically(path, bytes_of(std::string(50'000, letter)));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string text = text_of(path);
  EXPECT_EQ(text, std::string(50'000, text.at(0)));
  EXPECT_EQ(folder.count(), 1u);
}

TEST(File, SaysWhyItCannotRead) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  expect_error<UserError>([&] { read_file(path); }, "cannot read '" + path + "': no such file");
  expect_error<UserError>([&] { read_file(folder.file("")); }, "it is a folder");
  expect_error<UserError>([&] { read_file("/dev/zero"); }, "'/dev/zero': it is not a regular file");
  write_file_atomically(path, bytes_of("12345"));
  expect_error<UserError>([&] { read_file(path, 4); }, "it has 5 bytes, at most 4 are accepted");
}

TEST(File, DoesNotHangOnAPipe) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  expect_error<UserError>([&] { read_file(folder.file("pipe")); }, "it is not a regular file");
  expect_error<UserError>([&] { write_file_atomically(folder.file("pipe"), bytes_of("x")); },
                          "it is not a regular file");
  fs::rename(folder.file("pipe"), folder.file("a.partial"));
  expect_error<SystemError>([&] { write_file_atomically(folder.file("a"), bytes_of("x")); },
                            "cannot write '" + folder.file("a"), "a.partial'");
}

TEST(File, SaysWhyItCannotWrite) {
  const TemporaryFolder folder;
  expect_error<UserError>([] { write_file_atomically("", bytes_of("x")); }, "its path is empty");
  expect_error<UserError>([&] { write_file_atomically(folder.file(""), bytes_of("x")); },
                          "it is a folder");
  expect_error<UserError>([] { write_file_atomically("/dev/null", bytes_of("x")); },
                          "cannot write '/dev/null': it is not a regular file");
  const std::string missing = folder.file("no/such/a");
  expect_error<SystemError>([&] { write_file_atomically(missing, bytes_of("x")); },
                            "cannot write '" + missing + "'", "no such file or directory",
                            "folder '" + folder.file("no/such") + "' must exist");
}

TEST(File, SaysBeforehandThatItCannotWrite) {
  const TemporaryFolder folder;
  check_can_write(folder.file("a"));
  check_can_write("a_name_without_a_folder");
  EXPECT_EQ(folder.count(), 0u);
  expect_error<UserError>([] { check_can_write(""); }, "its path is empty");
  expect_error<UserError>([&] { check_can_write(folder.file("")); }, "it is a folder");
  const std::string missing = folder.file("no/such/a");
  expect_error<SystemError>(
      [&] { check_can_write(missing); },
      "cannot write '" + missing + "': there is no folder '" + folder.file("no/such") + "'");
}

TEST(File, TakesTheLongestNamesAndSaysBeforehandWhichAreTooLong) {
  const TemporaryFolder folder;
  const std::string longest = folder.file(std::string(255, 'a'));
  check_can_write(longest);
  for (const char* text : {"old", "new"}) {
    write_file_atomically(longest, bytes_of(text));
    EXPECT_EQ(text_of(longest), text);
  }
  EXPECT_EQ(folder.count(), 1u);
  expect_error<SystemError>([&] { check_can_write(longest + "a"); },
                            "cannot write '" + longest + "a': file name too long");
  fs::create_symlink("loop", folder.file("loop"));
  expect_error<SystemError>([&] { check_can_write(folder.file("loop")); }, "symbolic links");
}

TEST(File, SaysBeforehandThatTwoFilesAreOne) {
  const TemporaryFolder folder;
  const std::string a = folder.file("a"), b = folder.file("b");
  write_file_atomically(a, bytes_of("x"));
  fs::create_symlink("a", folder.file("link"));
  check_distinct(std::vector<PlannedFile>{{"--x", a}, {"--y", b}, {"--z", ""}, {"--w", ""}});
  for (const std::string& same :
       {a, folder.file("./a"), folder.file("../") + folder.path().filename().string() + "/a",
        folder.file("link")}) {
    expect_error<UserError>(
        [&] {
          check_distinct(std::vector<PlannedFile>{{"--x", a}, {"--y", b}, {"--z", same}});
        },
        "--x and --z both write '" + same + "'", "hint: the later would replace the earlier");
  }
  expect_error<UserError>(
      [&] {
        check_distinct(std::vector<PlannedFile>{{"--x", b}, {"--y", folder.file("./b")}});
      },
      "--x and --y both write '");
}

TEST(File, SaysBeforehandThatTheFolderIsNotToBeWritten) {
  const TemporaryFolder folder;
  fs::permissions(folder.file(""), fs::perms::owner_read | fs::perms::owner_exec);
  const bool writes_everywhere = ::access(folder.file("").c_str(), W_OK) == 0;
  if (!writes_everywhere) {
    expect_error<SystemError>([&] { check_can_write(folder.file("a")); }, "permission denied");
  }
  fs::permissions(folder.file(""), fs::perms::owner_all);
  if (writes_everywhere) GTEST_SKIP() << "root may write into every folder";
}

TEST(File, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_file_atomically(path, bytes_of("old"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error<SystemError>([&] { write_file_atomically(path, bytes_of(std::string(2000, 'x'))); },
                            "cannot write '" + path + "': cannot write all bytes: file too large");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(folder.count(), 1u);
}

}  // namespace
}  // namespace halcyon::runtime
