#pragma once
/// What an operator is: a struct with a `name`, a table of attributes and one shape rule.
///
///   struct Flatten {
///     static constexpr std::string_view name = "flatten";
///     static constexpr auto fields() { return attributes(); }
///     constexpr Shapes infer(const Shapes& in) const;  // one shape per output; reports mistakes
///     bool operator==(const Flatten&) const = default;  // CSE and cache key
///   };
///
/// Printing, parsing and hashing work from `fields()`, so an attribute is named once. Optional:
/// `macs(in, out)`, the multiply-adds per sample.

#include <array>
#include <concepts>
#include <string_view>
#include <vector>

#include "dsl/shape_errors.h"
#include "runtime/base/fixed_string.h"
#include "runtime/base/shape.h"

namespace halcyon::dsl {

using Shapes = std::vector<Shape>;

/// Most values of a parameter or of one sample, and the largest attribute: generated code counts
/// in 32 bits, and no product of two overflows int64_t.
inline constexpr int64_t kMaxElements = 2'147'483'647;

/// One number for each of at most `most` axes, outermost first, or one number for all of them
/// (rank 0).
template <class T, std::size_t most>
struct Numbers {
  std::array<T, most> values = {};
  int rank = 0;

  constexpr Numbers() = default;
  constexpr Numbers(T all) { values.fill(all); }
  constexpr Numbers(std::initializer_list<T> list) {
    for (T v : list) push_back(v);
  }

  constexpr void push_back(T value) { values.at(static_cast<std::size_t>(rank++)) = value; }
  constexpr T operator[](int axis) const { return values.at(static_cast<std::size_t>(axis)); }
  constexpr T& operator[](int axis) { return values.at(static_cast<std::size_t>(axis)); }
  constexpr bool operator==(const Numbers&) const = default;
};

using Spatial = Numbers<int64_t, 3>;     ///< for the spatial axes
using SpatialScale = Numbers<float, 3>;  ///< the same for factors
using SampleAxes = Numbers<int64_t, 4>;  ///< for all axes behind the batch: channels, spatial

template <class Op, class Member>
struct Attribute {
  std::string_view name;
  Member Op::*member;
};

template <class Op, class Member>
constexpr Attribute<Op, Member> field(std::string_view name, Member Op::*member) {
  return {name, member};
}

/// What fields() gives: called with a function, it hands it one attribute after the other. Not a
/// tuple: a network file would spend a third of its compile time on those of all operators.
template <class... A>
constexpr auto attributes(A... list) {
  return [=]([[maybe_unused]] const auto& visit) { (visit(list), ...); };
}

/// The attributes of several tables, in order.
template <class... Fields>
constexpr auto joined(Fields... tables) {
  return [=](const auto& visit) { (tables(visit), ...); };
}

template <class T>
concept Operator = requires(const T op, const Shapes& in) {
  { T::name } -> std::convertible_to<std::string_view>;
  {T::fields()};
  { op.infer(in) } -> std::same_as<Shapes>;
  { op == op } -> std::same_as<bool>;
};

/// Checks shared by the shape rules.
namespace rules {

constexpr void check_input_count(const Shapes& in, std::size_t at_least, std::size_t at_most) {
  if (in.size() < at_least || in.size() > at_most) {
    mistakes::wrong_number_of_inputs(static_cast<int64_t>(in.size()),
                                     static_cast<int64_t>(at_least), static_cast<int64_t>(at_most));
  }
}

constexpr void check_rank(const Shape& x, int at_least, int at_most) {
  if (x.rank < at_least || x.rank > at_most) {
    mistakes::input_has_wrong_rank(x.rank, at_least, at_most);
  }
}

/// An activation: a batch, channels, and spatial axes.
constexpr void check_activation(const Shape& x, int at_least, int at_most) {
  check_rank(x, at_least, at_most);
  if (!x.has_batch()) mistakes::input_has_no_batch(x);
}

/// Every extent is at least 1, and the values of one sample can be counted.
constexpr void check_size(const Shape& x) {
  const int64_t* const extents =
      x.extents.data();  // unchecked: fewer steps in a constant expression
  int64_t room = kMaxElements;
  for (int axis = x.has_batch() ? 1 : 0; axis < x.rank; ++axis) {
    if (extents[axis] < 1) mistakes::extent_must_be_positive(axis, extents[axis]);
    room /= extents[axis];
  }
  if (room < 1) mistakes::shape_is_too_large(x, kMaxElements);
}

constexpr void check_positive(const char* attribute, int64_t value) {
  if (value < 1) mistakes::attribute_must_be_positive(attribute, value);
  if (value > kMaxElements) mistakes::attribute_is_too_large(attribute, value, kMaxElements);
}

/// Groups divide the channels of x and the filters that a convolution makes of them.
constexpr void check_filter_groups(const Shape& x, int64_t filters, int64_t groups) {
  check_positive("filters", filters);
  check_positive("groups", groups);
  if (x[1] % groups != 0) mistakes::channels_not_divisible_by_groups(x[1], groups);
  if (filters % groups != 0) mistakes::channels_not_divisible_by_groups(filters, groups);
}

constexpr void check_padding(int64_t value) {
  if (value < 0) mistakes::padding_must_not_be_negative(value);
  if (value > kMaxElements) mistakes::attribute_is_too_large("padding", value, kMaxElements);
}

/// One number for all axes, or one for each spatial axis of x.
template <class T>
constexpr void check_axes(const char* attribute, const Numbers<T, 3>& value, const Shape& x) {
  if (value.rank != 0 && value.rank != x.spatial_rank()) {
    mistakes::attribute_has_wrong_number_of_axes(attribute, value.rank, x.spatial_rank());
  }
}

/// One number for all axes, or one for each axis of x behind the batch.
constexpr void check_axes(const char* attribute, const SampleAxes& value, const Shape& x) {
  if (value.rank != 0 && value.rank != x.rank - 1) {
    mistakes::attribute_has_wrong_number_of_sample_axes(attribute, value.rank, x.rank - 1);
  }
}

/// Shapes: the output extent of a sliding window. Source: ONNX Conv-11, explicit padding.
constexpr int64_t window_output(int64_t input, int64_t kernel, int64_t stride, int64_t dilation,
                                int64_t pad_begin, int64_t pad_end) {
  check_positive("kernel", kernel);
  check_positive("stride", stride);
  check_positive("dilation", dilation);
  check_padding(pad_begin);
  check_padding(pad_end);
  // Divided first: dilation * kernel could overflow for absurd attributes.
  const int64_t room = input + pad_begin + pad_end - 1;
  if (room < 0 || (kernel > 1 && dilation > room / (kernel - 1))) {
    mistakes::window_does_not_fit_input(input, pad_begin, pad_end, kernel, dilation);
  }
  return (room - dilation * (kernel - 1)) / stride + 1;
}

}  // namespace rules
}  // namespace halcyon::dsl
