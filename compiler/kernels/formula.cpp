/// Halide has exp and log for vectors; the other functions are made of exp and polynomials. Each
/// polynomial goes through Chebyshev nodes of its interval; the errors were measured over 20,000
/// numbers in single precision.

#include "compiler/kernels/formula.h"

#include <cmath>
#include <optional>
#include <utility>

namespace halcyon::compiler {

using namespace Halide;
using dsl::Operation;
using dsl::Term;

namespace {

/// coefficients[0] + coefficients[1] * t + ...
template <std::size_t count>
Expr polynomial(const Expr& t, const float (&coefficients)[count]) {
  Expr sum = coefficients[count - 1];
  for (std::size_t i = count - 1; i-- > 0;) sum = sum * t + coefficients[i];
  return sum;
}

Expr with_sign_of(const Expr& x, const Expr& magnitude) {
  return select(x < 0.0f, -magnitude, magnitude);
}

/// exp(88) is the last power that a float holds.
Expr sigmoid_expr(const Expr& x) { return 1.0f / (1.0f + exp(min(-x, 88.0f))); }

/// x + x^3 * p(x^2) near 0 (relative error 8e-8), 1 - 2 / (exp(2x) + 1) beyond.
Expr tanh_expr(const Expr& x) {
  static constexpr float kNear[] = {-0.333333284f, 0.133327693f, -0.0538509078f, 0.0209971797f,
                                    -0.00609671418f};
  const Expr far = abs(x);
  const Expr square = x * x;
  const Expr near_zero = x + x * square * polynomial(square, kNear);
  const Expr away = with_sign_of(x, 1.0f - 2.0f / (exp(2.0f * min(far, 10.0f)) + 1.0f));
  return select(far < 0.625f, near_zero, away);
}

/// x * p(x^2) up to 1 (relative error 2e-7), 1 - exp(q(x)) beyond (7e-8), 1 from 4 on.
Expr erf_expr(const Expr& x) {
  static constexpr float kNear[] = {1.12837911f,    -0.376123428f,  0.112803169f,
                                    -0.0267150551f, 0.00492176181f, -0.000564805989f};
  static constexpr float kAway[] = {0.000320138060f, -1.13023341f,     -0.631826043f,
                                    -0.110080086f,   0.0264211353f,    -0.00475959620f,
                                    0.000596805650f, -4.60580413e-05f, 1.63715140e-06f};
  const Expr far = min(abs(x), 4.0f);
  const Expr near_zero = x * polynomial(x * x, kNear);
  const Expr away = with_sign_of(x, 1.0f - exp(polynomial(far, kAway)));
  return select(far < 1.0f, near_zero, away);
}

/// max(x, 0) + log(1 + e) with e = exp(-|x|), the logarithm as e * p(e) (relative error 2e-7).
Expr softplus_expr(const Expr& x) {
  static constexpr float kLog[] = {1.0f,          -0.499998927f,  0.333297104f, -0.249516159f,
                                   0.196632743f,  -0.152696669f,  0.105436236f, -0.0563736111f,
                                   0.0195425265f, -0.00317605701f};
  const Expr e = exp(-abs(x));
  return max(x, 0.0f) + e * polynomial(e, kLog);
}

/// A constant exponent that is a small whole number is multiplied out, which is exact for more than
/// positive numbers.
Expr pow_expr(const Expr& x, const Expr& exponent) {
  constexpr float kMost = 16;
  const auto* constant = exponent.as<Internal::FloatImm>();
  if (constant != nullptr && std::abs(constant->value) <= static_cast<double>(kMost) &&
      constant->value == std::floor(constant->value)) {
    return pow(x, Expr(static_cast<int>(constant->value)));
  }
  return pow(x, exponent);
}

Expr operation_expr(Operation operation, const Expr& a, const Expr& b, const Expr& c) {
  switch (operation) {
    case Operation::add: return a + b;
    case Operation::sub: return a - b;
    case Operation::mul: return a * b;
    case Operation::div: return a / b;
    case Operation::min: return min(a, b);
    case Operation::max: return max(a, b);
    case Operation::pow: return pow_expr(a, b);
    case Operation::neg: return -a;
    case Operation::abs: return abs(a);
    case Operation::exp: return exp(a);
    case Operation::log: return log(a);
    case Operation::sqrt: return sqrt(a);
    case Operation::tanh: return tanh_expr(a);
    case Operation::sigmoid: return sigmoid_expr(a);
    case Operation::softplus: return softplus_expr(a);
    case Operation::erf: return erf_expr(a);
    case Operation::floor: return floor(a);
    case Operation::less: return a < b;
    case Operation::less_equal: return a <= b;
    case Operation::greater: return a > b;
    case Operation::greater_equal: return a >= b;
    case Operation::equal: return a == b;
    case Operation::select: return select(a, b, c);
    default: return {};
  }
}

std::vector<int> uses_of_terms(const dsl::Formula& formula) {
  std::vector<int> uses(formula.size);
  for (int i = 0; i < formula.size; ++i) {
    const Term& t = formula.terms[i];
    const int operands = dsl::operand_count(t.operation);
    if (operands > 0) ++uses[t.a];
    if (operands > 1) ++uses[t.b];
    if (operands > 2) ++uses[t.c];
  }
  return uses;
}

}  // namespace

Expr formula_expr(const dsl::Formula& formula, const std::vector<Expr>& inputs) {
  const std::vector<int> uses = uses_of_terms(formula);
  std::vector<Expr> values;
  // A term with several readers gets a name: written out it would stand there once for each.
  std::vector<std::pair<std::string, Expr>> named;
  for (int i = 0; i < formula.size; ++i) {
    const Term& t = formula.terms[i];
    const int operands = dsl::operand_count(t.operation);
    if (t.operation == Operation::input) {
      values.push_back(inputs.at(t.a));
    } else if (t.operation == Operation::constant) {
      values.emplace_back(t.value);
    } else {
      const Expr none;
      Expr value = operation_expr(t.operation, values[t.a], operands > 1 ? values[t.b] : none,
                                  operands > 2 ? values[t.c] : none);
      if (uses[static_cast<std::size_t>(i)] > 1) {
        named.emplace_back(Internal::unique_name('t'), value);
        value = Internal::Variable::make(value.type(), named.back().first);
      }
      values.push_back(value);
    }
  }
  Expr result = values.back();
  for (auto it = named.rbegin(); it != named.rend(); ++it) {
    result = Internal::Let::make(it->first, it->second, result);
  }
  return result;
}

}  // namespace halcyon::compiler
