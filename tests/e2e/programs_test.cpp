/// halcyon compile, then programs that link the library with nothing but the system's compilers, as
/// the README shows.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

// A program for the size of what it links is compared with one that does nothing.
constexpr const char* kEmpty = "int main(void) { return 0; }\n";

constexpr const char* kC = R"(#include <stdio.h>
#include <stdlib.h>
#include "lenet5.h"

int main(void) {
  const halcyon_network *network = lenet5_network();
  const int64_t batch = 2;
  void *parameters = aligned_alloc(HALCYON_ALIGNMENT, LENET5_PARAMETER_BYTES);
  void *state = aligned_alloc(HALCYON_ALIGNMENT, LENET5_STATE_BYTES);
  const uint64_t bytes = (lenet5_train_workspace_bytes(batch, 1) + 63) / 64 * 64;
  halcyon_context context = {aligned_alloc(HALCYON_ALIGNMENT, bytes), bytes, NULL, NULL, 1};
  float *values = calloc(48120, sizeof(float));
  float *images = calloc(2 * 32 * 32 * 3, sizeof(float));
  int32_t labels[2] = {3, 7};
  float scores[20] = {0}, loss = 0;
  const void *inputs[] = {images}, *targets[] = {labels};
  void *outputs[] = {scores};
  halcyon_hyper hyper = {.learning_rate = 0.01f, .momentum = 0.9f, .step = 1};
  for (int32_t i = 0; i < LENET5_PARAMETER_COUNT; ++i) lenet5_pack(i, values, parameters);
  for (uint64_t i = 0; i < LENET5_STATE_BYTES / 4; ++i) ((float *)state)[i] = 0;
  if (lenet5_prepare(&context, parameters) != HALCYON_OK) return 1;
  if (lenet5_infer(&context, batch, parameters, inputs, outputs) != HALCYON_OK) return 2;
  printf("%s %.3f\n", network->name, scores[0]);
  const halcyon_status status = lenet5_train_step(&context, batch, parameters, state, inputs, targets,
                                                  &hyper, &loss, outputs);
  printf("%s %.4f\n", halcyon_status_text(status), loss);
  return 0;
}
)";

constexpr const char* kCpp = R"(#include <cstdio>
#include <vector>
#include "lenet5.hpp"
#include "runtime/network.h"

int main() {
  halcyon::runtime::Network network(lenet5::info());
  network.initialize(1);
  network.reserve(1);
  std::vector<float> image(lenet5::image::kElements, 0.5f), scores(lenet5::scores::kChannels);
  static_assert(lenet5::image::kHeight == 32 && lenet5::label::kClasses == 10);
  const void* inputs[] = {image.data()};
  void* outputs[] = {scores.data()};
  network.infer(1, inputs, outputs);
  double sum = 0;
  for (float score : scores) sum += score;
  std::printf("%s %.3f\n", network.info().name, sum);
}
)";

class Programs : public testing::Test {
 protected:
  void SetUp() override { compile("zoo:lenet5"); }

  void compile(const std::string& source) {
    const Finished compiled = run_halcyon({"compile", source, "--train", "-o", out_});
    ASSERT_EQ(compiled.status, 0) << compiled.errors;
  }

  /// Compiles and links a source; returns the program.
  std::string build(const std::string& name, const std::string& text, std::vector<std::string> more,
                    const std::string& compiler) {
    write_text(folder_.file(name), text);
    std::vector<std::string> words = {compiler,  "-O1",       "-Wall",           "-Wextra",
                                      "-Werror", "-I" + out_, folder_.file(name)};
    words.insert(words.end(), more.begin(), more.end());
    std::string program = folder_.file(name + ".program");
    words.insert(words.end(), {"-lm", "-o", program});
    const Finished built = run_program({words});
    EXPECT_EQ(built.status, 0) << built.errors;
    EXPECT_EQ(built.errors, "");
    return program;
  }

  std::string library() const { return out_ + "/liblenet5.a"; }

  TemporaryFolder folder_;
  const std::string out_ = folder_.file("out");
};

TEST_F(Programs, APlainCProgramInfersAndTrains) {
  compile(std::string(HALCYON_SOURCE_DIR) + "/examples/lenet5/lenet5.cpp");
  const std::string program = build("c.c", kC, {"-std=c11", library()}, HALCYON_CC);
  const Finished ran = run_program({{program}});
  EXPECT_EQ(ran.status, 0) << ran.errors;
  // Parameters of zero: every class is as likely, and the loss is ln(10).
  EXPECT_EQ(ran.output, "lenet5 0.100\nok 2.3026\n");
}

