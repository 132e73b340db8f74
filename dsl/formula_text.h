#pragma once
/// A formula as text: "x0 * sigmoid(1.5 * x0)". Terms that are used twice get a name in front, so
/// that the text is no longer than the formula:
///
///   t0 = sigmoid(x0); t0 * (1 - t0)
///
/// Numbers are the shortest decimals that give every bit back. compiler/graph/parse_formula.h reads
/// it.

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/stencil.h"

namespace halcyon::dsl {

/// "exp", "+", "<", ...; empty for inputs and constants.
inline std::string_view symbol_of(Operation operation) {
  constexpr std::string_view kSymbols[] = {
      "",      "",    "+",   "-",   "*",    "/",    "min",     "max",      "pow",
      "-",     "abs", "exp", "log", "sqrt", "tanh", "sigmoid", "softplus", "erf",
      "floor", "<",   "<=",  ">",   ">=",   "==",   "select"};
  static_assert(std::size(kSymbols) == static_cast<std::size_t>(Operation::select) + 1);
  return kSymbols[static_cast<int>(operation)];
}

namespace detail {

/// The shortest decimal that gives every bit back.
inline std::string shortest(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// How the text of a formula spells what differs between the text of a graph and C++.
struct FormulaWords {
  std::vector<std::string> inputs = {};  ///< what they are called; x0, x1, ... if nothing is given
  std::string_view definition = {};      ///< in front of a term with a name: "const Scalar "
  std::string_view result = {};          ///< in front of the result: "return "
  std::string (*number)(float) = shortest;
  /// The same where nothing else makes the operation one of Scalars: "Scalar(1.0f)".
  std::string (*lone_number)(float) = shortest;
};

class FormulaPrinter {
 public:
  explicit FormulaPrinter(const Formula& formula, FormulaWords words = {})
      : formula_(formula), words_(std::move(words)) {
    for (int i = formula.size - 1; i >= 0; --i) {
      const Term& t = formula.terms[i];
      // Comparisons are written where they are used, and so are their operands.
      const int times = is_comparison(t.operation) ? uses_[i] : 1;
      const int operands = operand_count(t.operation);
      if (operands > 0) uses_[t.a] += times;
      if (operands > 1) uses_[t.b] += times;
      if (operands > 2) uses_[t.c] += times;
    }
  }

  std::string text() {
    std::string all;
    for (int i = 0; i + 1 < formula_.size; ++i) {
      const Operation operation = formula_.terms[i].operation;
      if (uses_[i] < 2 || operand_count(operation) == 0 || is_comparison(operation)) continue;
      const std::string name = "t" + std::to_string(next_++);
      all += std::string(words_.definition) + name + " = " + written(i, kLoosest) + "; ";
      names_[i] = name;
    }
    if (formula_.empty()) return all;
    return all + std::string(words_.result) + written(formula_.size - 1, kLoosest);
  }

 private:
  // How tightly an operator binds; operands that bind less stand in parentheses.
  static constexpr int kLoosest = 0, kSum = 1, kProduct = 2, kTightest = 3;

  static int binding(Operation operation) {
    if (operation == Operation::add || operation == Operation::sub) return kSum;
    if (operation == Operation::mul || operation == Operation::div) return kProduct;
    return kTightest;
  }

  bool is_number(int i) const { return formula_.terms[i].operation == Operation::constant; }

  /// Whether all operands of an operation are numbers.
  bool has_numbers_alone(const Term& t) const {
    const int operands = operand_count(t.operation);
    return operands > 0 && t.operation != Operation::select && is_number(t.a) &&
           (operands < 2 || is_number(t.b));
  }

  /// The first operand, in which it shows whether the operation is one of Scalars.
  std::string first_of(const Term& t, int at_least) const {
    if (has_numbers_alone(t)) return words_.lone_number(formula_.terms[t.a].value);
    return written(t.a, at_least);
  }

  std::string written(int i, int at_least) const {
    if (!names_[i].empty()) return names_[i];
    const Term& t = formula_.terms[i];
    const std::string symbol(symbol_of(t.operation));
    switch (t.operation) {
      case Operation::input:
        return words_.inputs.empty() ? "x" + std::to_string(t.a) : words_.inputs.at(t.a);
      case Operation::constant: return words_.number(t.value);
      case Operation::neg: return "-" + argument_of_minus(t);
      case Operation::add:
      case Operation::sub:
      case Operation::mul:
      case Operation::div: {
        const int own = binding(t.operation);
        const std::string pair = first_of(t, own) + " " + symbol + " " + written(t.b, own + 1);
        return own < at_least ? "(" + pair + ")" : pair;
      }
      default: break;
    }
    if (is_comparison(t.operation)) {
      return first_of(t, kLoosest) + " " + symbol + " " + written(t.b, kLoosest);
    }
    std::string list = first_of(t, kLoosest);
    const int operands = operand_count(t.operation);
    if (operands > 1) list += ", " + written(t.b, kLoosest);
    if (operands > 2) list += ", " + written(t.c, kLoosest);
    return symbol + "(" + list + ")";
  }

  /// A minus in front of a digit belongs to the number.
  std::string argument_of_minus(const Term& minus) const {
    const Operation operation = formula_.terms[minus.a].operation;
    if (operation == Operation::constant || operation == Operation::neg) {
      return "(" + first_of(minus, kLoosest) + ")";
    }
    return written(minus.a, kTightest);
  }

  const Formula& formula_;
  const FormulaWords words_;
  std::array<int, Formula::kCapacity> uses_ = {};
  std::array<std::string, Formula::kCapacity> names_;
  int next_ = 0;
};

}  // namespace detail

inline std::string to_string(const Formula& formula) {
  return detail::FormulaPrinter(formula).text();
}

/// "x(0,1) - x(0,0)"
inline std::string to_string(const Stencil& stencil) {
  std::vector<std::string> neighbours;
  for (int i = 0; i < stencil.count; ++i) {
    std::string steps;
    for (std::size_t axis = 0; axis < stencil.rank; ++axis) {
      steps += (axis > 0 ? "," : "") + std::to_string(stencil.at(i)[axis]);
    }
    neighbours.push_back("x(" + steps + ")");
  }
  return detail::FormulaPrinter(stencil.formula, {.inputs = std::move(neighbours)}).text();
}

}  // namespace halcyon::dsl
