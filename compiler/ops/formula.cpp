/// The derivative is found by reverse accumulation, as differentiate does for whole graphs: from
/// the result, whose adjoint is dy, to the inputs, each term adds its share to the adjoints of its
/// operands. Terms are made by a builder that folds constants and leaves out what changes nothing,
/// so that relu's max(x0, 0) becomes select(x0 > 0, dy, 0) and no more.

#include "compiler/ops/formula.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace halcyon::compiler {

using dsl::Formula;
using dsl::Operation;
using dsl::Term;

double apply(Operation operation, double a, double b, double c) {
  switch (operation) {
    case Operation::input:
    case Operation::constant: return a;
    case Operation::add: return a + b;
    case Operation::sub: return a - b;
    case Operation::mul: return a * b;
    case Operation::div: return a / b;
    case Operation::min: return std::min(a, b);
    case Operation::max: return std::max(a, b);
    case Operation::pow: return std::pow(a, b);
    case Operation::neg: return -a;
    case Operation::abs: return std::abs(a);
    case Operation::exp: return std::exp(a);
    case Operation::log: return std::log(a);
    case Operation::sqrt: return std::sqrt(a);
    case Operation::tanh: return std::tanh(a);
    case Operation::sigmoid: return 1 / (1 + std::exp(-a));
    case Operation::softplus: return std::max(a, 0.0) + std::log1p(std::exp(-std::abs(a)));
    case Operation::erf: return std::erf(a);
    case Operation::floor: return std::floor(a);
    case Operation::less: return a < b ? 1 : 0;
    case Operation::less_equal: return a <= b ? 1 : 0;
    case Operation::greater: return a > b ? 1 : 0;
    case Operation::greater_equal: return a >= b ? 1 : 0;
    case Operation::equal: return a == b ? 1 : 0;
    case Operation::select: return a != 0 ? b : c;
  }
  return 0;
}

double evaluate(const Formula& formula, std::span<const double> inputs) {
  double values[Formula::kCapacity] = {};
  for (int i = 0; i < formula.size; ++i) {
    const Term& t = formula.terms[i];
    if (t.operation == Operation::input) {
      values[i] = inputs[t.a];
    } else if (t.operation == Operation::constant) {
      values[i] = static_cast<double>(t.value);
    } else {
      values[i] = apply(t.operation, values[t.a], values[t.b], values[t.c]);
    }
  }
  return values[formula.size - 1];
}

bool vanishes(const Formula& formula, const std::vector<bool>& other) {
  std::optional<double> values[Formula::kCapacity];
  for (int i = 0; i < formula.size; ++i) {
    const Term& t = formula.terms[i];
    const int operands = dsl::operand_count(t.operation);
    const auto &a = values[t.a], &b = values[t.b], &c = values[t.c];
    if (t.operation == Operation::input) {
      if (!other[t.a]) values[i] = 0;
    } else if (t.operation == Operation::constant) {
      values[i] = static_cast<double>(t.value);
    } else if (a && (operands < 2 || b) && (operands < 3 || c)) {
      values[i] = apply(t.operation, *a, b.value_or(0), c.value_or(0));
    } else if ((t.operation == Operation::mul && (a == 0.0 || b == 0.0)) ||
               (t.operation == Operation::div && a == 0.0)) {
      values[i] = 0;
    } else if (t.operation == Operation::select && a) {
      values[i] = *a != 0 ? b : c;
    } else if (t.operation == Operation::select && b && b == c) {
      values[i] = b;
    }
  }
  return values[formula.size - 1] == 0.0;
}

namespace {

/// Terms that simplify themselves as they are made, in any number; equal ones are one.
class Builder {
 public:
  struct Node {
    Operation operation = Operation::constant;
    int a = 0, b = 0, c = 0;
    float value = 0;
    bool operator==(const Node&) const = default;
  };

  int input(int number) { return add({.operation = Operation::input, .a = number}); }
  int constant(double value) { return add({.value = static_cast<float>(value)}); }
  int zero() { return constant(0); }

  int make(Operation operation, int a, int b = 0, int c = 0) {
    const int operands = dsl::operand_count(operation);
    if (is_constant(a) && (operands < 2 || is_constant(b)) && (operands < 3 || is_constant(c))) {
      return constant(apply(operation, value(a), value(b), value(c)));
    }
    switch (operation) {
      case Operation::add: return sum(a, b);
      case Operation::sub: return difference(a, b);
      case Operation::mul: return product(a, b);
      case Operation::div: return quotient(a, b);
      case Operation::neg: return negated(a);
      case Operation::pow: return power(a, b);
      case Operation::select: return selected(a, b, c);
      default: return add({operation, a, operands > 1 ? b : 0, operands > 2 ? c : 0, 0});
    }
  }

