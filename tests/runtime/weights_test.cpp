#include "runtime/weights.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/file.h"
#include "runtime/random.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;
using tests::TemporaryFolder;

WeightFile small_file() {
  WeightFile file;
  file.metadata["origin"] = "a \"test\"\n";
  const std::span<float> weight = file.add("conv1.weight", {2, 3});
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = 0.5f * static_cast<float>(i);
  file.tensors.push_back({"flags", "U8", {5}, std::vector<std::byte>(5, std::byte{7})});
  file.tensors.push_back({"count", "I64", {}, std::vector<std::byte>(8, std::byte{1})});
  file.add("empty", {0, 4});
  return file;
}

bool same(const WeightFile& a, const WeightFile& b) {
  if (a.metadata != b.metadata || a.tensors.size() != b.tensors.size()) return false;
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const WeightTensor &x = a.tensors[i], &y = b.tensors[i];
    if (x.name != y.name || x.dtype != y.dtype || x.shape != y.shape || x.data != y.data) {
      return false;
    }
  }
  return true;
}

/// A file with this header and so many bytes of data.
std::vector<std::byte> file_with(const std::string& header, std::size_t data_bytes = 0) {
  const uint64_t length = header.size();
  std::vector<std::byte> bytes(sizeof length + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, header.data(), header.size());
  return bytes;
}

WeightFile parse(const std::vector<std::byte>& bytes) { return parse_weights(bytes, "x.st"); }

/// Parses a file with this header; the error must name the file and contain `text`.
void expect_refused(const std::string& header, std::size_t data_bytes, const std::string& text) {
  SCOPED_TRACE(header.substr(0, 200));
  expect_error<UserError>([&] { parse(file_with(header, data_bytes)); },
                          "weight file 'x.st': ", text);
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST(Weights, ComeBackAsTheyWere) {
  const TemporaryFolder folder;
  const WeightFile file = small_file();
  write_weights(folder.file("a.safetensors"), file);
  const WeightFile back = read_weights(folder.file("a.safetensors"));
  EXPECT_TRUE(same(back, file));
  EXPECT_EQ(back.find("conv1.weight")->floats()[5], 2.5f);
  EXPECT_EQ(back.find("conv2.weight"), nullptr);
  EXPECT_EQ(format_weights(back), format_weights(file));
}

TEST(Weights, StartTheirDataAtAMultipleOf64) {
  for (std::size_t letters = 1; letters < 70; ++letters) {
    WeightFile file;
    file.add(std::string(letters, 'n'), {1})[0] = 1;
    const std::vector<std::byte> bytes = format_weights(file);
    EXPECT_EQ((bytes.size() - sizeof(float)) % 64, 0u);
    EXPECT_TRUE(same(parse(bytes), file));
  }
}

TEST(Weights, OfOtherToolsNeedNoHash) {
  const WeightFile file = parse(file_with(R"({"b":)" + entry("F32", "[1]", "[8,12]") + R"(,"a":)" +
                                              entry("BF16", "[2,2]", "[0,8]") + "}",
                                          12));
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_EQ(file.tensors[0].name, "a");  // in the order of the data
  EXPECT_EQ(file.tensors[1].floats()[0], 0.0f);
  EXPECT_TRUE(parse(file_with("{}")).tensors.empty());
  EXPECT_TRUE(parse(file_with("{}  ")).tensors.empty());
}

TEST(Weights, RefuseAFileCutAnywhere) {
  const std::vector<std::byte> bytes = format_weights(small_file());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    expect_error<UserError>(
        [&] {
          parse({bytes.begin(), bytes.begin() + static_cast<long>(size)});
        },
        "weight file 'x.st': ");
  }
}

TEST(Weights, RefuseAFileThatIsTooLong) {
  std::vector<std::byte> bytes = format_weights(small_file());
  bytes.push_back(std::byte{0});
  expect_error<UserError>([&] { parse(bytes); }, "the tensors end at 37 of 38 bytes of data",
                          "too long");
}

