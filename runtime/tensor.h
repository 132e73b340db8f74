#pragma once
/// Numbers with a shape and a type: dense, row-major, in memory aligned as compiled networks want
/// it. The tensor that holds data; that of the DSL is a symbol.
///
///     Tensor pictures({2, 32, 32, 3});
///     pictures.floats()[0] = 0.5f;
///     const Tensor scores = network.infer(pictures);

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/shape.h"
#include "runtime/memory.h"

namespace halcyon::runtime {

/// Owns its values: a copy has its own.
class Tensor {
 public:
  /// No values: [0].
  Tensor() = default;

  /// Zeros.
  /// Errors: UserError for a negative extent, or more values than memory can hold; SystemError
  /// without memory.
  explicit Tensor(const Shape& shape, DType dtype = DType::f32);

  /// These values. Errors: also UserError if their number is not the shape's.
  Tensor(const Shape& shape, std::span<const float> values);
  Tensor(const Shape& shape, std::span<const int32_t> values);

  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&& other) noexcept;
  Tensor& operator=(Tensor&& other) noexcept;
  ~Tensor() = default;

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int64_t elements() const { return shape_.elements(); }

  /// Errors: UserError if the type is another.
  std::span<float> floats();
  std::span<const float> floats() const;
  std::span<int32_t> integers();
  std::span<const int32_t> integers() const;

  std::span<std::byte> bytes() { return {memory_.data(), memory_.size_bytes()}; }
  std::span<const std::byte> bytes() const { return {memory_.data(), memory_.size_bytes()}; }

 private:
  void require(DType asked) const;

  Shape shape_ = {0};
  DType dtype_ = DType::f32;
  AlignedBuffer memory_;
};

/// "f32", "i32", "u8"
const char* to_string(DType dtype);

/// "f32 [2,32,32,3]"
std::string to_string(const Tensor& tensor);

}  // namespace halcyon::runtime