  /// The terms of `formula` with other terms for its inputs. Returns the number of each.
  std::vector<int> copy(const Formula& formula, const std::vector<int>& inputs) {
    std::vector<int> numbers;
    for (int i = 0; i < formula.size; ++i) {
      const Term& t = formula.terms[i];
      const auto at = [&](uint8_t operand) { return numbers.at(operand); };
      if (t.operation == Operation::input) {
        numbers.push_back(inputs.at(t.a));
      } else if (t.operation == Operation::constant) {
        numbers.push_back(constant(static_cast<double>(t.value)));
      } else {
        const int operands = dsl::operand_count(t.operation);
        numbers.push_back(
            make(t.operation, at(t.a), operands > 1 ? at(t.b) : 0, operands > 2 ? at(t.c) : 0));
      }
    }
    return numbers;
  }

  /// The inputs that `result` reads, ascending.
  std::vector<int> inputs_of(int result) const {
    std::vector<bool> needed(nodes_.size());
    needed[index(result)] = true;
    std::vector<int> inputs;
    for (int i = result; i >= 0; --i) {
      if (!needed[index(i)]) continue;
      const Node& n = nodes_[index(i)];
      if (n.operation == Operation::input) inputs.push_back(n.a);
      const int operands = dsl::operand_count(n.operation);
      if (operands > 0) needed[index(n.a)] = true;
      if (operands > 1) needed[index(n.b)] = true;
      if (operands > 2) needed[index(n.c)] = true;
    }
    std::sort(inputs.begin(), inputs.end());
    return inputs;
  }