TEST(Weights, NoticeEveryFlippedByte) {
  const std::vector<std::byte> bytes = format_weights(small_file());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x02, 0x10, 0x20, 0x80, 0xff}) {
      SCOPED_TRACE("byte " + std::to_string(i) + " flipped by " + std::to_string(flip));
      std::vector<std::byte> changed = bytes;
      changed[i] ^= static_cast<std::byte>(flip);
      expect_error<UserError>([&] { parse(changed); }, "weight file 'x.st': ");
    }
  }
}

TEST(Weights, SayWhichHashIsWrong) {
  std::vector<std::byte> bytes = format_weights(small_file());
  bytes.back() ^= std::byte{1};
  expect_error<UserError>([&] { parse(bytes); }, "hash of the data is ", "the file says '",
                          "hint: the file is damaged");
  expect_refused(R"({"__metadata__":{"halcyon.xxh3":"0123"}})", 0,
                 "metadata halcyon.xxh3.header is missing");
  expect_refused(R"({"__metadata__":{"halcyon.xxh3.header":"0123"}})", 0,
                 "metadata halcyon.xxh3 is missing");
}

TEST(Weights, RefuseAHeaderOfAWrongLength) {
  std::vector<std::byte> bytes = file_with("{}");
  bytes[0] = std::byte{3};
  expect_error<UserError>([&] { parse(bytes); }, "its header should have 3 bytes, the file has 2");
  std::memset(bytes.data(), 0xff, 8);
  expect_error<UserError>([&] { parse(bytes); }, "should have 18446744073709551615 bytes");
  expect_error<UserError>([&] { parse({}); }, "it has 0 bytes", "hint: is it complete");
  expect_refused(std::string((1 << 24) + 1, ' '), 0, "at most 16777216 are accepted");
}

TEST(Weights, RefuseAHeaderOfAnotherForm) {
  expect_refused("", 0, "header is no valid JSON at its byte");
  expect_refused("{} x", 0, "header is no valid JSON at its byte 4");
  expect_refused(std::string("{}\0", 3), 0, "header has a zero byte at 2");
  expect_refused("{\"\xff\":1}", 0, "header is no valid JSON");
  expect_refused("[]", 0, "header has a list where an object should be");
  expect_refused("7", 0, "header has a number where an object should be");
  expect_refused(R"({"a":1})", 0,
                 "header has a number where the description of a tensor should be");
  expect_refused(R"({"a":null})", 0, "header has null where the description");
  expect_refused(R"({"a":{}})", 0, "tensor 'a': dtype is missing");
  expect_refused(R"({"a":{"dtype":"F32","data_offsets":[0,0]}})", 0,
                 "tensor 'a': shape is missing");
  expect_refused(R"({"a":{"dtype":"F32","shape":[0]}})", 0, "tensor 'a': data_offsets is missing");
  expect_refused(R"({"a":{"size":3}})", 0, "tensor 'a': field 'size' is not known");
  expect_refused(R"({"a":{"dtype":"F32","dtype":"F32"}})", 0, "tensor 'a': dtype is there twice");
  expect_refused(R"({"a":{"dtype":7}})", 0,
                 "tensor 'a': header has a number where the value of dtype should be");
  expect_refused(R"({"a":{"dtype":{}}})", 0, "header has an object where the value of dtype");
  expect_refused(R"({"a":{"shape":[[1]]}})", 0, "header has a list where a whole number should be");
  expect_refused(R"({"a":{"shape":[-1]}})", 0, "header has a negative number where");
  expect_refused(R"({"a":{"shape":[1.5]}})", 0, "header has a number that is not whole where");
  expect_refused(R"({"a":{"shape":[true]}})", 0, "header has a truth value where");
  expect_refused(R"({"__metadata__":{"k":{}}})", 0, "header has an object where a text should be");
  expect_refused(R"({"__metadata__":{"k":"1","k":"2"}})", 0, "metadata 'k' is there twice");
  expect_refused(R"({"__metadata__":{},"__metadata__":{}})", 0,
                 "tensor '__metadata__' is there twice");
  const std::string a = R"("a":)" + entry("F32", "[1]", "[0,4]");
  expect_refused("{" + a + "," + a + "}", 4, "tensor 'a' is there twice");
  expect_refused(std::string(1'000'000, '['), 0, "header has a list where an object should be");
  expect_refused(R"({"a":{"shape":)" + std::string(1'000'000, '['), 0, "header has a list");
}

