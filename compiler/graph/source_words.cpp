#include "compiler/graph/source_words.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "dsl/formula_text.h"

namespace halcyon::compiler::words {

namespace {

namespace ops = dsl::ops;

// clang-format off
constexpr std::string_view type_of(DType) { return "halcyon::DType"; }
constexpr std::string_view type_of(dsl::Border) { return "Border"; }
constexpr std::string_view type_of(ops::Coordinates) { return "ops::Coordinates"; }
constexpr std::string_view type_of(ops::DepthOrder) { return "ops::DepthOrder"; }
constexpr std::string_view type_of(ops::InitKind) { return "ops::InitKind"; }
constexpr std::string_view type_of(ops::Interpolation) { return "ops::Interpolation"; }
constexpr std::string_view type_of(ops::Neighbours) { return "ops::Neighbours"; }
constexpr std::string_view type_of(ops::Optimizer) { return "ops::Optimizer"; }
constexpr std::string_view type_of(ops::PadMode) { return "ops::PadMode"; }
constexpr std::string_view type_of(ops::ReduceKind) { return "ops::ReduceKind"; }
constexpr std::string_view type_of(ops::Rounding) { return "ops::Rounding"; }
// clang-format on

// One spelling for each type of attribute.

std::string value(int64_t v) { return number(v); }
std::string value(float v) { return number(v); }
std::string value(bool v) { return v ? "true" : "false"; }
std::string value(const Shape& v) { return extents(v, 0); }

template <class T>
requires std::is_enum_v<T> std::string value(T v) {
  return std::string(type_of(v)) +
         "::" + std::string(dsl::names_of(v).at(static_cast<std::size_t>(v)));
}

template <class T, std::size_t most>
std::string value(const dsl::Numbers<T, most>& v) {
  if (v.rank == 0) return number(v[0]);
  std::vector<std::string> parts;
  for (int axis = 0; axis < v.rank; ++axis) parts.push_back(number(v[axis]));
  return list(parts);
}

template <dsl::Operator Inner>
std::string value(const Inner& op);

template <class Op, class Fields>
std::string members(const Op& op, const Fields& fields) {
  std::vector<std::string> parts;
  fields([&](const auto& f) {
    parts.push_back("." + std::string(f.name) + " = " + value(op.*(f.member)));
  });
  return list(parts);
}

template <dsl::Operator Inner>
std::string value(const Inner& op) {
  return members(op, Inner::fields());
}

/// Every operator that is an aggregate without a base can be written by its members.
template <class Op>
constexpr bool kHasMembers =
    !std::is_base_of_v<ops::PoolWindow, Op> && !std::is_base_of_v<ops::Stencil, Op> &&
    !std::is_same_v<Op, ops::Pointwise>;

std::string written(const ops::MaxPool& op) {
  return "ops::MaxPool{" + members(op, ops::PoolWindow::fields()) + ", " + value(op.with_argmax) +
         "}";
}
std::string written(const ops::AveragePool& op) {
  return "ops::AveragePool{" + members(op, ops::PoolWindow::fields()) + ", " +
         value(op.count_padding) + "}";
}

template <class Op>
std::string written(const Op& op) {
  if constexpr (kHasMembers<Op>) {
    return members(op, Op::fields());
  } else {
    return {};
  }
}

/// "ops::Slice" in front of its members, from the list of operators.
template <class Op>
std::string_view type_name();
#define HALCYON_TYPE_NAME(Operator)             \
  template <>                                   \
  std::string_view type_name<ops::Operator>() { \
    return "ops::" #Operator;                   \
  }
HALCYON_OPERATORS(HALCYON_TYPE_NAME)
#undef HALCYON_TYPE_NAME

std::string scalar(float v) { return "Scalar(" + number(v) + ")"; }

std::string lambda(const std::string& parameters, const dsl::Formula& formula,
                   std::vector<std::string> inputs) {
  // A function that is a number alone has nothing else that makes it a Scalar.
  std::string (*const plain)(float) = number;
  const dsl::detail::FormulaWords spelling = {.inputs = std::move(inputs),
                                              .definition = "const Scalar ",
                                              .result = "return ",
                                              .number = formula.size == 1 ? scalar : plain,
                                              .lone_number = scalar};
  return "[](" + parameters + ") { " + dsl::detail::FormulaPrinter(formula, spelling).text() +
         "; }";
}

/// `text` cut behind each " | " and ", " inside it that stands in no string and in at most `depth`
/// brackets.
std::vector<std::string> cut(std::string_view text, int depth) {
  std::vector<std::string> parts;
  bool in_string = false;
  int inside = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && (i == 0 || text[i - 1] != '\\')) in_string = !in_string;
    if (in_string) continue;
    inside += c == '(' || c == '{' ? 1 : c == ')' || c == '}' ? -1 : 0;
    const std::string_view rest = text.substr(i);
    const std::size_t size = rest.starts_with(" | ") ? 3 : rest.starts_with(", ") ? 2 : 0;
    if (size == 0 || inside > depth || i + size == text.size()) continue;
    parts.emplace_back(text.substr(begin, i + size - begin));
    begin = i + size;
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

/// Puts as many parts into each line as it has room for.
class Lines {
 public:
  static constexpr std::size_t kColumns = 100;

