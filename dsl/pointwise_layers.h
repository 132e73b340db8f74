#pragma once
/// Layers that compute each position by itself.
///
///   x | relu            any function of dsl/functions.h, or one of your own from Scalar to Scalar
///   x | leaky_relu(0.1f)
///   x | custom("my_swish", [](auto x) { return x * sigmoid(1.5f * x); })
///   custom("blend", [](auto a, auto b) { return 0.5f * a + 0.5f * b; }, a, b)
///   x * gate + 1.0f     values of one shape, or repeated to one (dsl/ops/pointwise.h)

#include <concepts>
#include <type_traits>
#include <vector>

#include "dsl/network.h"

namespace halcyon::dsl {

namespace detail {

constexpr Tensor apply(const ops::Pointwise& op, const std::vector<Tensor>& in,
                       const FixedString& given, Place place) {
  Network& net = in[0].owner();
  const FixedString name = net.unique_name(given, name_of(Op(op)), place);
  explain(op.function, name, place, {}, [&] {
    op.formula.check_constants();
    for (const Tensor& x : in) {
      if (x.network != in[0].network) mistakes::tensors_of_different_networks();
    }
  });
  std::vector<Value> values;
  for (const Tensor& x : in) values.push_back(x.value);
  return net.add(op, std::move(values), name, place);
}

/// `make` gives the function's result as a Scalar; it may find that the formula is too long.
template <class Make>
constexpr ops::Pointwise named_function(const FixedString& name, Place place, const Make& make) {
  return explain(name, name, place, {}, [&] { return ops::Pointwise{name, make().formula}; });
}

}  // namespace detail

/// What stands to the right of `|`: converting a function notes the user's line.
struct PlacedFunction {
  Function::Unary function;
  Place place;
  constexpr PlacedFunction(Function::Unary f, Place here = Place::here())
      : function(f), place(here) {}
};

/// Shapes: y has the shape of x.
constexpr Tensor operator|(Tensor x, PlacedFunction f) {
  return detail::apply(pointwise(f.function), {x}, {}, f.place);
}

/// A function with its numbers, ready to be applied. Shapes: y has the shape of x.
struct PointwiseLayer {
  ops::Pointwise op;
  FixedString name;
  Place place;

  constexpr Tensor operator()(Tensor x) const { return detail::apply(op, {x}, name, place); }
};

struct FunctionOptions {
  FixedString name = {};
};

/// A function under a name of the node's own: `x | named(relu, "stem.relu")`.
constexpr PointwiseLayer named(Function::Unary function, const FixedString& name,
                               Place place = Place::here()) {
  return {pointwise(function), name, place};
}

constexpr PointwiseLayer leaky_relu(float alpha = 0.01f, FunctionOptions options = {},
                                    Place place = Place::here()) {
  return {{"leaky_relu", leaky_relu(Scalar::input(0), alpha).formula}, options.name, place};
}

constexpr PointwiseLayer elu(float alpha = 1, FunctionOptions options = {},
                             Place place = Place::here()) {
  return {{"elu", elu(Scalar::input(0), alpha).formula}, options.name, place};
}

constexpr PointwiseLayer clip(float least, float most, FunctionOptions options = {},
                              Place place = Place::here()) {
  return {{"clip", clip(Scalar::input(0), least, most).formula}, options.name, place};
}

constexpr PointwiseLayer hard_sigmoid(float alpha = 0.2f, float beta = 0.5f,
                                      FunctionOptions options = {}, Place place = Place::here()) {
  return {
      {"hard_sigmoid", hard_sigmoid(Scalar::input(0), alpha, beta).formula}, options.name, place};
}

constexpr PointwiseLayer pow(float exponent, FunctionOptions options = {},
                             Place place = Place::here()) {
  return {{"pow", pow(Scalar::input(0), exponent).formula}, options.name, place};
}

/// The name of a function of the user's own, the node's where it has one of its own, and the line
/// that it stands in: custom("swish", ...), custom({"swish", "stem.swish"}, ...).
struct FunctionName {
  FixedString text;
  FixedString node = {};
  Place place;
  constexpr FunctionName(const char* name, Place here = Place::here()) : text(name), place(here) {}
  constexpr FunctionName(std::string_view name, Place here = Place::here())
      : text(name), place(here) {}
  constexpr FunctionName(const char* name, const char* of_node, Place here = Place::here())
      : text(name), node(of_node), place(here) {}
};

/// A function of the user's own, written on Scalars. Its gradient comes from it.
/// Errors: more than Formula::kCapacity terms.
template <class F>
requires std::is_invocable_r_v<Scalar, const F&, Scalar>
constexpr PointwiseLayer custom(FunctionName name, const F& function) {
  return {detail::named_function(name.text, name.place,
                                 [&]() -> Scalar { return function(Scalar::input(0)); }),
          name.node, name.place};
}

/// The same of several tensors.
template <class F, std::same_as<Tensor>... More>
constexpr Tensor custom(FunctionName name, const F& function, Tensor first, More... more) {
  const ops::Pointwise op = detail::named_function(name.text, name.place, [&]() -> Scalar {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return function(Scalar::input(static_cast<int>(i))...);
    }
    (std::make_index_sequence<sizeof...(More) + 1>{});
  });
  return detail::apply(op, {first, more...}, name.node, name.place);
}

