#include "runtime/tensor.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "runtime/base/error.h"

namespace halcyon::runtime {
namespace {

std::string text_of(DType dtype, const Shape& shape) {
  return std::string(to_string(dtype)) + " " + to_string(shape);
}

/// Errors: UserError for a shape that no memory holds.
uint64_t checked_bytes(const Shape& shape, DType dtype) {
  int64_t bytes = size_bytes(dtype);
  for (int axis = 0; axis < shape.rank; ++axis) {
    if (shape[axis] < 0)
      throw UserError("tensor " + text_of(dtype, shape) + " has a negative extent");
    if (shape[axis] > 0 && bytes > std::numeric_limits<int64_t>::max() / shape[axis])
      throw UserError("tensor " + text_of(dtype, shape) + " is more than any memory holds");
    bytes *= shape[axis];
  }
  return static_cast<uint64_t>(bytes);
}

template <class Number>
void fill(Tensor& tensor, std::span<const Number> values) {
  if (tensor.bytes().size() != values.size_bytes()) {
    throw UserError("tensor " + to_string(tensor) + " has " + std::to_string(tensor.elements()) +
                    " values, " + std::to_string(values.size()) + " are given");
  }
  std::ranges::copy(std::as_bytes(values), tensor.bytes().begin());
}

template <class Number>
std::span<Number> as(std::span<std::byte> bytes) {
  return {reinterpret_cast<Number*>(bytes.data()), bytes.size() / sizeof(Number)};
}
template <class Number>
std::span<const Number> as(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const Number*>(bytes.data()), bytes.size() / sizeof(Number)};
}

}  // namespace

Tensor::Tensor(const Shape& shape, DType dtype)
    : shape_(shape),
      dtype_(dtype),
      memory_(checked_bytes(shape, dtype), "a tensor " + text_of(dtype, shape)) {}

Tensor::Tensor(const Shape& shape, std::span<const float> values) : Tensor(shape, DType::f32) {
  fill(*this, values);
}

Tensor::Tensor(const Shape& shape, std::span<const int32_t> values) : Tensor(shape, DType::i32) {
  fill(*this, values);
}

Tensor::Tensor(const Tensor& other) : Tensor(other.shape_, other.dtype_) {
  std::ranges::copy(other.bytes(), bytes().begin());
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) *this = Tensor(other);
  return *this;
}

// What was moved away holds no values, and says so.
Tensor::Tensor(Tensor&& other) noexcept
    : shape_(std::exchange(other.shape_, Shape{0})),
      dtype_(other.dtype_),
      memory_(std::exchange(other.memory_, AlignedBuffer())) {}

Tensor& Tensor::operator=(Tensor&& other) noexcept {
  shape_ = std::exchange(other.shape_, Shape{0});
  dtype_ = other.dtype_;
  memory_ = std::exchange(other.memory_, AlignedBuffer());
  return *this;
}

void Tensor::require(DType asked) const {
  if (dtype_ == asked) return;
  throw UserError("tensor " + to_string(*this) + " does not hold " + std::string(to_string(asked)));
}

std::span<float> Tensor::floats() {
  require(DType::f32);
  return as<float>(bytes());
}

std::span<const float> Tensor::floats() const {
  require(DType::f32);
  return as<float>(bytes());
}

std::span<int32_t> Tensor::integers() {
  require(DType::i32);
  return as<int32_t>(bytes());
}

std::span<const int32_t> Tensor::integers() const {
  require(DType::i32);
  return as<int32_t>(bytes());
}

const char* to_string(DType dtype) {
  return dtype == DType::f32 ? "f32" : dtype == DType::i32 ? "i32" : "u8";
}

std::string to_string(const Tensor& tensor) { return text_of(tensor.dtype(), tensor.shape()); }

}  // namespace halcyon::runtime