TEST_F(Programs, ACppProgramUsesTheRuntime) {
  if (HALCYON_SANITIZED) GTEST_SKIP() << "the runtime is sanitized, a plain program cannot link it";
  const std::string root = HALCYON_SOURCE_DIR;
  const std::string program =
      build("cpp.cpp", kCpp,
            {"-std=c++20", "-I" + root, library(),
             std::string(HALCYON_LIBRARY_DIR) + "/libhalcyon_runtime.a", "-pthread"},
            HALCYON_CXX);
  const Finished ran = run_program({{program}});
  EXPECT_EQ(ran.status, 0) << ran.errors;
  EXPECT_EQ(ran.output, "lenet5 1.000\n");
}

TEST_F(Programs, ADeployedProgramNeedsTheCLibraryOnly) {
  const std::string program = build("c.c", kC, {"-std=c11", library()}, HALCYON_CC);
  const Finished ldd = run_program({{"ldd", program}});
  std::set<std::string> found;
  for (const std::string& line : lines_of(ldd.output)) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    found.insert(name.substr(name.rfind('/') + 1));
  }
  for (const std::string& name : found) {
    EXPECT_TRUE(name.starts_with("libc.so") || name.starts_with("libm.so") ||
                name.starts_with("linux-vdso") || name.starts_with("ld-linux"))
        << name;
  }
  EXPECT_GE(found.size(), 2u);
}

TEST_F(Programs, TheLibraryAddsLessThan400Kilobytes) {
  const std::string with = build("c.c", kC, {"-std=c11", library()}, HALCYON_CC);
  const std::string without = build("empty.c", kEmpty, {"-std=c11"}, HALCYON_CC);
  for (const std::string& program : {with, without}) {
    ASSERT_EQ(run_program({{"strip", program}}).status, 0);
  }
  const auto added = static_cast<int64_t>(std::filesystem::file_size(with)) -
                     static_cast<int64_t>(std::filesystem::file_size(without));
  RecordProperty("added_bytes", std::to_string(added));
  std::printf("a training library of lenet5 adds %lld bytes to a stripped program\n",
              static_cast<long long>(added));
  EXPECT_LT(added, 400'000);
}

TEST_F(Programs, TheStackOfAProgramIsNotExecutable) {
  const std::string program = build("c.c", kC, {"-std=c11", library()}, HALCYON_CC);
  const Finished headers = run_program({{"readelf", "-lW", program}});
  for (const std::string& line : lines_of(headers.output)) {
    if (line.find("GNU_STACK") != line.npos) {
      EXPECT_EQ(line.find("RWE"), line.npos) << line;
    }
  }
}

TEST_F(Programs, ASharedLibraryMadeOfItExportsItsInterfaceOnly) {
  const std::string shared = folder_.file("liblenet5.so");
  const Finished linked = run_program({{HALCYON_CC, "-shared", "-o", shared, "-Wl,--whole-archive",
                                        library(), "-Wl,--no-whole-archive", "-lm"}});
  ASSERT_EQ(linked.status, 0) << linked.errors;
  const Finished nm = run_program({{"nm", "-D", "--defined-only", shared}});
  std::vector<std::string> names;
  for (const std::string& line : lines_of(nm.output))
    names.push_back(line.substr(line.rfind(' ') + 1));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"lenet5_infer", "lenet5_network", "lenet5_pack",
                                             "lenet5_prepare", "lenet5_train_step",
                                             "lenet5_train_workspace_bytes", "lenet5_unpack",
                                             "lenet5_workspace_bytes"}));
}

TEST_F(Programs, TimingNamesEveryPassOnce) {
  // halcyon passes: a title in the first column, the passes of it behind.
  std::vector<std::string> expected, found;
  std::string title;
  for (const std::string& line : lines_of(run_halcyon({"passes"}).output)) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (line[0] != ' ') {
      title = name;
    } else {
      expected.push_back(title + " " + name);
    }
  }
  ASSERT_GT(expected.size(), 4u);
  const Finished timed =
      run_halcyon({"compile", "zoo:lenet5", "--train", "--timing", "-o", folder_.file("timed")});
  ASSERT_EQ(timed.status, 0) << timed.errors;
  for (const std::string& line : lines_of(timed.output)) {
    std::istringstream words(line);
    std::string which, name, unit;
    double time_us = -1;
    if (words >> which >> name >> time_us >> unit && unit == "us") {
      found.push_back(which + " " + name);
      EXPECT_GE(time_us, 0) << line;
    }
  }
  // Which of the two is compiled first is not promised; the order within each is.
  const auto is_inference = [](const std::string& pass) { return pass.starts_with("inference "); };
  std::stable_partition(expected.begin(), expected.end(), is_inference);
  std::stable_partition(found.begin(), found.end(), is_inference);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace halcyon::tests
