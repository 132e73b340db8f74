#pragma once
/// What the values of enumerations are called in the text of a graph: one row for each type that an
/// attribute has, its names in the order of the values. Printing and parsing both read it.

#include <array>
#include <concepts>
#include <string_view>

#include "dsl/graph.h"

namespace halcyon::dsl {

template <std::size_t count>
using Names = std::array<std::string_view, count>;

// clang-format off
constexpr Names<2> names_of(bool) { return {"false", "true"}; }
constexpr Names<3> names_of(DType) { return {"f32", "i32", "u8"}; }
constexpr Names<2> names_of(Border) { return {"zero", "edge"}; }
constexpr Names<4> names_of(ops::Coordinates) { return {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}; }
constexpr Names<2> names_of(ops::DepthOrder) { return {"dcr", "crd"}; }
constexpr Names<4> names_of(ops::InitKind) { return {"constant", "uniform", "normal", "values"}; }
constexpr Names<2> names_of(ops::Interpolation) { return {"nearest", "linear"}; }
constexpr Names<2> names_of(ops::Neighbours) { return {"channels", "positions"}; }
constexpr Names<4> names_of(ops::Optimizer) { return {"sgd", "momentum", "rmsprop", "adam"}; }
constexpr Names<3> names_of(ops::PadMode) { return {"constant", "reflect", "edge"}; }
constexpr Names<4> names_of(ops::ReduceKind) { return {"sum", "mean", "max", "min"}; }
constexpr Names<4> names_of(ops::Rounding) { return {"prefer_floor", "prefer_ceil", "floor", "ceil"}; }
// clang-format on

/// Has a row above; a number does not turn into one.
template <class T>
concept Enumeration = std::is_enum_v<T> || std::same_as<T, bool>;

}  // namespace halcyon::dsl
