#pragma once
/// Functions of one position of a tensor, as values.
///
/// A user writes them with ordinary operators on Scalars:
///
///   x | custom("my_swish", [](auto x) { return x * sigmoid(1.5f * x); })
///
/// What comes out is a Formula: a list of terms in which operands stand in front of their use. From
/// it come the reference meaning, the kernel, the gradient and the text; nothing else is told about
/// a function. Works in constant expressions.
///
/// Invariants: the last term is the result, every other is an operand of a later one, no two are
/// equal, and an expression has one list only: operands in the order in which they are written. So
/// two formulas are equal if their lists are.

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "dsl/shape_errors.h"

namespace halcyon::dsl {

/// What a term computes from its operands a, b and c.
enum class Operation : uint8_t {
  input,     ///< number `a` of the inputs
  constant,  ///< `value`
  add,
  sub,
  mul,
  div,
  min,
  max,
  pow,
  neg,
  abs,
  exp,
  log,
  sqrt,
  tanh,
  sigmoid,
  softplus,  ///< log(1 + exp(a))
  erf,
  floor,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  select,  ///< b where the comparison a holds, else c
};

constexpr int operand_count(Operation operation) {
  if (operation <= Operation::constant) return 0;
  if (operation == Operation::select) return 3;
  return operation >= Operation::neg && operation <= Operation::floor ? 1 : 2;
}

constexpr bool is_comparison(Operation operation) {
  return operation >= Operation::less && operation <= Operation::equal;
}

struct Term {
  Operation operation = Operation::constant;
  uint8_t a = 0, b = 0, c = 0;  ///< numbers of terms; for an input, its own number
  float value = 0;

  /// Bit by bit: 0 and -0 are two constants.
  constexpr bool operator==(const Term& o) const {
    return operation == o.operation && a == o.a && b == o.b && c == o.c &&
           std::bit_cast<uint32_t>(value) == std::bit_cast<uint32_t>(o.value);
  }
};

/// For constant expressions too, in which nothing may be computed from an infinity.
constexpr bool is_finite(float value) {
  constexpr float kMost = std::numeric_limits<float>::max();
  return value >= -kMost && value <= kMost;
}

struct Formula {
  static constexpr int kCapacity = 96;

  Term terms[kCapacity] = {};
  uint8_t size = 0;

  constexpr bool empty() const { return size == 0; }

  /// How many inputs it takes: one more than the largest that it reads.
  constexpr int input_count() const {
    int count = 0;
    for (int i = 0; i < size; ++i) {
      if (terms[i].operation == Operation::input && terms[i].a >= count) count = terms[i].a + 1;
    }
    return count;
  }

  /// Errors: a constant that is not finite.
  constexpr void check_constants() const {
    for (int i = 0; i < size; ++i) {
      if (!is_finite(terms[i].value)) mistakes::value_is_not_finite("a number of the formula");
    }
  }

  constexpr bool operator==(const Formula& o) const {
    if (size != o.size) return false;
    for (int i = 0; i < size; ++i) {
      if (!(terms[i] == o.terms[i])) return false;
    }
    return true;
  }

  /// Number of the term, which is appended if there is none like it.
  /// Errors: more than kCapacity terms.
  constexpr uint8_t number_of(const Term& term) {
    for (uint8_t i = 0; i < size; ++i) {
      if (terms[i] == term) return i;
    }
    if (size == kCapacity) mistakes::formula_is_too_long(kCapacity);
    terms[size] = term;
    return size++;
  }

  /// Appends the terms of `other` that are not here yet and returns the number of its result.
  constexpr uint8_t append(const Formula& other) {
    uint8_t here[kCapacity] = {};
    for (int i = 0; i < other.size; ++i) {
      Term term = other.terms[i];
      const int operands = operand_count(term.operation);
      if (operands > 0) term.a = here[term.a];
      if (operands > 1) term.b = here[term.b];
      if (operands > 2) term.c = here[term.c];
      here[i] = number_of(term);
    }
    return other.empty() ? 0 : here[other.size - 1];
  }
};

namespace detail {

constexpr Formula combine(Operation operation, std::initializer_list<const Formula*> operands) {
  Formula all;
  Term term{.operation = operation};
  uint8_t* const numbers[] = {&term.a, &term.b, &term.c};
  int next = 0;
  for (const Formula* operand : operands) *numbers[next++] = all.append(*operand);
  all.number_of(term);
  return all;
}

}  // namespace detail

/// A number at each position: what formulas are written with.
struct Scalar {
  Formula formula;