TEST(Weights, RefuseATensorThatDoesNotFitItsData) {
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
    return R"({"a":)" + entry(dtype, shape, offsets) + "}";
  };
  expect_refused(one("F99", "[1]", "[0,4]"), 4, "tensor 'a': dtype 'F99' is not known");
  expect_refused(one("F32", "[2]", "[0,4]"), 4,
                 "tensor 'a': F32 [2] needs 8 bytes, data_offsets [0,4] hold 4");
  expect_refused(one("F32", "[2]", "[0,8]"), 4,
                 "tensor 'a': data_offsets [0,8] reach behind the data, which has 4 bytes");
  expect_refused(one("F32", "[1]", "[4,0]"), 4, "tensor 'a': data_offsets [4,0] run backwards");
  expect_refused(one("F32", "[1]", "[0]"), 4, "tensor 'a': data_offsets has less than two numbers");
  expect_refused(one("F32", "[1]", "[0,4,4]"), 4,
                 "tensor 'a': data_offsets has more than two numbers");
  expect_refused(one("F32", "[9223372036854775807]", "[0,4]"), 4, "is too large");
  expect_refused(one("F32", "[9223372036854775808]", "[0,4]"), 4,
                 "tensor 'a': shape has 9223372036854775808, which is too large");
  expect_refused(one("F32", "[18446744073709551616]", "[0,4]"), 4, "not whole");
  // The product of these is 2^64, which is 0 where it overflows unnoticed.
  expect_refused(one("U8", "[4294967296,4294967296]", "[0,0]"), 0,
                 "tensor 'a': shape [4294967296,4294967296] is too large");
  expect_refused(
      one("U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]"), 1,
      "tensor 'a': shape has more than 32 dimensions");
  expect_refused(one("F32", "[1]", "[4,8]"), 8,
                 "tensor 'a': data begins at 4, the tensor before ends at 0: bytes between belong");
  expect_refused(
      R"({"a":)" + entry("F32", "[2]", "[0,8]") + R"(,"b":)" + entry("F32", "[1]", "[4,8]") + "}",
      8, "tensor 'b': data begins at 4, the tensor before ends at 8: they overlap");
}

TEST(Weights, ShowHostileNamesSafely) {
  EXPECT_EQ(quote("a\x1b[2J\n"), "'a\\x1b[2J\\x0a'");
  EXPECT_EQ(quote(std::string(500, 'x')).size(), 125u);
  expect_refused("{\"\\u001b[31m\":{}}", 0, "tensor '\\x1b[31m': dtype is missing");
}

TEST(Weights, SurviveRandomDamage) {
  Random random(7);
  const std::vector<std::byte> bytes = format_weights(small_file());
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::byte> changed = bytes;
    for (uint64_t i = random.below(8); i-- > 0;) {
      changed[random.below(changed.size())] = static_cast<std::byte>(random.below(256));
    }
    if (random.below(4) == 0) changed.resize(random.below(2 * bytes.size()));
    try {
      parse(changed);
    } catch (const UserError&) {
    }
  }
}

TEST(Weights, AreNotWrittenWhenTheyMakeNoSense) {
  WeightFile twice;
  twice.add("a", {1});
  twice.add("a", {1});
  expect_error<InternalError>([&] { format_weights(twice); }, "'a' cannot be written twice");
  WeightFile reserved;
  reserved.add("__metadata__", {1});
  expect_error<InternalError>([&] { format_weights(reserved); }, "'__metadata__' cannot be");
  WeightFile cut;
  cut.tensors.push_back({"a", "F32", {2}, std::vector<std::byte>(4)});
  expect_error<InternalError>([&] { format_weights(cut); }, "F32 [2] with 4 bytes");
  expect_error<InternalError>([&] { cut.tensors[0].floats(); }, "'a' is not made of floats");
  WeightFile named;
  named.add("\xff", {1});
  expect_error<InternalError>([&] { format_weights(named); }, "a name cannot be written");
}

}  // namespace
}  // namespace halcyon::runtime
