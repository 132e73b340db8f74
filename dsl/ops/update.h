#pragma once
/// The optimizer's step. It has no outputs: parameters and state change in place.

#include "dsl/ops/op.h"

namespace halcyon::dsl::ops {

enum class Optimizer { sgd, momentum, rmsprop, adam };

/// Moves every trainable parameter against its gradient; the rules are written at
/// compiler/ops/update.cpp. Shapes: parameters p_0..p_n, then gradients g_0..g_n of the same shapes
/// -> nothing
struct Update {
  static constexpr std::string_view name = "update";
  static constexpr auto fields() { return attributes(field("optimizer", &Update::optimizer)); }

  Optimizer optimizer = Optimizer::momentum;

  /// Blocks of state, each as large as the parameters.
  constexpr int64_t state_slots() const {
    return optimizer == Optimizer::sgd ? 0 : optimizer == Optimizer::adam ? 2 : 1;
  }

  constexpr Shapes infer(const Shapes& in) const {
    const std::size_t count = in.size() / 2;
    rules::check_input_count(in, 2 * count, 2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!(in[i] == in[count + i])) mistakes::shapes_must_be_equal(in[i], in[count + i]);
    }
    return {};
  }
  constexpr bool operator==(const Update&) const = default;
};

}  // namespace halcyon::dsl::ops