  constexpr Scalar(float constant) { formula.number_of({.value = constant}); }
  constexpr explicit Scalar(const Formula& from) : formula(from) {}
  constexpr Scalar(Operation operation, std::initializer_list<const Formula*> operands)
      : formula(detail::combine(operation, operands)) {}

  /// Number `index` of the values that a function is applied to.
  static constexpr Scalar input(int index) {
    Formula one;
    one.number_of({.operation = Operation::input, .a = static_cast<uint8_t>(index)});
    return Scalar(one);
  }
};

/// A comparison, for select.
struct Condition {
  Formula formula;
  constexpr Condition(Operation operation, const Scalar& a, const Scalar& b)
      : formula(detail::combine(operation, {&a.formula, &b.formula})) {}
};

// clang-format off
constexpr Scalar operator+(const Scalar& a, const Scalar& b) { return {Operation::add, {&a.formula, &b.formula}}; }
constexpr Scalar operator-(const Scalar& a, const Scalar& b) { return {Operation::sub, {&a.formula, &b.formula}}; }
constexpr Scalar operator*(const Scalar& a, const Scalar& b) { return {Operation::mul, {&a.formula, &b.formula}}; }
constexpr Scalar operator/(const Scalar& a, const Scalar& b) { return {Operation::div, {&a.formula, &b.formula}}; }
constexpr Scalar operator-(const Scalar& x) { return {Operation::neg, {&x.formula}}; }

constexpr Condition operator<(const Scalar& a, const Scalar& b) { return {Operation::less, a, b}; }
constexpr Condition operator<=(const Scalar& a, const Scalar& b) { return {Operation::less_equal, a, b}; }
constexpr Condition operator>(const Scalar& a, const Scalar& b) { return {Operation::greater, a, b}; }
constexpr Condition operator>=(const Scalar& a, const Scalar& b) { return {Operation::greater_equal, a, b}; }
constexpr Condition operator==(const Scalar& a, const Scalar& b) { return {Operation::equal, a, b}; }

constexpr Scalar min(const Scalar& a, const Scalar& b) { return {Operation::min, {&a.formula, &b.formula}}; }
constexpr Scalar max(const Scalar& a, const Scalar& b) { return {Operation::max, {&a.formula, &b.formula}}; }
constexpr Scalar pow(const Scalar& a, const Scalar& b) { return {Operation::pow, {&a.formula, &b.formula}}; }
constexpr Scalar select(const Condition& c, const Scalar& a, const Scalar& b) {
  return {Operation::select, {&c.formula, &a.formula, &b.formula}};
}

// By value: each is also the name of a layer, x | exp.
constexpr Scalar neg(Scalar x) { return -x; }
constexpr Scalar abs(Scalar x) { return {Operation::abs, {&x.formula}}; }
constexpr Scalar exp(Scalar x) { return {Operation::exp, {&x.formula}}; }
constexpr Scalar log(Scalar x) { return {Operation::log, {&x.formula}}; }
constexpr Scalar sqrt(Scalar x) { return {Operation::sqrt, {&x.formula}}; }
constexpr Scalar tanh(Scalar x) { return {Operation::tanh, {&x.formula}}; }
constexpr Scalar sigmoid(Scalar x) { return {Operation::sigmoid, {&x.formula}}; }
constexpr Scalar softplus(Scalar x) { return {Operation::softplus, {&x.formula}}; }
constexpr Scalar erf(Scalar x) { return {Operation::erf, {&x.formula}}; }
constexpr Scalar floor(Scalar x) { return {Operation::floor, {&x.formula}}; }
// clang-format on

}  // namespace halcyon::dsl
