#pragma once
/// The functions that have a name of their own: activations and arithmetic.
///
/// A function of one value is a layer as well: `x | gelu`, `x | leaky_relu(0.1f)`. All of them may
/// be used in the formulas of custom(), and custom functions are as good as these: a row in the
/// table below only lets the text form say `relu` in place of a formula.

#include <array>
#include <optional>
#include <string_view>
#include <type_traits>

#include "dsl/formula.h"

namespace halcyon::dsl {

/// Source: ONNX Relu-14.
constexpr Scalar relu(Scalar x) { return max(x, 0.0f); }
/// Source: Howard et al. 2017, MobileNets.
constexpr Scalar relu6(Scalar x) { return min(max(x, 0.0f), 6.0f); }
/// Source: ONNX Clip-13.
constexpr Scalar clip(Scalar x, float least, float most) { return min(max(x, least), most); }
/// Source: ONNX LeakyRelu-16.
constexpr Scalar leaky_relu(Scalar x, float alpha) { return select(x > 0.0f, x, alpha * x); }
/// Source: ONNX PRelu-16.
constexpr Scalar prelu(Scalar x, Scalar slope) { return select(x > 0.0f, x, slope * x); }
/// Source: ONNX Elu-6. The minimum keeps what is not selected finite, so that its gradient is.
constexpr Scalar elu(Scalar x, float alpha) {
  return select(x > 0.0f, x, alpha * (exp(min(x, 0.0f)) - 1.0f));
}

inline constexpr float kSeluAlpha = 1.67326319217681884765625f;
inline constexpr float kSeluScale = 1.05070102214813232421875f;
/// Source: ONNX Selu-6.
constexpr Scalar selu(Scalar x) { return kSeluScale * elu(x, kSeluAlpha); }
/// Source: ONNX HardSigmoid-6.
constexpr Scalar hard_sigmoid(Scalar x, float alpha, float beta) {
  return clip(alpha * x + beta, 0.0f, 1.0f);
}
/// Source: ONNX HardSwish-14.
constexpr Scalar hard_swish(Scalar x) { return x * clip(x * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f); }
/// Source: Elfwing et al. 2017; with a factor in front of x it is Swish.
constexpr Scalar silu(Scalar x) { return x * sigmoid(x); }
/// Source: ONNX Mish-18.
constexpr Scalar mish(Scalar x) { return x * tanh(softplus(x)); }
/// Source: ONNX Gelu-20; 1 / sqrt(2).
constexpr Scalar gelu(Scalar x) { return 0.5f * x * (1.0f + erf(x * 0.707106781f)); }
/// Source: ONNX Gelu-20 with approximate = tanh; sqrt(2 / pi).
constexpr Scalar gelu_tanh(Scalar x) {
  return 0.5f * x * (1.0f + tanh(0.797884561f * (x + 0.044715f * x * x * x)));
}

constexpr Scalar add(Scalar a, Scalar b) { return a + b; }
constexpr Scalar sub(Scalar a, Scalar b) { return a - b; }
constexpr Scalar mul(Scalar a, Scalar b) { return a * b; }
constexpr Scalar div(Scalar a, Scalar b) { return a / b; }

/// Numbers that are part of a function: the slope of leaky_relu.
struct FunctionParameter {
  std::string_view name;
  float value = 0;
};

/// A pointer to a function, or nothing. It says which by itself: sanitizers keep g++ from comparing
/// a function's address with null in a constant expression.
template <class F>
struct Given {
  F* function = nullptr;
  bool is_given = false;

  constexpr Given() = default;
  constexpr Given(F* f) : function(f), is_given(true) {}
  template <class Lambda>
  requires std::is_convertible_v<Lambda, F*>
  constexpr Given(Lambda f) : function(f), is_given(true) {}

