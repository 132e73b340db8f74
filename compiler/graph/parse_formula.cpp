#include "compiler/graph/parse_formula.h"

#include <map>
#include <optional>
#include <vector>

#include "compiler/graph/scanner.h"
#include "dsl/formula_text.h"

namespace halcyon::compiler {
namespace {

using dsl::Condition;
using dsl::Formula;
using dsl::Operation;
using dsl::Scalar;
using dsl::Stencil;

constexpr int kMostNesting = 64;
constexpr int64_t kMostInputs = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A name that is one letter and a number: "x3", "t12".
bool is_numbered(std::string_view word, char letter) {
  if (word.size() < 2 || word.size() > 4 || word[0] != letter) return false;
  for (char c : word.substr(1)) {
    if (!is_digit(c)) return false;
  }
  return true;
}

class FormulaParser {
 public:
  /// With `neighbours`, inputs are written x(dy,dx) and numbered there.
  FormulaParser(std::string_view text, const std::string& where, Stencil* neighbours = nullptr)
      : in_(text, where), neighbours_(neighbours) {}

  Formula parse() {
    while (true) {
      const std::string name = accept_definition();
      Scalar value = sum();
      if (name.empty()) {
        in_.expect_end();
        return value.formula;
      }
      in_.expect(";");
      define(name, value);
    }
  }

 private:
  /// "t0 =", or nothing.
  std::string accept_definition() {
    const Scanner before = in_;
    std::string name(in_.word());
    if (is_numbered(name, 't') && in_.accept("=")) return name;
    in_ = before;
    return {};
  }

  void define(const std::string& name, const Scalar& value) {
    if (!named_.emplace(name, value).second) in_.fail("formula: " + name + " is defined twice");
  }

  Scalar sum() {
    if (++depth_ > kMostNesting) {
      in_.fail("formula: more than " + std::to_string(kMostNesting) + " parentheses in each other");
    }
    Scalar left = product();
    while (true) {
      if (in_.accept("+")) {
        left = left + product();
      } else if (in_.accept("-")) {
        left = left - product();
      } else {
        break;
      }
    }
    --depth_;
    return left;
  }

  Scalar product() {
    Scalar left = factor();
    while (true) {
      if (in_.accept("*")) {
        left = left * factor();
      } else if (in_.accept("/")) {
        left = left / factor();
      } else {
        return left;
      }
    }
  }

  Scalar factor() {
    if (in_.next_is_number()) return Scalar(in_.number("formula: a number"));
    if (in_.accept("-")) {
      if (++depth_ > kMostNesting) in_.fail("formula: too many signs in a row");
      Scalar negated = -factor();
      --depth_;
      return negated;
    }
    if (in_.accept("(")) {
      Scalar inner = sum();
      in_.expect(")");
      return inner;
    }
    const std::string name(in_.word());
    if (name.empty()) in_.fail_expected("formula: a number, an input such as 'x0' or a function");
    if (name == "x" && neighbours_ != nullptr) return neighbour();
    if (is_numbered(name, 'x')) return input(name);
    if (is_numbered(name, 't')) return known(name);
    return call(name);
  }

  Scalar input(const std::string& name) {
    if (neighbours_ != nullptr) {
      in_.fail("formula: " + name + " is not a neighbour, expected one such as x(0,1)");
    }
    const int64_t index = std::stol(name.substr(1));
    if (index >= kMostInputs) {
      in_.fail("formula: " + name + " is not an input, expected x0 to x" +
               std::to_string(kMostInputs - 1));
    }
    return Scalar::input(static_cast<int>(index));
  }

  Scalar neighbour() {
    int steps[3] = {};
    int axes = 0;
    in_.expect("(");
    do {
      if (axes == 3) in_.fail("formula: a neighbour has at most 3 steps");
      steps[axes++] = static_cast<int>(
          in_.integer("formula: a step", -Stencil::kMostReach, Stencil::kMostReach));
    } while (in_.accept(","));
    in_.expect(")");
    return Scalar::input(neighbours_->number_of(steps, axes));
  }

  Scalar known(const std::string& name) {
    const auto found = named_.find(name);
    if (found == named_.end()) in_.fail("formula: " + name + " is not defined in front of its use");
    return found->second;
  }

  Scalar call(const std::string& name) {
    in_.expect("(");
    if (name == "select") {
      const Condition condition = comparison();
      in_.expect(",");
      const Scalar yes = sum();
      in_.expect(",");
      const Scalar no = sum();
      in_.expect(")");
      return select(condition, yes, no);
    }
    const Operation operation = function(name);
    const Scalar first = sum();
    if (dsl::operand_count(operation) == 1) {
      in_.expect(")");
      return {operation, {&first.formula}};
    }
    in_.expect(",");
    const Scalar second = sum();
    in_.expect(")");
    return {operation, {&first.formula, &second.formula}};
  }

  Operation function(const std::string& name) {
    std::string known;
    for (int i = static_cast<int>(Operation::min); i <= static_cast<int>(Operation::floor); ++i) {
      const auto operation = static_cast<Operation>(i);
      if (operation == Operation::neg) continue;
      if (dsl::symbol_of(operation) == name) return operation;
      known += std::string(dsl::symbol_of(operation)) + ", ";
    }
    in_.fail("formula: unknown function '" + name.substr(0, 24) + "'",
             "the functions: " + known + "select");
  }

  Condition comparison() {
    const Scalar left = sum();
    // The longer symbols first: '<=' begins like '<'.
    for (const Operation operation : {Operation::less_equal, Operation::greater_equal,
                                      Operation::equal, Operation::less, Operation::greater}) {
      if (in_.accept(dsl::symbol_of(operation))) return {operation, left, sum()};
    }
    in_.fail_expected("formula: a comparison such as 'x0 > 0'");
  }

  Scanner in_;
  Stencil* neighbours_;
  std::map<std::string, Scalar> named_;
  int depth_ = 0;
};

Formula parse(std::string_view text, const std::string& where, Stencil* neighbours) {
  try {
    return FormulaParser(text, where, neighbours).parse();
  } catch (const dsl::ShapeMistake& mistake) {
    throw UserError(where + ": " + mistake.what, mistake.hint);
  }
}

}  // namespace

Formula parse_formula(std::string_view text, const std::string& where) {
  return parse(text, where, nullptr);
}

Stencil parse_stencil(std::string_view text, const std::string& where) {
  Stencil neighbours;
  const Formula result = parse(text, where, &neighbours);
  return neighbours.with(result);
}

}  // namespace halcyon::compiler
