#include "runtime/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/base/error.h"
#include "tests/runtime/expect_error.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

const std::vector<float> kSix = {1, 2, 3, 4, 5, 6};

TEST(Tensor, BeginsAsAlignedZeros) {
  for (const DType dtype : {DType::f32, DType::i32, DType::u8}) {
    const Tensor tensor({2, 3, 5}, dtype);
    EXPECT_EQ(tensor.elements(), 30);
    EXPECT_EQ(tensor.bytes().size(), 30u * static_cast<std::size_t>(size_bytes(dtype)));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % HALCYON_ALIGNMENT, 0u);
    EXPECT_TRUE(std::ranges::all_of(tensor.bytes(), [](std::byte b) { return b == std::byte{0}; }));
  }
  EXPECT_EQ(Tensor().elements(), 0);
  EXPECT_TRUE(Tensor().floats().empty());
  EXPECT_EQ(Tensor(Shape{}).floats().size(), 1u);
  EXPECT_TRUE(Tensor({3, 0, 2}).bytes().empty());
}

TEST(Tensor, TakesValuesOfItsNumber) {
  EXPECT_TRUE(std::ranges::equal(Tensor({2, 3}, kSix).floats(), kSix));
  const Tensor labels({2}, std::vector<int32_t>{7, -1});
  EXPECT_EQ(labels.dtype(), DType::i32);
  EXPECT_EQ(labels.integers()[1], -1);
  expect_error<UserError>(
      [] {
        Tensor({2, 2}, kSix);
      },
      "tensor f32 [2,2] has 4 values, 6 are given");
}

TEST(Tensor, ItsCopyHasItsOwnValues) {
  Tensor first({2, 3}, kSix);
  Tensor second = first;
  second.floats()[0] = 9;
  EXPECT_EQ(first.floats()[0], 1);
  first = second;
  second.floats()[0] = 8;
  EXPECT_EQ(first.floats()[0], 9);
  const Tensor& same = first;
  first = same;
  EXPECT_EQ(first.floats()[5], 6);
}

TEST(Tensor, GivesItsValuesAwayWhenMoved) {
  Tensor first({2, 3}, kSix);
  const float* const values = first.floats().data();
  Tensor second = std::move(first);
  EXPECT_EQ(second.floats().data(), values);
  EXPECT_EQ(first.elements(), 0);  // NOLINT(bugprone-use-after-move): what is promised
  EXPECT_TRUE(first.floats().empty());
  first = std::move(second);
  EXPECT_EQ(first.floats().data(), values);
  EXPECT_EQ(first.shape(), (Shape{2, 3}));
}

TEST(Tensor, AnotherTypeIsNotReadAsNumbersOfThisOne) {
  Tensor labels({4}, DType::i32);
  expect_error<UserError>([&] { labels.floats(); }, "tensor i32 [4] does not hold f32");
  const Tensor floats({2, 2});
  expect_error<UserError>([&] { floats.integers(); }, "tensor f32 [2,2] does not hold i32");
}

TEST(Tensor, ShapesThatNoMemoryHoldsAreRefused) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  expect_error<UserError>([] { Tensor({kBatch, 3}); }, "tensor f32 [N,3] has a negative extent");
  expect_error<UserError>([] { Tensor({2, -7}); }, "[2,-7] has a negative extent");
  expect_error<UserError>([] { Tensor({kMost, 2}, DType::u8); }, "is more than any memory holds");
  expect_error<UserError>([] { Tensor({kMost / 2}); }, "is more than any memory holds");
}

}  // namespace
}  // namespace halcyon::runtime
