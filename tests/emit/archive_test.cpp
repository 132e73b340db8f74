#include "compiler/emit/archive.h"

#include <gtest/gtest.h>

#include "compiler/emit/hash.h"
#include "runtime/file.h"
#include "tests/e2e/run_program.h"
#include "tests/emit/networks.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::compiler {
namespace {

using tests::compile_network;
using tests::run_program;

TEST(Archive, TheSameMembersGiveTheSameBytes) {
  const Artifact artifact = compile_network(tests::only_relu(), false);
  const std::vector<ArchiveMember> members = {{"a.o", artifact.entry},
                                              {"k.o", artifact.kernels[0].object}};
  EXPECT_TRUE(make_archive(members) == make_archive(members));
}

TEST(Archive, TwoCompilationsOfOneNetworkGiveTheSameBytes) {
  // The last compiles every kernel anew: machine code depends neither on chance nor on what this
  // process compiled before.
  const tests::TemporaryFolder folder;
  CompileOptions options;
  options.train = true;
  options.cache = folder.file("cold");
  options.jobs = 2;
  const Artifact cold = *compile(tests::small_classifier(), options);
  EXPECT_EQ(cold.kernels_compiled, static_cast<int64_t>(cold.kernels.size()));
  const Artifact warm = *compile(tests::small_classifier(), options);
  EXPECT_EQ(warm.kernels_compiled, 0);
  options.cache.clear();
  const Artifact again = *compile(tests::small_classifier(), options);
  write_library(cold, folder.file("cold_library"));
  write_library(warm, folder.file("warm_library"));
  write_library(again, folder.file("again_library"));
  for (const char* name : {"libsmall.a", "small.h", "small.hpp", "small.json"}) {
    const std::string path = std::string("/") + name;
    const auto first = runtime::read_file(folder.file("cold_library") + path);
    EXPECT_TRUE(first == runtime::read_file(folder.file("warm_library") + path)) << name;
    EXPECT_TRUE(first == runtime::read_file(folder.file("again_library") + path)) << name;
  }
}

TEST(Archive, IsReadByTheSystemsTools) {
  const tests::TemporaryFolder folder;
  write_library(compile_network(tests::only_relu(), false), folder.file("out"));
  const std::string library = folder.file("out/libonly_relu.a");
  const tests::Finished list = run_program({{"ar", "t", library}});
  EXPECT_EQ(list.status, 0) << list.errors;
  EXPECT_EQ(tests::lines_of(list.output).front(), "only_relu.o");
  EXPECT_GE(tests::lines_of(list.output).size(), 2u);
  const tests::Finished symbols = run_program({{"nm", "-s", library}});
  EXPECT_EQ(symbols.status, 0);
  EXPECT_EQ(symbols.errors, "");
  EXPECT_NE(symbols.output.find("only_relu_infer in only_relu.o"), std::string::npos)
      << symbols.output;
}

}  // namespace
}  // namespace halcyon::compiler
