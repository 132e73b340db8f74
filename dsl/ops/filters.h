#pragma once
/// Filters made from filters: what passes compute once, when the parameters are known.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// Multiplies each filter by a number of its own.
/// Shapes: weight [K,...], scale [K] -> weight's
struct ScaleFilters {
  static constexpr std::string_view name = "scale_filters";
  static constexpr auto fields() { return attributes(); }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 2, 2);
    rules::check_rank(in[0], 2, 5);
    if (!(in[1] == Shape{in[0][0]})) mistakes::shapes_must_be_equal(Shape{in[0][0]}, in[1]);
    return {in[0]};
  }
  constexpr bool operator==(const ScaleFilters&) const = default;
};

/// Filters of several layers behind each other, those of each filled with zeros up to a multiple of
/// `block`. Biases are stacked alike.
/// Shapes: weights [K1,C,R,S], [K2,C,R,S], ... -> [filled(K1)+filled(K2)+...,C,R,S]
/// Errors: weights that differ in more than the number of filters.
struct StackFilters {
  static constexpr std::string_view name = "stack_filters";
  static constexpr auto fields() { return attributes(field("block", &StackFilters::block)); }

  int64_t block = 1;

  constexpr int64_t filled(int64_t filters) const { return (filters + block - 1) / block * block; }

  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1024);
    rules::check_positive("block", block);
    Shape stacked = in[0];
    stacked[0] = 0;
    for (const Shape& weight : in) {
      rules::check_rank(weight, 1, 5);
      Shape alike = weight;
      alike[0] = in[0][0];
      if (!(alike == in[0])) mistakes::shapes_must_be_equal(in[0], weight);
      stacked[0] += filled(weight[0]);
    }
    return {stacked};
  }
  constexpr bool operator==(const StackFilters&) const = default;
};

}  // namespace halcyon::dsl::ops
