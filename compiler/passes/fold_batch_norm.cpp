/// batch_norm, scale_shift and the like behind a convolution or dense layer become part of its
/// weights.
///
/// All of them compute f(x, p...) with numbers p per channel, and f is a * x + b in x. Of the layer
/// y = W x + c in front of it f(y) = (a W) x + f(c): filters times a, and f of the bias, or of 0.
/// The new weights depend on parameters alone and are computed once, when those are known.

#include "compiler/ops/formula.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// f(x, p...) as a formula, if the node is such a function of one value of each sample and numbers
/// per channel.
std::optional<Formula> formula_per_channel(const Graph& graph, const Node& node) {
  if (!graph.shape(node.inputs.empty() ? Value{} : node.inputs[0]).has_batch()) return {};
  const int64_t channels = node.outputs[0][1];
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (!(graph.shape(node.inputs[i]) == Shape{channels})) return {};
  }
  if (const auto* norm = std::get_if<ops::BatchNorm>(&node.op)) {
    const auto in = Scalar::input;
    return ((in(0) - in(3)) * (in(1) / sqrt(in(4) + norm->epsilon)) + in(2)).formula;
  }
  const auto* function = std::get_if<ops::Pointwise>(&node.op);
  if (function == nullptr || function->formula.input_count() == 0) return {};
  return function->formula;
}

/// df/dx, as a formula of p0, p1, ..., where it does not depend on x.
std::optional<PartialFormula> slope(const Formula& f) {
  const FormulaGradient gradient = gradient_of(f, 0);
  std::vector<Formula> inputs;
  for (const FormulaGradient::Source& source : gradient.sources) {
    using From = FormulaGradient::From;
    if (source.from == From::y || (source.from == From::x && source.input == 0)) return {};
    inputs.push_back(source.from == From::dy ? Scalar(1.0f).formula
                                             : Scalar::input(source.input - 1).formula);
  }
  return substitute(gradient.formula, inputs);
}

/// f of a layer's bias, or of 0, and p0, p1, ... behind it.
PartialFormula of_bias(const Formula& f, bool has_bias) {
  std::vector<Formula> inputs = {has_bias ? Scalar::input(0).formula : Scalar(0.0f).formula};
  for (int i = 1; i < f.input_count(); ++i) {
    inputs.push_back(Scalar::input(has_bias ? i : i - 1).formula);
  }
  return substitute(f, inputs);
}

class Folder {
 public:
  explicit Folder(const Graph& graph) : graph_(graph), users_(users_of(graph)) {}

  Rewriter::Values fold(const Node& node, const Rewriter::Values& inputs, Graph& copy) const {
    if (node.inputs.size() < 2 || !feeds_only(node.inputs[0])) return {};
    const std::optional<Formula> f = formula_per_channel(graph_, node);
    const std::optional<PartialFormula> a = f ? slope(*f) : std::nullopt;
    if (!a) return {};

    const Node layer = copy.node(inputs[0]);
    const std::vector<Value> numbers(inputs.begin() + 1, inputs.end());
    const bool has_bias = layer.inputs.size() > 2;
    std::vector<Value> of_layer = layer.inputs;
    std::vector<Value> shifted = numbers;
    if (has_bias) shifted.insert(shifted.begin(), layer.inputs[2]);
    const auto add = [&](const Op& op, std::vector<Value> in, const char* member) {
      FixedString name = node.name;
      name.append(member);
      return Value{copy.add(op, std::move(in), name, node.place), 0};
    };
    const auto add_function = [&](const PartialFormula& g, const std::vector<Value>& all,
                                  const char* member) {
      std::vector<Value> in;
      for (int i : g.inputs) in.push_back(all.at(static_cast<std::size_t>(i)));
      if (in.empty()) in.push_back(all.at(0));  // which says the shape
      return add(ops::Pointwise{FixedString(member + 1), g.formula}, std::move(in), member);
    };
    const Value scale = add_function(*a, numbers, ".scale");
    of_layer.resize(3);
    of_layer[1] = add(ops::ScaleFilters{}, {layer.inputs[1], scale}, ".weight");
    of_layer[2] = add_function(of_bias(*f, has_bias), shifted, ".shift");
    return {{copy.add(layer.op, of_layer, layer.name, layer.place), 0}};
  }

 private:
  /// A layer with weights that nothing but the one reader needs.
  bool feeds_only(Value v) const {
    const Op& op = graph_.node(v).op;
    const bool weighted =
        std::holds_alternative<ops::Conv>(op) || std::holds_alternative<ops::Dense>(op);
    return weighted && users_.at(v).size() == 1 && !is_result(graph_, v);
  }

  const Graph& graph_;
  std::map<Value, std::vector<int32_t>> users_;
};

}  // namespace

bool fold_batch_norm(Program& program, const PassContext&) {
  const Folder folder(program.graph);
  Rewriter rewriter(program.graph, [&](int32_t, const Node& node, const Rewriter::Values& inputs,
                                       Graph& copy) { return folder.fold(node, inputs, copy); });
  if (!rewriter.changed()) return false;
  program.graph = rewriter.take();
  remove_unneeded(program.graph);
  return true;
}

}  // namespace halcyon::compiler
