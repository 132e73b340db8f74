/// What a library needs from others and shows to them.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "compiler/driver/load.h"
#include "dsl/layers.h"
#include "dsl/zoo/lenet5.h"
#include "runtime/network.h"
#include "tests/e2e/run_program.h"
#include "tests/emit/networks.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::compiler {
namespace {

using tests::compile_network;
using tests::run_program;

/// Symbols of nm's output, by its letter for their kind.
std::set<std::string> symbols(const std::string& nm, const std::string& kinds) {
  std::set<std::string> names;
  for (const std::string& line : tests::lines_of(nm)) {
    const std::size_t space = line.rfind(' ');
    if (space == line.npos || space < 2 || line[space - 2] != ' ') continue;
    if (kinds.find(line[space - 1]) != kinds.npos) names.insert(line.substr(space + 1));
  }
  return names;
}

class Library : public testing::TestWithParam<std::pair<dsl::ops::Optimizer, bool>> {
 protected:
  std::string write() {
    CompileOptions options;
    options.optimizer = GetParam().first;
    options.train = GetParam().second;
    options.cache = HALCYON_KERNEL_CACHE;
    write_library(*compile(dsl::zoo::lenet5().graph(), options), folder_.file("out"));
    return folder_.file("out/liblenet5.a");
  }
  tests::TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, Library,
                         testing::Values(std::pair{dsl::ops::Optimizer::momentum, false},
                                         std::pair{dsl::ops::Optimizer::momentum, true},
                                         std::pair{dsl::ops::Optimizer::rmsprop, true},
                                         std::pair{dsl::ops::Optimizer::adam, true}));

TEST_P(Library, NeedsTheCLibraryOnly) {
  const std::string nm = run_program({{"nm", write()}}).output;
  std::set<std::string> needed = symbols(nm, "U");
  for (const std::string& own : symbols(nm, "TWV")) needed.erase(own);
  needed.erase("_GLOBAL_OFFSET_TABLE_");
  const std::set<std::string> allowed = {"memset", "memcpy", "memmove", "expf", "exp",
                                         "logf",   "log",    "powf",    "pow",  "sqrtf"};
  std::string list;
  for (const std::string& name : needed) {
    EXPECT_TRUE(allowed.contains(name)) << name;
    list += name + " ";
  }
  std::printf("undefined: %s\n", list.c_str());
}

TEST_P(Library, ShowsItsInterfaceAndHidesItsKernels) {
  const std::string path = write();
  std::set<std::string> expected = {"lenet5_infer",   "lenet5_network", "lenet5_pack",
                                    "lenet5_prepare", "lenet5_unpack",  "lenet5_workspace_bytes"};
  if (GetParam().second) expected.insert({"lenet5_train_step", "lenet5_train_workspace_bytes"});
  const std::string nm = run_program({{"nm", "--defined-only", path}}).output;
  EXPECT_EQ(symbols(nm, "TDBRCSGu"), expected);
  // Kernels are weak, so that two libraries in one program share them, and hidden, so that two
  // shared libraries do not.
  for (const std::string& name : symbols(nm, "WV"))
    EXPECT_TRUE(name.starts_with("halcyon_k_")) << name;
  std::istringstream table(run_program({{"readelf", "-sW", path}}).output);
  for (std::string line; std::getline(table, line);) {
    if (line.find(" halcyon_k_") == line.npos) continue;
    EXPECT_NE(line.find("HIDDEN"), line.npos) << line;
  }
}

TEST(LoadedLibrary, ANetworkWithoutParametersRuns) {
  const LoadedNetwork loaded(compile_network(tests::only_relu(), false));
  EXPECT_EQ(loaded.info().parameter_count, 0);
  runtime::Network network(loaded.info(), 1);
  network.reserve(2);
  std::vector<float> in(64), out(64);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i) - 32;
  const void* inputs[] = {in.data()};
  void* outputs[] = {out.data()};
  network.infer(2, inputs, outputs);
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], std::max(in[i], 0.0f));
}

TEST(LoadedLibrary, EveryInputAndOutputIsTheOneOfItsTable) {
  const LoadedNetwork loaded(compile_network(tests::odd_names(), false));
  const halcyon_network& info = loaded.info();
  ASSERT_EQ(info.input_count, 2);
  ASSERT_EQ(info.output_count, 4);
  EXPECT_STREQ(info.inputs[0].name, "a/*b*/ c");
  EXPECT_STREQ(info.outputs[0].name, "info");
  EXPECT_STREQ(info.outputs[2].name, "2nd");
  runtime::Network network(info, 2);
  network.reserve(3);
  std::vector<float> a(96), b(96);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i) - 48;
    b[i] = 30 - static_cast<float>(i);
  }
  std::vector<std::vector<float>> out(4, std::vector<float>(96));
  const void* inputs[] = {a.data(), b.data()};
  void* outputs[] = {out[0].data(), out[1].data(), out[2].data(), out[3].data()};
  network.infer(3, inputs, outputs);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(out[0][i], std::max(a[i], 0.0f));
    EXPECT_EQ(out[1][i], std::max(b[i], 0.0f));
    EXPECT_EQ(out[2][i], a[i] + b[i]);
    EXPECT_EQ(out[3][i], std::max(a[i] + b[i], 0.0f));
  }
}

}  // namespace
}  // namespace halcyon::compiler
