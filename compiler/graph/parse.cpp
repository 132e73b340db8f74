#include "compiler/graph/parse.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/parse_formula.h"
#include "compiler/graph/scanner.h"
#include "dsl/print.h"

namespace halcyon::compiler {
namespace {

using dsl::Graph;
using dsl::kMaxElements;
namespace ops = dsl::ops;
using dsl::Op;
using dsl::Shapes;
using dsl::Value;

std::string list_of(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text.empty() ? "none" : text;
}

// One reader for each type of attribute; `what` is its name.

void read(Scanner& in, const std::string& what, int64_t& value) {
  value = in.integer(what, -kMaxElements, kMaxElements);
}

void read(Scanner& in, const std::string& what, float& value) { value = in.number(what); }

template <dsl::Enumeration T>
void read(Scanner& in, const std::string& what, T& value) {
  const std::string_view word = in.word();
  constexpr auto names = dsl::names_of(T{});
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) {
    in.fail(what + " is '" + std::string(word.substr(0, 24)) + "', expected one of " +
            list_of({names.begin(), names.end()}));
  }
  value = static_cast<T>(found - names.begin());
}

void read(Scanner& in, const std::string& what, FixedString& value) { value = in.quoted(what); }

constexpr std::size_t kLongestFormula = 1 << 14;  // far above what kCapacity terms need

void read(Scanner& in, const std::string& what, dsl::Formula& value) {
  value = parse_formula(in.quoted_text(what, kLongestFormula), in.where());
}

void read(Scanner& in, const std::string& what, dsl::Stencil& value) {
  value = parse_stencil(in.quoted_text(what, kLongestFormula), in.where());
}

void read(Scanner& in, const std::string& what, Shape& value) {
  in.expect("[");
  value = {};
  while (!in.accept("]")) {
    if (value.rank > 0) in.expect(",");
    if (value.rank == Shape::kMaxRank) {
      in.fail(what + " has more than " + std::to_string(Shape::kMaxRank) + " extents");
    }
    const bool is_batch = value.rank == 0 && in.accept("N");
    value.push_back(is_batch ? kBatch : in.integer("an extent of " + what, 1, kMaxElements));
  }
}

template <class T, std::size_t most>
void read(Scanner& in, const std::string& what, dsl::Numbers<T, most>& value) {
  T number = {};
  if (!in.accept("[")) {
    read(in, what, number);
    value = number;
    return;
  }
  value = {};
  do {
    if (value.rank == most) in.fail(what + " has more than " + std::to_string(most) + " numbers");
    read(in, "a number of " + what, number);
    value.push_back(number);
  } while (in.accept(","));
  in.expect("]");
}

template <class Operator>
void read_attributes(Scanner& in, Operator& op);

// The operator that a gradient belongs to.
template <dsl::Operator Inner>
void read(Scanner& in, const std::string&, Inner& op) {
  read_attributes(in, op);
}

// Reads the value behind `name` if that is the field's name.
template <class Operator, class Owner, class Member>
bool read_field(Scanner& in, std::string_view name, Operator& op,
                const dsl::Attribute<Owner, Member>& field) {
  if (field.name != name) return false;
  in.expect("=");
  read(in, std::string(name), op.*(field.member));
  return true;
}

// "{name=value ...}", in any order. `read_one(name)` reads the value behind a name that it knows.
template <class ReadOne>
void read_list(Scanner& in, std::string_view op, const std::vector<std::string_view>& names,
               const ReadOne& read_one) {
  std::vector<std::string_view> given;
  in.expect("{");
  while (!in.accept("}")) {
    const std::string_view name = in.word();
    if (name.empty()) in.fail_expected("an attribute or '}'");
    if (std::find(given.begin(), given.end(), name) != given.end()) {
      in.fail("attribute '" + std::string(name) + "' is given twice");
    }
    given.push_back(name);
    if (read_one(name)) continue;
    in.fail(std::string(op) + " has no attribute '" + std::string(name.substr(0, 24)) + "'",
            "its attributes: " + list_of(names));
  }
}

template <class Operator>
void read_attributes(Scanner& in, Operator& op) {
  std::vector<std::string_view> names;
  Operator::fields()([&](const auto& f) { names.push_back(f.name); });
  read_list(in, Operator::name, names, [&](std::string_view name) {
    bool is_read = false;
    Operator::fields()([&](const auto& f) { is_read = is_read || read_field(in, name, op, f); });
    return is_read;
  });
}

// A row of dsl/functions.h, whose attributes are the numbers in its formula.
ops::Pointwise read_function(Scanner& in, const dsl::Function& function) {
  std::array<float, dsl::Function::kMostParameters> values = {};
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < function.parameter_count(); ++i) {
    values[i] = function.parameters[i].value;
    names.push_back(function.parameters[i].name);
  }
  read_list(in, function.name, names, [&](std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return false;
    in.expect("=");
    values[static_cast<std::size_t>(found - names.begin())] = in.number(std::string(name));
    return true;
  });
  return {function.name, function.formula(values.data())};
}