  /// `result` as a formula whose inputs are those of `inputs`, in that order.
  Formula formula(int result, const std::vector<int>& inputs) const {
    Formula all;
    std::vector<int> done(nodes_.size(), -1);
    append(all, result, inputs, done);
    return all;
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  const Node& at(int i) const { return nodes_[index(i)]; }
  bool is(int i, Operation operation) const { return at(i).operation == operation; }
  bool is_constant(int i) const { return is(i, Operation::constant); }
  bool is_number(int i, float number) const { return is_constant(i) && at(i).value == number; }
  double value(int i) const { return is_constant(i) ? static_cast<double>(at(i).value) : 0; }

  int add(const Node& node) {
    const auto found = std::find(nodes_.begin(), nodes_.end(), node);
    if (found != nodes_.end()) return static_cast<int>(found - nodes_.begin());
    nodes_.push_back(node);
    return static_cast<int>(nodes_.size()) - 1;
  }

  bool has_zero_branch(int i) const {
    return is(i, Operation::select) && (is_number(at(i).b, 0) || is_number(at(i).c, 0));
  }

  /// select(c, a, 0) with `change` made to a; a zero stays zero.
  template <class Change>
  int change_branch(int i, const Change& change) {
    const Node s = at(i);
    const int b = is_number(s.b, 0) ? s.b : change(s.b);
    const int c = is_number(s.c, 0) ? s.c : change(s.c);
    return selected(s.a, b, c);
  }

  int sum(int a, int b) {
    if (is_number(a, 0)) return b;
    if (is_number(b, 0)) return a;
    if (is(b, Operation::neg)) return make(Operation::sub, a, at(b).a);
    if (is(a, Operation::neg)) return make(Operation::sub, b, at(a).a);
    if (has_zero_branch(a) && has_zero_branch(b) && at(a).a == at(b).a) {
      const Node s = at(a), t = at(b);
      const int yes = make(Operation::add, s.b, t.b);
      return selected(s.a, yes, make(Operation::add, s.c, t.c));
    }
    return add({Operation::add, a, b, 0, 0});
  }

  int difference(int a, int b) {
    if (is_number(b, 0)) return a;
    if (is_number(a, 0)) return make(Operation::neg, b);
    if (a == b) return zero();
    return add({Operation::sub, a, b, 0, 0});
  }

  // A factor moves into the branch of a select that is not zero: the other one must stay zero where
  // the factor is infinite.
  int product(int a, int b) {
    if (is_number(a, 0) || is_number(b, 0)) return zero();
    if (is_number(a, 1)) return b;
    if (is_number(b, 1)) return a;
    if (is_number(a, -1)) return make(Operation::neg, b);
    if (is_number(b, -1)) return make(Operation::neg, a);
    if (has_zero_branch(a)) {
      return change_branch(a, [&](int branch) { return make(Operation::mul, branch, b); });
    }
    if (has_zero_branch(b)) {
      return change_branch(b, [&](int branch) { return make(Operation::mul, a, branch); });
    }
    if (is(b, Operation::neg)) return make(Operation::neg, make(Operation::mul, a, at(b).a));
    if (is(a, Operation::neg)) return make(Operation::neg, make(Operation::mul, at(a).a, b));
    return add({Operation::mul, a, b, 0, 0});
  }

  int quotient(int a, int b) {
    if (is_number(a, 0)) return a;
    if (is_number(b, 1)) return a;
    if (has_zero_branch(a)) {
      return change_branch(a, [&](int branch) { return make(Operation::div, branch, b); });
    }
    return add({Operation::div, a, b, 0, 0});
  }

  int negated(int a) {
    if (is(a, Operation::neg)) return at(a).a;
    if (has_zero_branch(a)) {
      return change_branch(a, [&](int branch) { return make(Operation::neg, branch); });
    }
    return add({Operation::neg, a, 0, 0, 0});
  }

  int power(int a, int b) {
    if (is_number(b, 0)) return constant(1);
    if (is_number(b, 1)) return a;
    if (is_number(b, 2)) return make(Operation::mul, a, a);
    return add({Operation::pow, a, b, 0, 0});
  }

  int selected(int condition, int b, int c) {
    if (is_constant(condition)) return at(condition).value != 0 ? b : c;
    if (b == c) return b;
    return add({Operation::select, condition, b, c, 0});
  }

  // Operands first, in the order in which they are written: a formula's invariant.
  void append(Formula& all, int i, const std::vector<int>& inputs, std::vector<int>& done) const {
    if (done[index(i)] >= 0) return;
    const Node& n = at(i);
    Term term{.operation = n.operation, .value = n.value};
    const int operands = dsl::operand_count(n.operation);
    const auto number = [&](int operand) {
      append(all, operand, inputs, done);
      return static_cast<uint8_t>(done[index(operand)]);
    };
    if (operands > 0) term.a = number(n.a);
    if (operands > 1) term.b = number(n.b);
    if (operands > 2) term.c = number(n.c);
    if (n.operation == Operation::input) {
      const auto place = std::find(inputs.begin(), inputs.end(), n.a);
      term.a = static_cast<uint8_t>(place - inputs.begin());
    }
    done[index(i)] = all.number_of(term);
  }

  std::vector<Node> nodes_;
};

// Numbers of the inputs while a gradient is built.
constexpr int kDy = 0, kY = 1, kFirstX = 2;

/// What a term adds to the adjoints of its operands, from its own adjoint and the values of all.
class Adjoints {
 public:
  Adjoints(Builder& builder, const Formula& formula, std::vector<int> values)
      : b_(builder), formula_(formula), values_(std::move(values)), adjoints_(values_.size()) {
    for (int& adjoint : adjoints_) adjoint = b_.zero();
    adjoints_.back() = b_.input(kDy);
    for (int i = formula.size - 1; i >= 0; --i) spread(i);
  }

  /// Towards input number `input`; zero where the formula does not read it.
  int of_input(int input) {
    for (int i = 0; i < formula_.size; ++i) {
      const Term& t = formula_.terms[i];
      if (t.operation == Operation::input && t.a == input) return adjoints_[index(i)];
    }
    return b_.zero();
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }

  void add(uint8_t operand, int share) {
    adjoints_[operand] = b_.make(Operation::add, adjoints_[operand], share);
  }

  int mul(int a, int b) { return b_.make(Operation::mul, a, b); }
  int sub(int a, int b) { return b_.make(Operation::sub, a, b); }
  int neg(int a) { return b_.make(Operation::neg, a); }
  int div(int a, int b) { return b_.make(Operation::div, a, b); }
  int number(double value) { return b_.constant(value); }
  int choose(int condition, int yes, int no) {
    return b_.make(Operation::select, condition, yes, no);
  }

