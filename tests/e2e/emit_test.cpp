/// halcyon compile --emit shared and exe: what comes out, and that it works where halcyon is not.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "e2e_grey.h"
#include "runtime/data/npy.h"
#include "runtime/file.h"
#include "runtime/network.h"
#include "tests/e2e/batches.h"
#include "tests/e2e/command.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::tests {
namespace {

constexpr const char* kSource = "zoo:lenet5:28x28x1";

constexpr const char* kC = R"(#include <stdio.h>
#include "lenet5.h"
int main(void) {
  printf("%s %d\n", lenet5_network()->name, (int)(lenet5_workspace_bytes(2, 1) > 0));
  return 0;
}
)";

class EmitLinked : public testing::Test {
 protected:
  Finished compile(std::vector<std::string> words, const std::string& cc = HALCYON_CC) const {
    words.insert(words.begin(), {"compile", kSource, "-o", out_});
    Command command = halcyon_command(words);
    command.environment["CC"] = cc;
    return run_program(command);
  }
  void expect_compiles(const std::vector<std::string>& words) const {
    const Finished finished = compile(words);
    ASSERT_EQ(finished.status, 0) << finished.errors;
    EXPECT_EQ(finished.errors, "");
  }
  template <typename... Parts>
  void expect_refused(const Finished& finished, int status, const Parts&... parts) const {
    expect_failure(finished, status, parts...);
    EXPECT_EQ(names_in(out_), std::vector<std::string>{});
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

  TemporaryFolder folder_;
  const std::string out_ = folder_.file("out");
};

TEST_F(EmitLinked, ASharedLibraryShowsItsInterfaceOnly) {
  expect_compiles({"--emit", "shared", "--train"});
  EXPECT_EQ(names_in(out_),
            (std::vector<std::string>{"lenet5.h", "lenet5.hpp", "lenet5.json", "liblenet5.so"}));
  const Finished nm = run_program({{"nm", "-D", "--defined-only", out_ + "/liblenet5.so"}});
  const std::string header = read_text(out_ + "/lenet5.h");
  std::set<std::string> names;
  for (const std::string& line : lines_of(nm.output)) {
    const std::string name = line.substr(line.rfind(' ') + 1);
    names.insert(name);
    EXPECT_NE(header.find(name + "("), std::string::npos) << name << " is in no header";
  }
  for (const char* name : {"lenet5_network", "lenet5_infer", "lenet5_pack", "lenet5_train_step"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST_F(EmitLinked, ACProgramLinksTheSharedLibrary) {
  expect_compiles({"--emit", "shared"});
  write_text(file("c.c"), kC);
  const Finished built =
      run_program({{HALCYON_CC, "-std=c11", "-Wall", "-Werror", "-I" + out_, file("c.c"),
                    "-L" + out_, "-llenet5", "-Wl,-rpath," + out_, "-o", file("program")}});
  ASSERT_EQ(built.status, 0) << built.errors;
  EXPECT_EQ(run_program({{file("program")}}).output, "lenet5 1\n");
}

TEST_F(EmitLinked, AProgramGivesWhatRunGives) {
  runtime::Network network(*e2e_grey_network());
  network.initialize(3);
  network.save(file("w.safetensors"));
  const Batch batch = random_batch(network.info(), 2, 1);
  runtime::write_npy(file("x.npy"), runtime::Tensor({2, 28, 28, 1}, batch.images));
  ASSERT_EQ(run_halcyon({"run", kSource, "--input", file("x.npy"), "--output", file("expected.npy"),
                         "--weights", file("w.safetensors")})
                .status,
            0);

  expect_compiles({"--emit", "exe"});
  EXPECT_EQ(names_in(out_), std::vector<std::string>{"lenet5"});
  // Elsewhere, so that it cannot lean on the folder it was made in.
  std::filesystem::rename(out_ + "/lenet5", file("moved"));
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {file("moved"), "--input", file("x.npy")});
    return run_program({words});
  };
  Finished finished =
      run({"--weights", file("w.safetensors"), "--output", file("y.npy"), "--threads", "2"});
  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_EQ(finished.errors, "");
  EXPECT_EQ(read_text(file("y.npy")), read_text(file("expected.npy")));

  finished = run({"--json", "--top", "1"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_TRUE(finished.errors.starts_with("warning: no --weights")) << finished.errors;
  EXPECT_EQ(nlohmann::json::parse(finished.output)["outputs"][0]["top"].size(), 2u);

  expect_failure(run({"--frob"}), 2, "error: ", "--frob", "hint: --help lists the options");
  expect_failure(run({"--weights", file("none")}), 1, "error: cannot read '" + file("none") + "'");
}

TEST_F(EmitLinked, WeightsMayBeLinkedIn) {
  runtime::Network network(*e2e_grey_network());
  network.initialize(3);
  network.save(file("w.safetensors"));
  runtime::write_npy(file("x.npy"),
                     runtime::Tensor({28, 28, 1}, random_batch(network.info(), 1, 1).images));
  ASSERT_EQ(run_halcyon({"run", kSource, "--input", file("x.npy"), "--output", file("expected.npy"),
                         "--weights", file("w.safetensors")})
                .status,
            0);
  expect_compiles({"--emit", "exe", "--weights", file("w.safetensors")});
  std::filesystem::remove(file("w.safetensors"));
  const Finished finished =
      run_program({{out_ + "/lenet5", "--input", file("x.npy"), "--output", file("y.npy")}});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.errors, "");
  EXPECT_EQ(read_text(file("y.npy")), read_text(file("expected.npy")));
}

TEST_F(EmitLinked, AProgramNeedsTheCLibraryOnly) {
  if (HALCYON_SANITIZED) GTEST_SKIP() << "a sanitized program needs the sanitizers' libraries";
  expect_compiles({"--emit", "exe"});
  const Finished ldd = run_program({{"ldd", out_ + "/lenet5"}});
  int64_t found = 0;
  for (const std::string& line : lines_of(ldd.output)) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    name.erase(0, name.rfind('/') + 1);
    EXPECT_TRUE(name.starts_with("libc.so") || name.starts_with("libm.so") ||
                name.starts_with("linux-vdso") || name.starts_with("ld-linux"))
        << name;
    ++found;
  }
  EXPECT_GE(found, 2);
}

TEST_F(EmitLinked, WithoutACCompilerNothingIsWritten) {
  for (const char* kind : {"shared", "exe"}) {
    expect_refused(compile({"--emit", kind}, "/nowhere/cc"), 1,
                   "error: cannot run the C compiler '/nowhere/cc': No such file or directory",
                   "hint: install gcc or clang, or name one in the environment variable CC");
    expect_refused(compile({"--emit", kind}, "false"), 1,
                   "error: the C compiler 'false' cannot link ", "hint: ");
    expect_refused(compile({"--emit", kind}, "true"), 1,
                   "error: the C compiler 'true' said nothing, but did not make ", "hint: ");
  }
  EXPECT_EQ(compile({"--emit", "static"}, "/nowhere/cc").status, 0);
}

TEST_F(EmitLinked, OtherMachinesNeedTheirOwnCompiler) {
  expect_refused(compile({"--emit", "exe", "--target", "arm-64-linux"}), 1,
                 "error: no program can be made for arm-64-linux", "hint: --emit static and");
  expect_refused(compile({"--emit", "shared", "--target", "arm-64-linux"}), 1,
                 "cannot link liblenet5.so for arm-64-linux",
                 "hint: the environment variable CC must name a compiler for that machine");
}

TEST_F(EmitLinked, WordsThatMeanNothingAreBadUsage) {
  expect_refused(compile({"--emit", "exe", "--train"}), 2,
                 "error: --emit exe: a program only infers, --train adds nothing to it");
  expect_refused(compile({"--emit", "dll"}), 2, "error: --emit: there is no 'dll' to make",
                 "hint: static, shared or exe");
}

}  // namespace
}  // namespace halcyon::tests
