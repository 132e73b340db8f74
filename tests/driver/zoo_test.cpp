/// Every network of the zoo, compiled, against the double-precision reference on small pictures.

#include <gtest/gtest.h>

#include "compiler/driver/summary.h"
#include "compiler/driver/verify.h"
#include "dsl/zoo/zoo.h"
#include "tests/support/object_cache.h"

namespace halcyon::dsl::zoo {

static void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.name; }

}  // namespace halcyon::dsl::zoo

namespace halcyon::compiler {
namespace {

using dsl::Image;
namespace zoo = dsl::zoo;

/// As small as the network's strides allow: the reference takes its time.
dsl::Network small_network(std::string_view name) {
  if (name == "unet") return zoo::unet({188, 188, 1}, 2, 4);
  Image picture = {64, 64, 3};
  if (name == "alexnet") picture = {67, 67, 3};
  if (name == "inception_v3") picture = {75, 75, 3};
  for (std::string_view deep : {"vgg16", "vgg19", "nin", "resnet101", "resnet152", "resnet101_v2",
                                "resnet152_v2", "lenet5"}) {
    if (name == deep) picture = {32, 32, 3};
  }
  for (const zoo::Entry& entry : zoo::kNetworks) {
    if (entry.name == name) return entry.build(picture);
  }
  throw std::out_of_range(std::string(name));
}

class Zoo : public testing::TestWithParam<zoo::Entry> {};

TEST_P(Zoo, InfersLikeTheReferenceAtAnyBatchAndNumberOfThreads) {
  const dsl::Network net = small_network(GetParam().name);
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
  const dsl::Network net = small_network(GetParam().name);
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
       {small_network(GetParam().name), GetParam().build(GetParam().picture)}) {
    const Summary s = summarize(net.graph(), parse_target("host"));
    EXPECT_LE(static_cast<double>(s.per_sample_bytes),
              1.1 * static_cast<double>(s.per_sample_lower_bound_bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, Zoo, testing::ValuesIn(zoo::kNetworks),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace halcyon::compiler
