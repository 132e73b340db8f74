#pragma once
/// Copying, for values of any type; what computes position by position is in pointwise.h.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

/// The same values in a buffer of their own: where the host's layout is not the one a kernel needs.
struct Copy {
  static constexpr std::string_view name = "copy";
  static constexpr auto fields() { return attributes(); }
  constexpr Shapes infer(const Shapes& in) const {
    rules::check_input_count(in, 1, 1);
    return {in[0]};
  }
  constexpr bool operator==(const Copy&) const = default;
};

}  // namespace halcyon::dsl::ops