  void spread(int i) {
    const Term& t = formula_.terms[i];
    const int dy = adjoints_[index(i)], y = values_[index(i)];
    const int a = values_[t.a], b = values_[t.b];
    switch (t.operation) {
      case Operation::add:
        add(t.a, dy);
        add(t.b, dy);
        break;
      case Operation::sub:
        add(t.a, dy);
        add(t.b, neg(dy));
        break;
      case Operation::mul:
        add(t.a, mul(dy, b));
        add(t.b, mul(dy, a));
        break;
      case Operation::div:
        add(t.a, div(dy, b));
        add(t.b, neg(div(mul(dy, y), b)));
        break;
      case Operation::min: pick(t, b_.make(Operation::less, a, b), dy); break;
      case Operation::max: pick(t, b_.make(Operation::greater, a, b), dy); break;
      case Operation::pow:
        add(t.a, mul(dy, mul(b, b_.make(Operation::pow, a, sub(b, number(1))))));
        add(t.b, mul(dy, mul(y, b_.make(Operation::log, a))));
        break;
      case Operation::neg: add(t.a, neg(dy)); break;
      case Operation::abs:
        add(t.a, choose(b_.make(Operation::greater, a, number(0)), dy,
                        choose(b_.make(Operation::less, a, number(0)), neg(dy), number(0))));
        break;
      case Operation::exp: add(t.a, mul(dy, y)); break;
      case Operation::log: add(t.a, div(dy, a)); break;
      case Operation::sqrt: add(t.a, div(mul(dy, number(0.5)), y)); break;
      case Operation::tanh: add(t.a, mul(dy, sub(number(1), mul(y, y)))); break;
      case Operation::sigmoid: add(t.a, mul(dy, mul(y, sub(number(1), y)))); break;
      case Operation::softplus: add(t.a, mul(dy, b_.make(Operation::sigmoid, a))); break;
      case Operation::erf:
        add(t.a, mul(dy, mul(number(2 * std::numbers::inv_sqrtpi),
                             b_.make(Operation::exp, neg(mul(a, a))))));
        break;
      case Operation::select:
        add(t.b, choose(a, dy, number(0)));
        add(t.c, choose(a, number(0), dy));
        break;
      default: break;  // leaves, and what is flat: comparisons and floor
    }
  }

  void pick(const Term& t, int first_is_it, int dy) {
    add(t.a, choose(first_is_it, dy, number(0)));
    add(t.b, choose(first_is_it, number(0), dy));
  }

  Builder& b_;
  const Formula& formula_;
  std::vector<int> values_;
  std::vector<int> adjoints_;
};

FormulaGradient gradient_from(const Builder& builder, int result) {
  const std::vector<int> inputs = builder.inputs_of(result);
  FormulaGradient gradient;
  for (int input : inputs) {
    using From = FormulaGradient::From;
    const From from = input == kDy ? From::dy : input == kY ? From::y : From::x;
    gradient.sources.push_back({from, from == From::x ? input - kFirstX : 0});
  }
  gradient.formula = builder.formula(result, inputs);
  return gradient;
}

FormulaGradient gradient_with(const Formula& formula, int input, bool read_result) {
  Builder builder;
  std::vector<int> inputs;
  for (int i = 0; i < formula.input_count(); ++i) inputs.push_back(builder.input(kFirstX + i));
  std::vector<int> values = builder.copy(formula, inputs);
  if (read_result) values.back() = builder.input(kY);
  return gradient_from(builder, Adjoints(builder, formula, std::move(values)).of_input(input));
}

}  // namespace

FormulaGradient gradient_of(const Formula& formula, int input) {
  FormulaGradient from_y = gradient_with(formula, input, true);
  FormulaGradient from_x = gradient_with(formula, input, false);
  const bool needs_no_x =
      std::none_of(from_y.sources.begin(), from_y.sources.end(),
                   [](const auto& source) { return source.from == FormulaGradient::From::x; });
  return needs_no_x || from_y.sources.size() < from_x.sources.size() ? from_y : from_x;
}

FormulaGradient gradient_from_inputs(const Formula& formula, int input) {
  return gradient_with(formula, input, false);
}

FormulaGradient gradient_from_result(const Formula& rule) {
  Builder builder;
  const int dy = builder.input(kDy);
  return gradient_from(builder, builder.copy(rule, {dy, builder.input(kY)}).back());
}

PartialFormula substitute(const Formula& formula, std::span<const Formula> inputs) {
  Builder builder;
  std::vector<int> given;
  for (const Formula& input : inputs) {
    std::vector<int> own;
    for (int i = 0; i < input.input_count(); ++i) own.push_back(builder.input(i));
    given.push_back(builder.copy(input, own).back());
  }
  const int result = builder.copy(formula, given).back();
  const std::vector<int> read = builder.inputs_of(result);
  return {builder.formula(result, read), read};
}

}  // namespace halcyon::compiler
