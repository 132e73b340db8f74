#include "compiler/reference/stored.h"

#include <gtest/gtest.h>

#include <cstring>

#include "compiler/reference/interpreter.h"

namespace halcyon::compiler {
namespace {

const Layout kRagged = {.shape = {kBatch, 5, 2, 3}, .block = 4, .before = {1, 2}, .after = {0, 1}};

float float_at(const std::vector<std::byte>& memory, int64_t element) {
  float value;
  std::memcpy(&value, memory.data() + 4 * element, 4);
  return value;
}

TEST(Stored, PutsAValueWhereItsLayoutSays) {
  HostTensor tensor = zeros({1, 5, 2, 3});
  // Channel 4, row 1, column 2: the second block of 3 rows by 6 columns by 4 lanes, behind a halo.
  tensor.values.back() = 7;
  std::vector<std::byte> memory(static_cast<std::size_t>(4 * kRagged.sample_elements()));
  store(tensor, kRagged, 1, memory.data());
  EXPECT_EQ(float_at(memory, (((1 * 3 + 1 + 1) * 6) + 2 + 2) * 4 + 0), 7);
}

TEST(Stored, ComesBackFromEveryForm) {
  Layout shared = kRagged;
  shared.buffer_blocks = 5;
  shared.first_block = 2;
  for (const Layout& layout : {kRagged, shared}) {
    const HostTensor tensor = random_tensor(layout.shape, 3, 1);
    std::vector<std::byte> memory(static_cast<std::size_t>(3 * layout.buffer_bytes()));
    std::byte* begin = memory.data() + 4 * layout.first_element();
    store(tensor, layout, 3, begin);
    EXPECT_EQ(load(layout.shape, layout, 3, begin).values, tensor.values);
  }
}

TEST(Stored, KeepsFiltersApart) {
  const WeightLayout layout = {.filters = 6, .filter_block = 4, .sample = kRagged.alone()};
  const Shape shape = {6, 5, 2, 3};
  const HostTensor tensor = random_tensor(shape, 1, 2);
  std::vector<std::byte> memory(static_cast<std::size_t>(layout.bytes()));
  store(tensor, layout, memory.data());
  EXPECT_EQ(load(shape, layout, memory.data()).values, tensor.values);
  // Filter 5 is lane 1 of the second block of filters; its first value lies behind the halo.
  const int64_t inside = (1 * 6 + 2) * 4;
  EXPECT_EQ(float_at(memory, layout.filter_block_stride() + inside * 4 + 1),
            static_cast<float>(tensor.values[5 * 30]));
}

TEST(Stored, TakesLabelsAndBytes) {
  for (const DType dtype : {DType::i32, DType::u8}) {
    const Layout layout = {.shape = {kBatch}, .dtype = dtype};
    const HostTensor labels = random_labels(200, 4, 1);
    std::vector<std::byte> memory(static_cast<std::size_t>(4 * layout.buffer_bytes()));
    store(labels, layout, 4, memory.data());
    EXPECT_EQ(load(layout.shape, layout, 4, memory.data()).values, labels.values);
  }
}

}  // namespace
}  // namespace halcyon::compiler
