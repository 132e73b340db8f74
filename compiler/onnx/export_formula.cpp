/// Functions of one position, or of a position and its neighbours, as ONNX: one operator where
/// there is one that means the same, otherwise one for each term of the formula.

#include <map>
#include <optional>

#include "compiler/onnx/node_export.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

namespace {

using dsl::Formula;
using dsl::Operation;
using dsl::Scalar;
using dsl::Term;

/// The ONNX operator of a term.
std::string type_of(Operation operation) {
  switch (operation) {
    case Operation::add: return "Add";
    case Operation::sub: return "Sub";
    case Operation::mul: return "Mul";
    case Operation::div: return "Div";
    case Operation::min: return "Min";
    case Operation::max: return "Max";
    case Operation::pow: return "Pow";
    case Operation::neg: return "Neg";
    case Operation::abs: return "Abs";
    case Operation::exp: return "Exp";
    case Operation::log: return "Log";
    case Operation::sqrt: return "Sqrt";
    case Operation::tanh: return "Tanh";
    case Operation::sigmoid: return "Sigmoid";
    case Operation::softplus: return "Softplus";
    case Operation::erf: return "Erf";
    case Operation::floor: return "Floor";
    case Operation::less: return "Less";
    case Operation::less_equal: return "LessOrEqual";
    case Operation::greater: return "Greater";
    case Operation::greater_equal: return "GreaterOrEqual";
    case Operation::equal: return "Equal";
    case Operation::select: return "Where";
    case Operation::input:
    case Operation::constant: break;
  }
  return {};
}

/// A function of one value that ONNX has an operator for, with its numbers.
struct Known {
  std::string type;
  ModelAttributes attributes = {};
  std::vector<float> numbers = {};  ///< that are inputs
};

std::optional<Known> find_known(const Formula& formula) {
  const auto use = [&](std::string_view name) { return dsl::read_as_function(name, formula); };
  if (use("relu")) return Known{"Relu"};
  if (use("relu6")) return Known{"Clip", {}, {0, 6}};
  if (const auto found = use("clip")) {
    return Known{"Clip", {}, {found->values[0], found->values[1]}};
  }
  if (const auto found = use("leaky_relu")) {
    return Known{"LeakyRelu", {{"alpha", found->values[0]}}};
  }
  if (const auto found = use("elu")) return Known{"Elu", {{"alpha", found->values[0]}}};
  if (use("selu")) return Known{"Selu"};
  if (const auto found = use("hard_sigmoid")) {
    return Known{"HardSigmoid", {{"alpha", found->values[0]}, {"beta", found->values[1]}}};
  }
  if (use("hard_swish")) return Known{"HardSwish"};
  return {};
}

}  // namespace

void export_formula(const Formula& formula, const std::vector<std::string>& inputs,
                    NodeExport& node) {
  std::vector<std::string> values;
  for (int i = 0; i < formula.size; ++i) {
    const Term& term = formula.terms[i];
    const bool is_result = i + 1 == formula.size;
    if (term.operation == Operation::input) {
      values.push_back(inputs[term.a]);
    } else if (term.operation == Operation::constant) {
      values.push_back(node.model().number(term.value));
    } else {
      std::vector<std::string> operands = {values[term.a]};
      const int count = dsl::operand_count(term.operation);
      if (count > 1) operands.push_back(values[term.b]);
      if (count > 2) operands.push_back(values[term.c]);
      if (is_result) return node.finish(type_of(term.operation), operands);
      values.push_back(node.step(type_of(term.operation), operands));
    }
  }
  // An input or a number alone, for every position.
  const std::string zero = node.step("Mul", {inputs[0], node.model().number(0)});
  node.finish("Add", {zero, values.back()});
}

void export_operator(const ops::Pointwise& op, NodeExport& node) {
  const int rank = node.result().rank;
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node.inputs().size(); ++i) inputs.push_back(node.aligned(i, rank));
  if (dsl::read_as_function("prelu", op.formula) && node.shape(0) == node.result()) {
    return node.finish("PRelu", inputs);
  }
  if (const std::optional<Known> known = find_known(op.formula)) {
    for (const float number : known->numbers) inputs.push_back(node.model().number(number));
    return node.finish(known->type, inputs, known->attributes);
  }
  export_formula(op.formula, inputs, node);
}

void export_operator(const ops::Stencil& op, NodeExport& node) {
  const Shape& x = node.shape(0);
  const dsl::Stencil& stencil = op.formula;
  std::vector<int64_t> begins = {0, 0}, ends = {0, 0}, axes;
  for (int axis = 0; axis < x.spatial_rank(); ++axis) {
    begins.push_back(stencil.before(axis));
    ends.push_back(stencil.after(axis));
    axes.push_back(axis + 2);
  }
  const std::vector<int64_t> before = begins;
  begins.insert(begins.end(), ends.begin(), ends.end());
  const std::string mode = op.border == dsl::Border::edge ? "edge" : "constant";
  ModelWriter& model = node.model();
  const std::string padded = node.step("Pad", {node.x(), model.integers(begins)}, {{"mode", mode}});
  std::vector<std::string> neighbours;
  for (int i = 0; i < stencil.count; ++i) {
    std::vector<int64_t> starts, stops;
    for (int axis = 0; axis < x.spatial_rank(); ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      starts.push_back(before[a + 2] + stencil.at(i)[a]);
      stops.push_back(starts.back() + x.spatial(axis));
    }
    neighbours.push_back(node.step(
        "Slice", {padded, model.integers(starts), model.integers(stops), model.integers(axes)}));
  }
  export_formula(stencil.formula, neighbours, node);
}

}  // namespace halcyon::compiler
