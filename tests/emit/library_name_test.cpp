#include "compiler/emit/library_name.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "runtime/base/error.h"
#include "tests/e2e/run_program.h"
#include "tests/emit/networks.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::compiler {
namespace {

using tests::expect_error;

bool is_allowed(const std::string& name) {
  try {
    check_library_name(name);
    return true;
  } catch (const UserError&) {
    return false;
  }
}

TEST(LibraryName, IsAnIdentifier) {
  for (const char* name : {"", "a-b", "../x", "1a", "_a", "a b", "\n"}) {
    expect_error<UserError>([&] { check_library_name(name); }, "is not usable");
  }
  EXPECT_TRUE(is_allowed(std::string(40, 'a')));
  EXPECT_FALSE(is_allowed(std::string(41, 'a')));
}

TEST(LibraryName, IsNoWordTypeOrMacroOfCOrCpp) {
  for (const char* name : {"switch", "double", "std", "and", "co_await", "tm", "stat", "errno"}) {
    expect_error<UserError>([&] { check_library_name(name); },
                            "library name '" + std::string(name) + "' already means something");
  }
  expect_error<UserError>([] { check_library_name("halcyon_x"); }, "begins with halcyon");
  expect_error<UserError>([] { check_library_name("size_t"); }, "ends with _t");
  for (const char* name : {"EOF", "VGG16", "PRIx64", "M_PIf"}) {
    expect_error<UserError>([&] { check_library_name(name); }, "is spelt like a macro");
  }
}

TEST(LibraryName, MayBeThatOfAFunctionAndHaveCapitals) {
  for (const char* name : {"log", "time", "index", "main", "Switch_2", "resNet50"}) {
    EXPECT_TRUE(is_allowed(name)) << name;
  }
}

TEST(LibraryName, OfTheGraphIsCheckedToo) {
  expect_error<UserError>([] { tests::compile_network(tests::only_relu(), false, "switch"); },
                          "library name 'switch'");
}

/// Every word of the system's headers is either refused or may name the struct of a C++ header.
TEST(LibraryName, ClashesWithNothingInTheSystemsHeaders) {
  std::string includes = "#include <bits/stdc++.h>\n";
  for (const char* header :
       {"arpa/inet",   "complex",  "dirent",       "dlfcn",      "fcntl",       "netdb",
        "netinet/in",  "poll",     "pthread",      "pwd",        "semaphore",   "strings",
        "sys/ioctl",   "sys/mman", "sys/resource", "sys/select", "sys/socket",  "sys/stat",
        "sys/sysinfo", "sys/time", "sys/times",    "sys/types",  "sys/utsname", "sys/wait",
        "termios",     "unistd",   "utime"}) {
    includes += "#include <" + std::string(header) + ".h>\n";
  }
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("names.cpp");
  tests::write_text(file, includes);
  const tests::Finished read = tests::run_program({{"g++", "-std=gnu++20", "-E", "-dD", file}});
  if (read.status != 0) GTEST_SKIP() << "there is no g++ with these headers: " << read.errors;

  static const std::regex kWord("[A-Za-z]\\w*");
  std::set<std::string> words;
  for (auto at = std::sregex_iterator(read.output.begin(), read.output.end(), kWord);
       at != std::sregex_iterator(); ++at) {
    if (is_allowed(at->str())) words.insert(at->str());
  }
  EXPECT_GT(words.size(), 1000u);
  for (const std::string& word : words) includes += "struct " + word + " {};\n";
  tests::write_text(file, includes);
  const tests::Finished compiled =
      tests::run_program({{"g++", "-std=gnu++20", "-fsyntax-only", file}});
  EXPECT_EQ(compiled.status, 0) << compiled.errors;
}

}  // namespace
}  // namespace halcyon::compiler
