#include "compiler/emit/kernel.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/base/error.h"
#include "tests/emit/networks.h"

namespace halcyon::compiler {
namespace {

using tests::compile_network;
using tests::small_classifier;

/// The program of a network and the specs of its kernels, which point into it.
struct Specs {
  explicit Specs(const dsl::Graph& graph, const std::string& target = "host") {
    const Target machine = parse_target(target);
    program.graph = graph;
    PassContext context;
    context.target = machine;
    run_passes(program, context, inference_passes());
    for (const Region& region : program.regions) {
      list.push_back(make_kernel_spec(program, region, machine));
    }
  }
  std::vector<std::string> symbols() const {
    std::vector<std::string> names;
    for (const KernelSpec& spec : list) names.push_back(kernel_symbol(spec));
    return names;
  }

  Program program;
  std::vector<KernelSpec> list;
};

TEST(KernelSymbol, IsAHashThatAnyLinkerTakes) {
  for (const std::string& symbol : Specs(small_classifier()).symbols()) {
    EXPECT_TRUE(symbol.starts_with("halcyon_k_"));
    EXPECT_EQ(symbol.size(), 42u);
    EXPECT_EQ(symbol.find_first_not_of("0123456789abcdef", 10), std::string::npos) << symbol;
  }
}

TEST(KernelSymbol, EqualKernelsOfTwoNetworksAreOne) {
  dsl::Graph other = small_classifier();
  other.name = "renamed";
  EXPECT_EQ(Specs(small_classifier()).symbols(), Specs(other).symbols());
}

TEST(KernelSymbol, AnotherShapeOrMachineIsAnotherKernel) {
  const std::vector<std::string> six = Specs(small_classifier(6)).symbols();
  const std::vector<std::string> eight = Specs(small_classifier(8)).symbols();
  EXPECT_NE(six, eight);
  const std::vector<std::string> plain = Specs(small_classifier(6), "x86-64-linux-sse41").symbols();
  const std::vector<std::string> avx =
      Specs(small_classifier(6), "x86-64-linux-avx-avx2-fma-sse41").symbols();
  const std::vector<std::string> arm = Specs(small_classifier(6), "arm-64-linux").symbols();
  std::set<std::string> all;
  for (const auto* list : {&plain, &avx, &arm}) all.insert(list->begin(), list->end());
  EXPECT_EQ(all.size(), plain.size() + avx.size() + arm.size());
}

TEST(Kernel, IsCompiledOnceHoweverOftenANetworkHasIt) {
  const Artifact artifact = compile_network(small_classifier(), true);
  std::set<std::string> symbols;
  for (const KernelObject& kernel : artifact.kernels) {
    EXPECT_TRUE(symbols.insert(kernel.symbol).second) << kernel.symbol;
    for (const int64_t bytes : {kernel.scratch.own_bytes, kernel.scratch.worker_bytes}) {
      EXPECT_GE(bytes, 0);
      EXPECT_EQ(bytes % HALCYON_ALIGNMENT, 0);
    }
  }
}

TEST(Kernel, CanBeCompiledForMachinesThatAreNotThisOne) {
  for (const std::string target : {"arm-64-linux", "x86-64-linux", "x86-64-linux-sse41",
                                   "x86-64-linux-avx-avx2-fma-f16c-sse41",
                                   "x86-64-linux-avx-avx2-avx512-avx512_skylake-f16c-fma-sse41"}) {
    CompileOptions options;
    options.target = target;
    options.cache = HALCYON_KERNEL_CACHE;
    options.train = true;
    const Artifact artifact = *compile(small_classifier(), options);
    EXPECT_GT(artifact.kernels.size(), 2u) << target;
    // ELF's machine: 62 is x86-64, 183 is AArch64.
    const int machine = std::to_integer<int>(artifact.entry.at(18));
    EXPECT_EQ(machine, target.starts_with("arm") ? 183 : 62) << target;
    for (const KernelObject& kernel : artifact.kernels) {
      EXPECT_EQ(std::to_integer<int>(kernel.object.at(18)), machine) << target;
    }
  }
}

}  // namespace
}  // namespace halcyon::compiler
