#pragma once
/// Layers that compute each position from its neighbours in the same channel.
///
///   x | custom("laplace", [](Window x) {
///     return x(0, -1) + x(0, 1) + x(-1, 0) + x(1, 0) - 4 * x(0, 0);
///   })
///   x | custom("slope", [](Window x) { return x(1) - x(0); }, {.border = Border::edge})

#include "dsl/pointwise_layers.h"

namespace halcyon::dsl {

struct StencilOptions {
  Border border = Border::zero;
  FixedString name = {};
};

struct StencilLayer {
  ops::Stencil op;
  FixedString name;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    return net.add(op, {x.value}, net.unique_name(name, op.function, place), place);
  }
};

/// A stencil of the user's own, written on a Window. Its gradient comes from it.
/// Shapes: y has the shape of x.
/// Errors: as ops::Stencil; more than Formula::kCapacity terms.
template <class F>
requires(!std::is_invocable_v<const F&, Scalar>) &&
    std::is_invocable_r_v<Scalar, const F&, Window>  //
    constexpr StencilLayer
    custom(FunctionName name, const F& function, StencilOptions options = {}) {
  return explain(name.text, name.text, name.place, {}, [&] {
    Stencil neighbours;
    const Scalar result = function(Window(neighbours));
    result.formula.check_constants();
    const ops::Stencil op{.function = name.text,
                          .formula = neighbours.with(result.formula),
                          .border = options.border};
    return StencilLayer{op, name.node.empty() ? options.name : name.node, name.place};
  });
}

}  // namespace halcyon::dsl
