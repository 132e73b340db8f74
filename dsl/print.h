#pragma once
/// A graph as text: one node a line, everything that matters and nothing else, so that parsing it
/// gives an equal graph (compiler/graph/parse.h).
///
///   network "tiny"
///   %0 = input "image" () {shape=[N,1,8,8] dtype=f32 ...} -> [N,1,8,8] @ "tiny.cpp":5
///   %3 = conv "conv1" (%0, %1, %2) {filters=4 ...} -> [N,4,6,6] @ "tiny.cpp":6
///   %4 = leaky_relu "act1" (%3) {alpha=0x1p-4} -> [N,4,6,6] @ "tiny.cpp":7
///   %5 = pointwise "act2" (%4) {function="mine" formula="x0 * x0"} -> [N,4,6,6] @ "tiny.cpp":8
///   output "scores" %9
///   loss "loss" %10 weight=0x1p+0
///   constant 0 [0x1p+0,-0x1p+0]
///
/// Floating-point numbers are hexadecimal: no bit is lost. Pointwise operators that are a row of
/// the table in dsl/functions.h are written as such.

#include <cstdio>
#include <ostream>

#include "dsl/enumerations.h"
#include "dsl/formula_text.h"
#include "dsl/graph.h"

namespace halcyon::dsl {

namespace print_detail {

template <Enumeration T>
std::string text_of(T value) {
  return std::string(names_of(value).at(static_cast<std::size_t>(value)));
}
inline std::string text_of(int64_t value) { return std::to_string(value); }
inline std::string text_of(float value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", static_cast<double>(value));
  return text;
}
inline std::string text_of(const Shape& value) { return to_string(value); }
template <class T, std::size_t most>
std::string text_of(const Numbers<T, most>& value) {
  if (value.rank == 0) return text_of(value[0]);
  std::string text = "[";
  for (int axis = 0; axis < value.rank; ++axis) {
    if (axis > 0) text += ',';
    text += text_of(value[axis]);
  }
  return text + "]";
}
/// In quotation marks; what would end them or the line becomes '_' (file names may hold anything).
inline std::string quoted(const FixedString& name) {
  std::string text = "\"";
  for (char c : name.view()) {
    const bool breaks = c == '"' || c == '\\' || (c >= 0 && c < ' ') || c == 0x7f;
    text += breaks ? '_' : c;
  }
  return text + "\"";
}

inline std::string text_of(const FixedString& value) { return quoted(value); }
inline std::string text_of(const Formula& value) { return "\"" + to_string(value) + "\""; }
inline std::string text_of(const Stencil& value) { return "\"" + to_string(value) + "\""; }

inline void append(std::string& text, std::string_view name, const std::string& value) {
  if (text.size() > 1) text += ' ';
  text += name;
  text += '=';
  text += value;
}

/// "{kernel=[2,2] ...}": an operator, or the one that a gradient belongs to.
template <Operator Op>
std::string text_of(const Op& op) {
  std::string text = "{";
  Op::fields()([&](const auto& f) { append(text, f.name, text_of(op.*(f.member))); });
  return text + "}";
}

}  // namespace print_detail

/// "{filters=8 kernel=[5,5]}"
inline std::string attributes_text(const Op& op) {
  return std::visit([](const auto& o) { return print_detail::text_of(o); }, op);
}

/// "leaky_relu" and "{alpha=0x1p-4}", "conv" and "{filters=8 ...}".
struct OperatorText {
  std::string name, attributes;
};
inline OperatorText operator_text(const Op& op) {
  const auto* pointwise = std::get_if<ops::Pointwise>(&op);
  if (pointwise == nullptr) {
    const auto kind = std::visit([](const auto& o) { return std::string(o.name); }, op);
    return {kind, attributes_text(op)};
  }
  const auto use = read_as_function(pointwise->function, pointwise->formula);
  if (!use) return {std::string(ops::Pointwise::name), attributes_text(op)};
  std::string text = "{";
  for (std::size_t i = 0; i < use->function->parameter_count(); ++i) {
    text += (i > 0 ? " " : "") + std::string(use->function->parameters[i].name) + "=" +
            print_detail::text_of(use->values[i]);
  }
  return {std::string(use->function->name), text + "}"};
}

/// "%3", and "%3.1" for a second output.
inline std::string to_string(Value v) {
  std::string text("%");
  text += std::to_string(v.node);
  if (v.output > 0) {
    text += '.';
    text += std::to_string(v.output);
  }
  return text;
}

/// "[N,3] [3]"
inline std::string to_string(const Shapes& shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "" : " ") + halcyon::to_string(shape);
  return text.empty() ? "none" : text;
}

inline void print(const Graph& graph, std::ostream& out) {
  using print_detail::quoted;
  out << "network " << quoted(graph.name) << '\n';
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& n = graph.node(id);
    const OperatorText op = operator_text(n.op);
    out << '%' << id << " = " << op.name << ' ' << quoted(n.name) << " (";
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      out << (i > 0 ? ", " : "") << to_string(n.inputs[i]);
    }
    out << ") " << op.attributes << " ->";
    for (const Shape& shape : n.outputs) out << ' ' << to_string(shape);
    if (n.place.line > 0) out << " @ " << quoted(n.place.file) << ':' << n.place.line;
    out << '\n';
  }
  for (const Output& o : graph.outputs) {
    out << "output " << quoted(o.name) << ' ' << to_string(o.value)
        << (o.channels_last ? "\n" : " channels_first\n");
  }
  for (const Loss& l : graph.losses) {
    out << "loss " << quoted(l.name) << ' ' << to_string(l.value)
        << " weight=" << print_detail::text_of(l.weight) << '\n';
  }
  for (std::size_t i = 0; i < graph.constants.size(); ++i) {
    out << "constant " << i << " [";
    for (std::size_t j = 0; j < graph.constants[i].size(); ++j) {
      out << (j > 0 ? "," : "") << print_detail::text_of(graph.constants[i][j]);
    }
    out << "]\n";
  }
}

}  // namespace halcyon::dsl