// The operator of that name with its default attributes.
template <std::size_t... index>
std::optional<Op> find_operator(std::string_view name, std::vector<std::string_view>& names,
                                std::index_sequence<index...>) {
  std::optional<Op> found;
  const auto look_at = [&]<class Operator>(Operator candidate) {
    names.push_back(Operator::name);
    if (Operator::name == name) found = candidate;
  };
  (look_at(std::variant_alternative_t<index, Op>{}), ...);
  return found;
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Graph parse() {
    bool has_header = false;
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      ++line_;
      Scanner in(text_.substr(begin, end - begin), where());
      begin = end + 1;
      if (in.at_end() || in.accept("#")) continue;
      if (!has_header) {
        in.expect("network");
        graph_.name = in.quoted("the network's name");
        has_header = true;
      } else {
        parse_line(in);
      }
      in.expect_end();
    }
    if (!has_header) {
      throw UserError(std::string(source_) + ": found no graph, expected 'network \"name\"'");
    }
    check_given_values();
    return std::move(graph_);
  }

 private:
  std::string where() const { return std::string(source_) + ":" + std::to_string(line_); }

  void parse_line(Scanner& in) {
    if (in.accept("%")) return parse_node(in);
    const std::string_view word = in.word();
    if (word == "output") return parse_output(in);
    if (word == "loss") return parse_loss(in);
    if (word == "constant") return parse_constant(in);
    if (word == "network") in.fail("a second network, expected one in a text");
    if (word.empty()) in.fail_expected("'%', 'output', 'loss' or 'constant'");
    in.fail("expected '%', 'output', 'loss' or 'constant', found '" +
            std::string(word.substr(0, 24)) + "'");
  }

  void parse_node(Scanner& in) {
    const int64_t id = in.integer("the node's number", 0, std::numeric_limits<int32_t>::max());
    const int32_t next = graph_.node_count();
    if (id < next) {
      in.fail("%" + std::to_string(id) + " is already defined in line " +
              std::to_string(lines_[static_cast<std::size_t>(id)]));
    }
    if (id > next) {
      in.fail("expected %" + std::to_string(next) + ", found %" + std::to_string(id),
              "nodes are numbered in the order they stand in");
    }
    in.expect("=");
    const std::string_view word = in.word();
    if (word.empty()) in.fail_expected("an operator");
    std::vector<std::string_view> names;
    std::optional<Op> op =
        find_operator(word, names, std::make_index_sequence<std::variant_size_v<Op>>{});
    const dsl::Function* function = dsl::find_function(word);
    if (!op && function == nullptr) {
      for (const dsl::Function& row : dsl::kFunctions) names.push_back(row.name);
      in.fail("unknown operator '" + std::string(word.substr(0, 24)) + "'",
              "the operators: " + list_of(names));
    }
    const FixedString name = in.quoted("the node's name");
    std::vector<Value> inputs;
    in.expect("(");
    while (!in.accept(")")) {
      if (!inputs.empty()) in.expect(",");
      inputs.push_back(parse_value(in));
    }
    if (op) {
      std::visit([&](auto& o) { read_attributes(in, o); }, *op);
    } else {
      op = read_function(in, *function);
    }
    in.expect("->");
    Shapes shapes;
    bool has_place = false;
    while (!has_place && !in.at_end()) {
      has_place = in.accept("@");
      if (!has_place) read(in, "the shape after ->", shapes.emplace_back());
    }
    dsl::Place place;
    if (has_place) {
      place.file = in.quoted("the file's name");
      in.expect(":");
      place.line = in.integer("the line's number", 1, std::numeric_limits<int32_t>::max());
    }
    add(in, *op, std::move(inputs), name, place, shapes);
  }

  void add(Scanner& in, const Op& op, std::vector<Value> inputs, const FixedString& name,
           const dsl::Place& place, const Shapes& shapes) {
    try {
      graph_.add(op, std::move(inputs), name, place);
    } catch (const UserError& mistake) {
      in.fail(mistake.what());
    }
    lines_.push_back(line_);
    const Shapes& expected = graph_.nodes().back().outputs;
    if (shapes != expected) {
      in.fail("the shapes after -> are " + dsl::to_string(shapes) + ", the shape rule of " +
              std::string(dsl::name_of(op)) + " gives " + dsl::to_string(expected));
    }
  }

  // "%3" or "%3.1", defined above.
  Value parse_value(Scanner& in) {
    if (!in.accept("%")) in.fail_expected("a value such as '%0'");
    const int64_t node = in.integer("a node's number", 0, std::numeric_limits<int32_t>::max());
    int64_t output = 0;
    if (in.accept(".")) {
      output = in.integer("an output's number", 0, std::numeric_limits<int32_t>::max());
    }
    if (node >= graph_.node_count()) {
      in.fail("%" + std::to_string(node) + " is not defined above",
              "a node stands above those that read it");
    }
    const Value value{static_cast<int32_t>(node), static_cast<int32_t>(output)};
    const auto count = static_cast<int64_t>(graph_.node(value).outputs.size());
    if (output >= count) {
      in.fail("%" + std::to_string(node) + " has " + std::to_string(count) +
              (count == 1 ? " output" : " outputs") + ", found " + dsl::to_string(value));
    }
    return value;
  }

  void parse_output(Scanner& in) {
    const FixedString name = in.quoted("the output's name");
    const Value value = parse_value(in);
    const bool channels_last = !in.accept("channels_first");
    graph_.outputs.push_back({name, value, channels_last});
  }

  void parse_loss(Scanner& in) {
    const FixedString name = in.quoted("the loss's name");
    const Value value = parse_value(in);
    in.expect("weight");
    in.expect("=");
    graph_.losses.push_back({name, value, in.number("the loss's weight")});
  }

  void parse_constant(Scanner& in) {
    const auto next = static_cast<int64_t>(graph_.constants.size());
    const int64_t index = in.integer("the constant's number", 0, kMaxElements);
    if (index != next) {
      in.fail("expected constant " + std::to_string(next) + ", found constant " +
              std::to_string(index));
    }
    std::vector<float>& values = graph_.constants.emplace_back();
    in.expect("[");
    while (!in.accept("]")) {
      if (!values.empty()) in.expect(",");
      values.push_back(in.number("a value of constant " + std::to_string(index)));
    }
  }

  void check_given_values() const {
    for (int32_t id = 0; id < graph_.node_count(); ++id) {
      const dsl::Node& node = graph_.node(id);
      const std::optional<int64_t> number = dsl::given_values(node.op);
      if (!number) continue;
      const std::string where = std::string(source_) + ":" +
                                std::to_string(lines_[static_cast<std::size_t>(id)]) + ": " +
                                dsl::describe(dsl::name_of(node.op), node.name, {});
      const Shape& shape = node.outputs[0];
      const auto count = static_cast<int64_t>(graph_.constants.size());
      if (*number < 0 || *number >= count) {
        throw UserError(where + " takes its values from constant " + std::to_string(*number) +
                        ", the text has " + std::to_string(count) + " constants");
      }
      const auto& values = graph_.constants[static_cast<std::size_t>(*number)];
      if (static_cast<int64_t>(values.size()) != shape.elements()) {
        throw UserError(where + ": constant " + std::to_string(*number) + " has " +
                        std::to_string(values.size()) + " values, " + to_string(shape) + " needs " +
                        std::to_string(shape.elements()));
      }
    }
  }

  std::string_view text_;
  std::string_view source_;
  int64_t line_ = 0;
  std::vector<int64_t> lines_;  // of each node
  Graph graph_;
};

}  // namespace

Graph parse_graph(std::string_view text, std::string_view source) {
  return Parser(text, source).parse();
}

}  // namespace halcyon::compiler
