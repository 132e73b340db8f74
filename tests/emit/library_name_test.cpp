#include "compiler/emit/library_name.h"

#include <gtest/gtest.h>

#include <cctype>
#include <regex>
#include <set>
#include <sstream>

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
  expect_error<UserError>([] { check_library_name("time"); },
                          "stand in for the C library's <time.h>");
  for (const char* name : {"EOF", "VGG16", "PRIx64", "M_PIf"}) {
    expect_error<UserError>([&] { check_library_name(name); }, "is spelt like a macro");
  }
}

TEST(LibraryName, MayBeThatOfAFunctionAndHaveCapitals) {
  for (const char* name : {"log", "index", "main", "Switch_2", "resNet50"}) {
    EXPECT_TRUE(is_allowed(name)) << name;
  }
}

TEST(LibraryName, OfTheGraphIsCheckedToo) {
  expect_error<UserError>([] { tests::compile_network(tests::only_relu(), false, "switch"); },
                          "library name 'switch'");
}

/// Sources that include what a program may, and what those headers include.
class SystemHeaders : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* header :
         {"arpa/inet",  "complex",     "dirent",   "dlfcn",       "fcntl",    "fenv",
          "glob",       "grp",         "iconv",    "langinfo",    "libgen",   "netdb",
          "netinet/in", "poll",        "pthread",  "pwd",         "regex",    "search",
          "semaphore",  "spawn",       "strings",  "sys/ioctl",   "sys/mman", "sys/resource",
          "sys/select", "sys/socket",  "sys/stat", "sys/sysinfo", "sys/time", "sys/times",
          "sys/types",  "sys/utsname", "sys/wait", "syslog",      "termios",  "unistd",
          "utime",      "wordexp"}) {
      includes_ += "#include <" + std::string(header) + ".h>\n";
    }
    if (run({"-fsyntax-only"}, "").status != 0)
      GTEST_SKIP() << "there is no g++ with these headers";
  }

  tests::Finished run(std::vector<std::string> words, const std::string& more) const {
    tests::write_text(file_, includes_ + more);
    words.insert(words.begin(), {"g++", "-std=gnu++20"});
    words.push_back(file_);
    return tests::run_program({words});
  }

  tests::TemporaryFolder folder_;
  const std::string file_ = folder_.file("names.cpp");
  std::string includes_ = "#include <bits/stdc++.h>\n";
};

TEST_F(SystemHeaders, NameNothingThatALibraryMayBeCalled) {
  std::string text = run({"-E", "-dD"}, "").output;
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') c = ' ';
  }
  std::istringstream in(text);
  std::set<std::string> allowed;
  for (std::string word; in >> word;) {
    if (is_allowed(word)) allowed.insert(word);
  }
  EXPECT_GT(allowed.size(), 1000u);
  std::string structs;
  for (const std::string& word : allowed) structs += "struct " + word + " {};\n";
  const tests::Finished compiled = run({"-fsyntax-only"}, structs);
  EXPECT_EQ(compiled.status, 0) << compiled.errors;
}

TEST_F(SystemHeaders, AreFoundBesideTheHeaderOfAnyLibrary) {
  // Those that lie in a folder of the search path itself, as /usr/include/time.h.
  static const std::regex kHeader("/include(?:/c\\+\\+/\\d+)?/(\\w+)\\.h\\b");
  const std::string list = run({"-M"}, "").output;
  std::set<std::string> names;
  for (auto at = std::sregex_iterator(list.begin(), list.end(), kHeader);
       at != std::sregex_iterator(); ++at) {
    names.insert((*at)[1]);
  }
  EXPECT_GT(names.size(), 30u);
  for (const std::string& name : names) EXPECT_FALSE(is_allowed(name)) << name;
}

}  // namespace
}  // namespace halcyon::compiler
