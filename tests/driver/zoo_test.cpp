/// Every network of the zoo, compiled, against the double-precision reference on small pictures.

#include <gtest/gtest.h>

#include "compiler/driver/summary.h"
#include "compiler/driver/verify.h"
#include "dsl/zoo/zoo.h"
#include "tests/support/object_cache.h"
#include "tests/support/small_networks.h"

namespace halcyon::dsl::zoo {

static void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.name; }

}  // namespace halcyon::dsl::zoo

namespace halcyon::compiler {
namespace {

namespace zoo = dsl::zoo;

class Zoo : public testing::TestWithParam<zoo::Entry> {};

TEST_P(Zoo, InfersLikeTheReferenceAtAnyBatchAndNumberOfThreads) {
  const dsl::Network net = tests::small_network(GetParam().name);
  const VerifyOptions options = {
      .batch = 20, .calls = {8, 1, 3, 8}, .threads = 2, .gradients = false};
  int outputs = 0;
  for (const Comparison& c : verify_network(net.graph(), tests::cached_options(), options)) {
    if (!c.what.starts_with("output")) continue;
    ++outputs;
    EXPECT_TRUE(c.finite) << c.what;
    EXPECT_EQ(c.undefined, 0) << c.what;
    EXPECT_GT(c.largest_value, 0) << c.what;
    EXPECT_LE(c.largest_error, c.tolerance * c.largest_value) << c.what;
    EXPECT_TRUE(c.same_bits) << c.what;
    EXPECT_EQ(c.other_tops, 0) << c.what;
  }
  EXPECT_GT(outputs, 0);
}

TEST_P(Zoo, HasKernelsLikeTheReference) {
  const dsl::Network net = tests::small_network(GetParam().name);
  const VerifyOptions options = {.batch = 2, .threads = 2, .gradients = false, .kernels = true};
  int kernels = 0;
  for (const Comparison& c : verify_network(net.graph(), tests::cached_options(), options)) {
    if (!c.what.starts_with("kernel")) continue;
    ++kernels;
    EXPECT_TRUE(c.finite) << c.what;
    EXPECT_EQ(c.undefined, 0) << c.what;
    EXPECT_LE(c.relative(), c.tolerance) << c.what;
  }
  EXPECT_GT(kernels, 0);
}

TEST_P(Zoo, PacksItsWorkspaceTightly) {
  for (const dsl::Network& net :
       {tests::small_network(GetParam().name), GetParam().build(GetParam().picture)}) {
    const Summary s = summarize(net.graph(), parse_target("host"));
    EXPECT_LE(static_cast<double>(s.per_sample_bytes),
              1.1 * static_cast<double>(s.per_sample_lower_bound_bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Zoo, testing::ValuesIn(zoo::kNetworks),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace halcyon::compiler
