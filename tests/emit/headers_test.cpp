#include "compiler/emit/headers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "compiler/driver/load.h"
#include "dsl/zoo/lenet5.h"
#include "tests/e2e/run_program.h"
#include "tests/emit/networks.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::compiler {
namespace {

using tests::compile_network;
using tests::Finished;
using tests::run_program;

/// A compiler and what it is to be called with.
using Compilers = std::vector<std::vector<std::string>>;

class Headers : public testing::Test {
 protected:
  /// Compiles a source that includes the headers of `artifact`, with each of the compilers that are
  /// there.
  void expect_compiles(const Artifact& artifact, const std::string& source, const Compilers& all) {
    write_library(artifact, folder_.file("out"));
    const std::string file = folder_.file("source.c");
    tests::write_text(file, source);
    int used = 0;
    for (std::vector<std::string> words : all) {
      if (run_program({{"sh", "-c", "command -v " + words[0]}}).status != 0) continue;
      ++used;
      words.insert(words.end(), {"-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                                 "-I" + folder_.file("out"), file});
      const Finished finished = run_program({words});
      EXPECT_EQ(finished.status, 0) << words[0] << " " << words[3] << "\n" << finished.errors;
      EXPECT_EQ(finished.errors, "");
    }
    EXPECT_GT(used, 0);
  }

  const Compilers c_ = {{"gcc", "-x", "c", "-std=c99"},
                        {"clang-14", "-x", "c", "-std=c99"},
                        {"gcc", "-x", "c", "-std=c17"}};
  const Compilers cpp_ = {{"g++", "-x", "c++", "-std=c++17"},
                          {"clang++-14", "-x", "c++", "-std=c++17"},
                          {"g++", "-x", "c++", "-std=c++20"}};
  const Compilers old_cpp_ = {{"g++", "-x", "c++", "-std=c++11"},
                              {"clang++-14", "-x", "c++", "-std=c++11"}};
  tests::TemporaryFolder folder_;
};

TEST_F(Headers, TheCHeaderCompilesAsC99AndAsCpp) {
  const Artifact artifact = compile_network(tests::small_classifier(), true);
  const std::string source =
      "#include \"small.h\"\n#include \"small.h\"\n"
      "const char *text(void);\n"
      "const char *text(void) { return halcyon_status_text(HALCYON_OK); }\n"
      "uint64_t bytes(void);\n"
      "uint64_t bytes(void) { return small_train_workspace_bytes(2, 1) + SMALL_STATE_BYTES; }\n";
  expect_compiles(artifact, source, c_);
  expect_compiles(artifact, source, cpp_);
  expect_compiles(artifact, source, old_cpp_);
}

TEST_F(Headers, TheCppHeaderHoldsTheShapesAsConstants) {
  expect_compiles(compile_network(tests::small_classifier(), true),
                  "#include \"small.hpp\"\n"
                  "static_assert(small::image::kIndex == 0, \"\");\n"
                  "static_assert(small::image::kHeight == 9 && small::image::kWidth == 7, \"\");\n"
                  "static_assert(small::image::kChannels == 3, \"\");\n"
                  "static_assert(small::image::kElements == 189, \"\");\n"
                  "static_assert(small::scores::kChannels == 5, \"\");\n"
                  "static_assert(small::label::kClasses == 5, \"\");\n"
                  "const char* name() { return small::info().name; }\n",
                  cpp_);
}

TEST_F(Headers, TwoNetworksGoIntoOneSource) {
  write_library(compile_network(tests::small_classifier(), true, "other"), folder_.file("out"));
  expect_compiles(compile_network(tests::small_classifier(), false),
                  "#include \"small.hpp\"\n#include \"other.hpp\"\n"
                  "static_assert(small::image::kElements == other::image::kElements, \"\");\n",
                  cpp_);
}

TEST_F(Headers, ANetworkMayHaveTheNameOfAFunction) {
  for (const std::string name : {"log", "index", "main"}) {
    const Artifact artifact = compile_network(tests::small_classifier(), true, name);
    const std::string header = "#include \"" + name + ".hpp\"\n";
    const std::string standard = "#include <cmath>\n#include <cstring>\n#include <vector>\n";
    const std::string use = "static_assert(" + name + "::image::kHeight == 9, \"\");\n" +
                            "const char* text() { return " + name + "::info().name; }\n" +
                            "double sum() { return std::log(2.0) + ::index(\"a\", 97)[0]; }\n" +
                            "int main() { return ::log(3.0) > 4; }\n";
    expect_compiles(artifact, header + standard + use, cpp_);
    expect_compiles(artifact, standard + header + use, cpp_);
    expect_compiles(artifact,
                    "#include <math.h>\n#include <string.h>\n#include \"" + name + ".h\"\n", c_);
  }
}

TEST_F(Headers, NamesThatDifferInCapitalsOnlyAreNotTakenForOne) {
  write_library(compile_network(tests::only_relu(), false, "Small"), folder_.file("out"));
  const Artifact artifact = compile_network(tests::small_classifier(), true);
  expect_compiles(artifact, "#include \"Small.hpp\"\nint64_t n() { return Small::x::kIndex; }\n",
                  cpp_);
  tests::write_text(folder_.file("both.c"), "#include \"small.h\"\n#include \"Small.h\"\n");
  const Finished both = run_program(
      {{HALCYON_CC, "-fsyntax-only", "-I" + folder_.file("out"), folder_.file("both.c")}});
  EXPECT_NE(both.status, 0);
  EXPECT_NE(both.errors.find("Small.h: another network's macros are called SMALL_, too"),
            std::string::npos)
      << both.errors;
}

TEST_F(Headers, OddNamesOfInputsAndOutputsDoNoHarm) {
  const Artifact artifact = compile_network(tests::odd_names(), false);
  expect_compiles(artifact, "#include \"odd.h\"\nextern int unused;\n", c_);
  expect_compiles(artifact,
                  "#include \"odd.hpp\"\n"
                  "static_assert(odd::a_b_c::kIndex == 0, \"\");\n"
                  "static_assert(odd::class_value::kIndex == 1, \"\");\n"
                  "static_assert(odd::info_2::kIndex == 0, \"\");\n"
                  "static_assert(odd::class_value_2::kIndex == 1, \"\");\n"
                  "static_assert(odd::value_2nd::kIndex == 2, \"\");\n"
                  "static_assert(odd::int64_t_2::kIndex == 3, \"\");\n",
                  cpp_);
}

TEST_F(Headers, AnInferenceLibraryDeclaresNoTraining) {
  const Artifact artifact = compile_network(tests::small_classifier(), false);
  EXPECT_EQ(artifact.c_header.find("small_train_step"), std::string::npos);
  EXPECT_EQ(artifact.c_header.find("SMALL_STATE_BYTES"), std::string::npos);
  EXPECT_EQ(artifact.c_header.find("targets[0]"), std::string::npos);
}

TEST(Manifest, IsJsonWithTheFactsOfTheNetwork) {
  const auto json =
      nlohmann::json::parse(compile_network(dsl::zoo::lenet5().graph(), true).manifest);
  EXPECT_EQ(json.at("name"), "lenet5");
  EXPECT_EQ(json.at("parameter_count"), 62958);
  EXPECT_EQ(json.at("inputs").at(0).at("shape"), nlohmann::json({32, 32, 3}));
  EXPECT_EQ(json.at("inputs").at(0).at("axes"), "HWC");
  EXPECT_EQ(json.at("parameters").size(), 10u);
  EXPECT_EQ(json.at("parameters").at(0).at("name"), "conv1.weight");
  EXPECT_EQ(json.at("training").at("optimizer"), "momentum");
  EXPECT_EQ(json.at("training").at("state_bytes"), json.at("packed_bytes"));
  EXPECT_EQ(json.at("training").at("targets").at(0).at("classes"), 10);
  EXPECT_GE(json.at("parameter_bytes"), 4 * 62958);
  EXPECT_GT(json.at("kernels").size(), 3u);
}

TEST(Manifest, SaysTheWorkspaceThatTheLibraryAsksFor) {
  const Artifact artifact = compile_network(dsl::zoo::lenet5().graph(), true);
  const auto json = nlohmann::json::parse(artifact.manifest);
  const LoadedNetwork loaded(artifact);
  const halcyon_network& info = loaded.info();
  EXPECT_GT(json.at("workspace_bytes"), 0);
  EXPECT_EQ(json.at("workspace_bytes"), info.workspace_bytes(1, 1));
  EXPECT_EQ(json.at("training").at("workspace_bytes"), info.train_workspace_bytes(1, 1));
}
}  // namespace
}  // namespace halcyon::compiler
