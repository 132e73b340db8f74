/// NAME_pack and NAME_unpack of a compiled network: what goes in comes out, and nothing else moves.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "compiler/driver/load.h"
#include "runtime/memory.h"
#include "runtime/random.h"
#include "tests/emit/networks.h"

namespace halcyon::compiler {
namespace {

using runtime::AlignedBuffer;

class Packing : public testing::TestWithParam<const char*> {
 protected:
  Packing() {
    CompileOptions options;
    options.target = GetParam();
    options.train = true;
    options.cache = HALCYON_KERNEL_CACHE;
    artifact_ = *compile(tests::small_classifier(6), options);
  }

  static std::vector<float> random_values(int64_t count, uint64_t seed) {
    runtime::Random random(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    // Never zero, so that a value which is not moved shows.
    for (float& value : values) value = static_cast<float>(random.uniform(1, 2));
    return values;
  }

  Artifact artifact_;
};

// Vectors of 4 lanes, of 8 and those of this machine: each has another packed form.
INSTANTIATE_TEST_SUITE_P(Widths, Packing,
                         testing::Values("host", "x86-64-linux-avx", "x86-64-linux-sse41"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(Packing, EveryParameterComesBackAsItWas) {
  if (!runs_on_this_machine(artifact_.interface.target)) {
    GTEST_SKIP() << "this machine does not run " << GetParam();
  }
  const LoadedNetwork loaded(artifact_);
  const halcyon_network& info = loaded.info();
  ASSERT_EQ(info.parameter_count, 6);  // two convolutions, one with groups, and a dense layer
  AlignedBuffer block(info.parameter_bytes, "parameters");
  for (int32_t i = 0; i < info.parameter_count; ++i) {
    const std::vector<float> in =
        random_values(info.parameters[i].elements, static_cast<uint64_t>(i));
    info.pack(i, in.data(), block.data());
  }
  for (int32_t i = 0; i < info.parameter_count; ++i) {
    const int64_t count = info.parameters[i].elements;
    std::vector<float> out(static_cast<std::size_t>(count), -1);
    info.unpack(i, block.data(), out.data());
    EXPECT_EQ(out, random_values(count, static_cast<uint64_t>(i))) << info.parameters[i].name;
  }
}

TEST_P(Packing, AParameterStaysWithinItsOwnBytesAndFillsTheRestWithZeros) {
  if (!runs_on_this_machine(artifact_.interface.target)) {
    GTEST_SKIP() << "this machine does not run " << GetParam();
  }
  const LoadedNetwork loaded(artifact_);
  const halcyon_network& info = loaded.info();
  for (int32_t i = 0; i < info.parameter_count; ++i) {
    const halcyon_parameter_info& p = info.parameters[i];
    AlignedBuffer block(info.parameter_bytes, "parameters");
    std::memset(block.data(), 0x5a, block.size_bytes());
    info.pack(i, random_values(p.elements, 1).data(), block.data());
    ASSERT_LE(p.offset_bytes + p.packed_bytes, info.parameter_bytes) << p.name;
    int64_t values = 0;
    for (uint64_t at = 0; at < info.parameter_bytes; at += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, block.data() + at, sizeof value);
      uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      if (at >= p.offset_bytes && at < p.offset_bytes + p.packed_bytes) {
        ASSERT_TRUE(bits == 0 || (value >= 1 && value <= 2)) << p.name << " at " << at;
        values += bits == 0 ? 0 : 1;
      } else {
        ASSERT_EQ(bits, 0x5a5a5a5au) << p.name << " at " << at;
      }
    }
    EXPECT_EQ(values, p.elements) << p.name;
  }
}

TEST(PackingOffsets, AreAlignedAndDoNotOverlap) {
  const LoadedNetwork loaded(tests::compile_network(tests::small_classifier(), true));
  const halcyon_network& info = loaded.info();
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (int32_t i = 0; i < info.parameter_count; ++i) {
    const halcyon_parameter_info& p = info.parameters[i];
    EXPECT_EQ(p.offset_bytes % HALCYON_ALIGNMENT, 0u) << p.name;
    EXPECT_GE(p.packed_bytes, static_cast<uint64_t>(p.elements) * 4) << p.name;
    ranges.emplace_back(p.offset_bytes, p.offset_bytes + p.packed_bytes);
  }
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) EXPECT_LE(ranges[i - 1].second, ranges[i].first);
}

}  // namespace
}  // namespace halcyon::compiler