  constexpr explicit operator bool() const { return is_given; }
  template <class... Arguments>
  constexpr auto operator()(const Arguments&... arguments) const {
    return function(arguments...);
  }
};

/// A row of the table: a function, and what follows from its result alone.
struct Function {
  using Unary = Scalar (*)(Scalar);
  using Binary = Scalar (*)(Scalar, Scalar);
  /// The gradient towards x from dy and y, so that x need not be kept; nothing where y does not
  /// tell. Rules that need no trick (sigmoid, exp) are found without one.
  using FromResult = std::optional<Scalar>(Scalar dy, Scalar y, const float*);

  static constexpr std::size_t kMostParameters = 2;

  std::string_view name;
  Given<Scalar(Scalar)> unary = {};
  Given<Scalar(Scalar, Scalar)> binary = {};
  Given<Scalar(Scalar, const float*)> with_parameters = {};
  Given<FromResult> gradient = {};
  std::array<FunctionParameter, kMostParameters> parameters = {};

  constexpr std::size_t parameter_count() const {
    std::size_t count = 0;
    while (count < kMostParameters && !parameters[count].name.empty()) ++count;
    return count;
  }

  constexpr Formula formula(const float* values) const {
    if (unary) return unary(Scalar::input(0)).formula;
    if (binary) return binary(Scalar::input(0), Scalar::input(1)).formula;
    return with_parameters(Scalar::input(0), values).formula;
  }
};

namespace detail {

/// Of clip: at the border, where y is one of its ends, the gradient is zero.
constexpr Scalar inside(const Scalar& y, float least, float most, const Scalar& gradient) {
  return select(y > least, select(y < most, gradient, 0.0f), 0.0f);
}

/// Of elu: y + alpha is alpha * exp(x) where y is negative.
constexpr Scalar elu_gradient(const Scalar& dy, const Scalar& y, float alpha, float scale) {
  return select(y > 0.0f, scale * dy, dy * (y + scale * alpha));
}

using Result = std::optional<Scalar>;
using Numbers = const float*;

}  // namespace detail

// clang-format off
inline constexpr Function kFunctions[] = {
  {.name = "relu", .unary = relu,
   .gradient = [](Scalar dy, Scalar y, detail::Numbers) { return detail::Result(select(y > 0.0f, dy, 0.0f)); }},
  {.name = "relu6", .unary = relu6,
   .gradient = [](Scalar dy, Scalar y, detail::Numbers) { return detail::Result(detail::inside(y, 0, 6, dy)); }},
  {.name = "clip",
   .with_parameters = [](Scalar x, detail::Numbers p) { return clip(x, p[0], p[1]); },
   .gradient = [](Scalar dy, Scalar y, detail::Numbers p) { return p[0] < p[1] ? detail::Result(detail::inside(y, p[0], p[1], dy)) : detail::Result(); },
   .parameters = {{{"min"}, {"max"}}}},
  {.name = "leaky_relu",
   .with_parameters = [](Scalar x, detail::Numbers p) { return leaky_relu(x, p[0]); },
   .gradient = [](Scalar dy, Scalar y, detail::Numbers p) { return p[0] >= 0 ? detail::Result(select(y > 0.0f, dy, p[0] * dy)) : detail::Result(); },
   .parameters = {{{"alpha", 0.01f}}}},
  {.name = "elu",
   .with_parameters = [](Scalar x, detail::Numbers p) { return elu(x, p[0]); },
   .gradient = [](Scalar dy, Scalar y, detail::Numbers p) { return p[0] >= 0 ? detail::Result(detail::elu_gradient(dy, y, p[0], 1)) : detail::Result(); },
   .parameters = {{{"alpha", 1}}}},
  {.name = "selu", .unary = selu,
   .gradient = [](Scalar dy, Scalar y, detail::Numbers) { return detail::Result(detail::elu_gradient(dy, y, kSeluAlpha, kSeluScale)); }},
  {.name = "hard_sigmoid",
   .with_parameters = [](Scalar x, detail::Numbers p) { return hard_sigmoid(x, p[0], p[1]); },
   .gradient = [](Scalar dy, Scalar y, detail::Numbers p) { return detail::Result(detail::inside(y, 0, 1, p[0] * dy)); },
   .parameters = {{{"alpha", 0.2f}, {"beta", 0.5f}}}},
  {.name = "softplus", .unary = softplus,
   .gradient = [](Scalar dy, Scalar y, detail::Numbers) { return detail::Result(dy * (1.0f - exp(-y))); }},
  {.name = "hard_swish", .unary = hard_swish},
  {.name = "silu", .unary = silu},
  {.name = "mish", .unary = mish},
  {.name = "gelu", .unary = gelu},
  {.name = "gelu_tanh", .unary = gelu_tanh},
  {.name = "sigmoid", .unary = sigmoid},
  {.name = "tanh", .unary = tanh},
  {.name = "erf", .unary = erf},
  {.name = "exp", .unary = exp},
  {.name = "log", .unary = log},
  {.name = "sqrt", .unary = sqrt},
  {.name = "neg", .unary = neg},
  {.name = "abs", .unary = abs},
  {.name = "floor", .unary = floor},
  {.name = "add", .binary = add},
  {.name = "sub", .binary = sub},
  {.name = "mul", .binary = mul},
  {.name = "div", .binary = div},
  {.name = "min", .binary = [](Scalar a, Scalar b) { return min(a, b); }},
  {.name = "max", .binary = [](Scalar a, Scalar b) { return max(a, b); }},
  {.name = "pow", .binary = [](Scalar a, Scalar b) { return pow(a, b); }},
  {.name = "prelu", .binary = prelu},
};
// clang-format on

/// Errors: none; nullptr where there is no such row.
constexpr const Function* find_function(std::string_view name) {
  for (const Function& row : kFunctions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

/// The name of a function that is a row of the table, or "pointwise".
constexpr std::string_view name_of(Function::Unary function) {
  const Formula formula = function(Scalar::input(0)).formula;
  for (const Function& row : kFunctions) {
    if (row.unary && row.formula(nullptr) == formula) return row.name;
  }
  return "pointwise";
}

/// A formula read as a row of the table, and the numbers that it holds.
struct FunctionUse {
  const Function* function = nullptr;
  std::array<float, Function::kMostParameters> values = {};
};

namespace detail {

/// Finds the numbers that stand where `pattern` holds those of `markers`.
struct FunctionMatcher {
  const Formula& pattern;
  const Formula& formula;
  const std::array<float, Function::kMostParameters>& markers;
  std::array<float, Function::kMostParameters> values = {};

  constexpr bool matches(int p, int f) {
    const Term& expected = pattern.terms[p];
    const Term& found = formula.terms[f];
    if (expected.operation != found.operation) return false;
    const int operands = operand_count(found.operation);
    if (operands == 0) return leaf_matches(expected, found);
    return matches(expected.a, found.a) && (operands < 2 || matches(expected.b, found.b)) &&
           (operands < 3 || matches(expected.c, found.c));
  }

 private:
  constexpr bool leaf_matches(const Term& expected, const Term& found) {
    for (std::size_t i = 0; i < markers.size(); ++i) {
      if (!(expected == Term{.value = markers[i]})) continue;
      values[i] = found.value;
      return true;
    }
    return expected == found;
  }
};

}  // namespace detail

/// The row called `name` if `formula` is what it makes of some numbers.
constexpr std::optional<FunctionUse> read_as_function(std::string_view name,
                                                      const Formula& formula) {
  const Function* row = find_function(name);
  if (row == nullptr || formula.empty()) return {};
  // Numbers that no formula in the table has.
  constexpr std::array<float, Function::kMostParameters> kMarkers = {-0x1.234568p-99f,
                                                                     -0x1.345678p-98f};
  const Formula pattern = row->formula(kMarkers.data());
  detail::FunctionMatcher matcher{pattern, formula, kMarkers};
  if (!matcher.matches(pattern.size - 1, formula.size - 1)) return {};
  // A number that the pattern has twice was found twice: once must do.
  if (!(row->formula(matcher.values.data()) == formula)) return {};
  return FunctionUse{row, matcher.values};
}

}  // namespace halcyon::dsl