namespace detail {

constexpr Tensor binary(const char* function, Function::Binary f, Tensor a, Tensor b,
                        const FixedString& name, Place place) {
  return apply({function, f(Scalar::input(0), Scalar::input(1)).formula}, {a, b}, name, place);
}

}  // namespace detail

// Two tensors: of one shape, or repeated to one.

constexpr Tensor add(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::binary("add", add, a, b, name, place);
}
constexpr Tensor sub(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::binary("sub", sub, a, b, name, place);
}
constexpr Tensor mul(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::binary("mul", mul, a, b, name, place);
}
constexpr Tensor div(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::binary("div", div, a, b, name, place);
}
constexpr Tensor min(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::apply({"min", min(Scalar::input(0), Scalar::input(1)).formula}, {a, b}, name,
                       place);
}
constexpr Tensor max(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::apply({"max", max(Scalar::input(0), Scalar::input(1)).formula}, {a, b}, name,
                       place);
}
constexpr Tensor pow(Tensor a, Tensor b, FixedString name = {}, Place place = Place::here()) {
  return detail::apply({"pow", pow(Scalar::input(0), Scalar::input(1)).formula}, {a, b}, name,
                       place);
}

/// An operand of an operator: converting a tensor notes the user's line.
struct PlacedTensor {
  Tensor x;
  Place place;
  constexpr PlacedTensor(Tensor tensor, Place here = Place::here()) : x(tensor), place(here) {}
};

namespace detail {

constexpr Tensor unary(const char* function, const PlacedTensor& x, const Scalar& result) {
  return apply({function, result.formula}, {x.x}, {}, x.place);
}
inline constexpr Scalar kX = Scalar::input(0);

}  // namespace detail

// clang-format off
constexpr Tensor operator+(PlacedTensor a, Tensor b) { return add(a.x, b, {}, a.place); }
constexpr Tensor operator-(PlacedTensor a, Tensor b) { return sub(a.x, b, {}, a.place); }
constexpr Tensor operator*(PlacedTensor a, Tensor b) { return mul(a.x, b, {}, a.place); }
constexpr Tensor operator/(PlacedTensor a, Tensor b) { return div(a.x, b, {}, a.place); }
constexpr Tensor operator-(PlacedTensor x) { return detail::unary("neg", x, -detail::kX); }

constexpr Tensor operator+(PlacedTensor a, float b) { return detail::unary("add", a, detail::kX + b); }
constexpr Tensor operator-(PlacedTensor a, float b) { return detail::unary("sub", a, detail::kX - b); }
constexpr Tensor operator*(PlacedTensor a, float b) { return detail::unary("mul", a, detail::kX * b); }
constexpr Tensor operator/(PlacedTensor a, float b) { return detail::unary("div", a, detail::kX / b); }
constexpr Tensor operator+(float a, PlacedTensor b) { return detail::unary("add", b, a + detail::kX); }
constexpr Tensor operator-(float a, PlacedTensor b) { return detail::unary("sub", b, a - detail::kX); }
constexpr Tensor operator*(float a, PlacedTensor b) { return detail::unary("mul", b, a * detail::kX); }
constexpr Tensor operator/(float a, PlacedTensor b) { return detail::unary("div", b, a / detail::kX); }
// clang-format on

struct PReluOptions {
  bool per_channel = true;  ///< else one slope for all
  Initializer init = constant(0.25f);
  FixedString name = {};
};

struct PReluLayer {
  PReluOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, "prelu", place);
    explain("prelu", name, place, {&in, 1}, [&] { rules::check_activation(in, 2, 5); });
    FixedString slope = name;
    slope.append(".slope");
    const Tensor parameter =
        net.parameter(slope, Shape{options.per_channel ? in[1] : 1}, options.init, place);
    return net.add(ops::Pointwise{"prelu", prelu(Scalar::input(0), Scalar::input(1)).formula},
                   {x.value, parameter.value}, name, place);
  }
};

/// max(x, 0) + slope * min(x, 0) with a trained slope. Source: He et al. 2015, Delving Deep.
constexpr PReluLayer prelu(PReluOptions options = {}, Place place = Place::here()) {
  return {std::move(options), place};
}

struct ScaleShiftOptions {
  bool bias = true;
  Initializer init = constant(1);
  Initializer bias_init = constant(0);
  FixedString name = {};
};

struct ScaleShiftLayer {
  ScaleShiftOptions options;
  Place place;

  constexpr Tensor operator()(Tensor x) const {
    Network& net = x.owner();
    const Shape in = x.shape();
    const FixedString name = net.unique_name(options.name, "scale_shift", place);
    explain("scale_shift", name, place, {&in, 1}, [&] { rules::check_activation(in, 2, 5); });
    const auto parameter = [&](const char* member, const Initializer& init) {
      FixedString full = name;
      full.append(member);
      return net.parameter(full, Shape{in[1]}, init, place).value;
    };
    std::vector<Value> inputs = {x.value, parameter(".weight", options.init)};
    Scalar y = Scalar::input(0) * Scalar::input(1);
    if (options.bias) {
      inputs.push_back(parameter(".bias", options.bias_init));
      y = y + Scalar::input(2);
    }
    return net.add(ops::Pointwise{"scale_shift", y.formula}, std::move(inputs), name, place);
  }
};

/// x * weight + bias, one of each per channel. Shapes: y has the shape of x.
constexpr ScaleShiftLayer scale_shift(ScaleShiftOptions options = {}, Place place = Place::here()) {
  return {std::move(options), place};
}

}  // namespace halcyon::dsl