  explicit Lines(std::size_t indent) : indent_(indent), line_(indent, ' ') {}

  /// Breaks in as few brackets as possible.
  void put_broken(const std::string& text) {
    constexpr int kDeepest = 8;
    for (int depth = 0; text.size() > kColumns - indent_ - 4 && depth < kDeepest; ++depth) {
      const std::vector<std::string> parts = cut(text, depth);
      if (parts.size() == 1) continue;
      for (const std::string& part : parts) put_broken(part);
      return;
    }
    put(text);
  }

  std::string text() {
    end_line();
    return all_;
  }

 private:
  void put(const std::string& part) {
    // The blank behind the last word of a line is left out.
    const std::size_t size = part.size() - (part.ends_with(' ') ? 1 : 0);
    if (line_.size() + size > kColumns && !is_blank()) {
      end_line();
      line_ = std::string(indent_ + 4, ' ');
    }
    line_ += part;
  }

  bool is_blank() const { return line_.find_first_not_of(' ') == line_.npos; }

  void end_line() {
    line_.erase(line_.find_last_not_of(' ') + 1);
    all_ += line_ + "\n";
  }

  std::size_t indent_;
  std::string all_, line_;
};

}  // namespace

std::string quoted(std::string_view text) {
  std::string all = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + "\"";
}

std::string number(float value) {
  std::string text = dsl::detail::shortest(value);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text + "f";
}

std::string list(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return "{" + text + "}";
}

std::string per_axis(const dsl::Spatial& numbers) {
  std::vector<std::string> parts;
  for (int axis = 0; axis < numbers.rank; ++axis) parts.push_back(number(numbers[axis]));
  const bool alike = std::ranges::all_of(parts, [&](const auto& part) { return part == parts[0]; });
  return parts.empty() || alike ? number(numbers[0]) : list(parts);
}

std::string padding(const dsl::Spatial& begin, const dsl::Spatial& end) {
  if (begin == end) return per_axis(begin);
  const auto full = [](const dsl::Spatial& numbers) {
    std::vector<std::string> parts;
    for (int axis = 0; axis < numbers.rank; ++axis) parts.push_back(number(numbers[axis]));
    return list(parts);
  };
  return "Padding(" + full(begin) + ", " + full(end) + ")";
}

std::string extents(const Shape& shape, int skip) {
  std::vector<std::string> parts;
  for (int axis = skip; axis < shape.rank; ++axis) parts.push_back(number(shape[axis]));
  return list(parts);
}

std::string function(const dsl::Formula& formula, int inputs) {
  if (inputs == 1) return lambda("Scalar x", formula, {"x"});
  std::string parameters;
  for (int i = 0; i < inputs; ++i) {
    parameters += (i > 0 ? ", Scalar x" : "Scalar x") + std::to_string(i);
  }
  return lambda(parameters, formula, {});
}

std::string function(const dsl::Stencil& stencil) {
  std::vector<std::string> neighbours;
  for (int i = 0; i < stencil.count; ++i) {
    std::string steps;
    for (std::size_t axis = 0; axis < stencil.rank; ++axis) {
      steps += (axis > 0 ? ", " : "") + std::to_string(stencil.at(i)[axis]);
    }
    neighbours.push_back("x(" + steps + ")");
  }
  return lambda("Window x", stencil.formula, std::move(neighbours));
}

std::string operation(const dsl::Op& op) {
  return std::visit(
      []<class Operation>(const Operation& o) -> std::string {
        const std::string text = written(o);
        if (text.empty() || !text.starts_with('{')) return text;
        return std::string(type_name<Operation>()) + text;
      },
      op);
}

bool is_free_name(std::string_view name) {
  // What is neither a function, which can be overloaded, nor free to be declared.
  // clang-format off
  constexpr std::string_view kTaken[] = {
      "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
      "char", "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept",
      "const", "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete",
      "do", "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for",
      "friend", "goto", "if", "inline", "int", "long", "main", "mutable", "namespace", "new", "noexcept", "not",
      "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register",
      "reinterpret_cast", "requires", "return", "short", "signed", "sizeof", "static", "static_assert",
      "static_cast", "std", "struct", "switch", "template", "this", "thread_local", "throw", "true", "try",
      "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t",
      "while", "xor", "xor_eq",
      // functions without parameters of the C library
      "abort", "clock", "drand48", "fcloseall", "getchar", "getchar_unlocked", "getwchar", "getwchar_unlocked",
      "localeconv", "lrand48", "mrand48", "pthread_self", "rand", "random", "sched_yield", "tmpfile", "tzset",
      // of the language
      "flatten", "halcyon", "ops", "rules", "same", "softmax", "valid", "words", "zoo", "detail", "mistakes"};
  // clang-format on
  return std::ranges::find(kTaken, name) == std::end(kTaken) && name.size() > 2 &&
         std::islower(static_cast<unsigned char>(name[0])) != 0;
}

std::string wrapped(const std::string& text, std::size_t indent) {
  Lines lines(indent);
  lines.put_broken(text);
  return lines.text();
}

}  // namespace halcyon::compiler::words
