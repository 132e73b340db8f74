/// Makes a network trainable: forward, losses, backward and the optimizer's step become one graph.
///
/// This is reverse accumulation. The total that is minimised is L = sum of weight * loss, and for
/// each value v of the forward graph the backward part computes dv = dL/dv, of v's shape. For
///
///   x -> conv(w) -> y -> relu -> z -> mean_square(t) -> loss
///
/// it appends, walking from the last node to the first,
///
///   dz = mean_square_grad(z, t)   dy = relu_grad(dz, z)   dw = conv_weight_grad(x, dy)
///
/// and no dx, since nothing that can be trained stands behind x. In general a node is active if it
/// depends on a trainable parameter and a loss depends on it; rules are asked for active nodes
/// alone, and for gradients towards active inputs alone. So a frozen layer in front of all others
/// costs nothing, and one between others costs only its way through. A value that is read several
/// times gets one gradient per reader; they are summed by add nodes, the last reader's first, which
/// fixes the order of rounding.
///
/// A loss starts the walk: its own gradient is the constant weight, which its rule folds into an
/// attribute. The forward nodes (in training form: training_form.cpp) keep their ids, since the
/// graph is copied node by node; on the way active max pools get their second output, the argmax,
/// which their gradient reads.

#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "compiler/ops/rules.h"
#include "compiler/passes/passes.h"

namespace halcyon::compiler {
namespace {

// * stands for any text, ? for one character.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = pattern.npos, resume = 0;  // the last star, and where its text ends so far
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string where(const Node& n) { return dsl::describe(dsl::name_of(n.op), n.name, n.place); }

bool is_loss(const Op& op) {
  return std::holds_alternative<ops::SoftmaxCrossEntropy>(op) ||
         std::holds_alternative<ops::MeanSquare>(op);
}

bool is_moments(const Op& op) {
  return std::holds_alternative<ops::Moments>(op) ||
         std::holds_alternative<ops::GroupMoments>(op) ||
         std::holds_alternative<ops::BatchMoments>(op);
}

std::size_t index(int32_t node) { return static_cast<std::size_t>(node); }

// The factor of each loss node in the total. Errors: no loss, or one that cannot start the walk.
std::map<int32_t, float> loss_weights(const Graph& graph) {
  if (graph.losses.empty()) {
    throw UserError("network '" + std::string(graph.name.view()) + "' has no loss to train on",
                    "add net.loss(\"loss\", softmax_cross_entropy(x, net.labels(\"label\")))");
  }
  std::map<int32_t, float> weights;
  for (const dsl::Loss& loss : graph.losses) {
    const Node& n = graph.node(loss.value);
    const std::string text = "loss '" + std::string(loss.name.view()) + "': ";
    const Shape& shape = graph.shape(loss.value);
    if (shape.rank != 0) {
      throw UserError(text + where(n) + " is " + to_string(shape) + ", expected a scalar []",
                      "give it the result of softmax_cross_entropy or mean_square");
    }
    if (!is_loss(n.op)) {
      throw UserError(text + where(n) + " is not a loss operator",
                      "give it the result of softmax_cross_entropy or mean_square; several losses "
                      "are given one by one and summed with their weights");
    }
    if (!std::isfinite(loss.weight)) throw UserError(text + "the weight is not a finite number");
    weights[loss.value.node] += loss.weight;
  }
  return weights;
}

// Parameters (by node) that a pattern freezes. Errors: a pattern that matches none.
std::vector<bool> frozen_parameters(const Graph& graph, const std::vector<std::string>& patterns) {
  std::vector<bool> frozen(index(graph.node_count()));
  for (const std::string& pattern : patterns) {
    bool found = false;
    std::string example = "conv1.weight";
    for (int32_t id = 0; id < graph.node_count(); ++id) {
      const Node& n = graph.node(id);
      if (!std::holds_alternative<ops::Parameter>(n.op)) continue;
      example = n.name.view();
      if (!matches(pattern, n.name)) continue;
      frozen[index(id)] = true;
      found = true;
    }
    if (!found) {
      throw UserError("no parameter is named like '" + pattern + "', which should be frozen",
                      "patterns match whole names such as '" + example +
                          "'; * stands for any text "
                          "and ? for one character");
    }
  }
  return frozen;
}

// Nodes that depend on a trainable parameter and that a loss depends on.
std::vector<bool> active_nodes(const Graph& graph, const std::vector<bool>& frozen,
                               const std::map<int32_t, float>& losses) {
  std::vector<bool> depends(index(graph.node_count()));
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& n = graph.node(id);
    const auto* p = std::get_if<ops::Parameter>(&n.op);
    depends[index(id)] = p != nullptr && p->trainable && !frozen[index(id)];
    for (Value v : n.inputs) {
      if (depends[index(v.node)]) depends[index(id)] = true;
    }
  }
  std::vector<bool> reached(index(graph.node_count()));
  for (const auto& [id, weight] : losses) reached[index(id)] = true;
  for (int32_t id = graph.node_count() - 1; id >= 0; --id) {
    if (!reached[index(id)]) continue;
    for (Value v : graph.node(id).inputs) reached[index(v.node)] = true;
  }
  std::vector<bool> active(index(graph.node_count()));
  for (std::size_t i = 0; i < active.size(); ++i) active[i] = depends[i] && reached[i];
  return active;
}

// The same nodes with the same ids; what is not trained says so, and max pools keep their argmax.
Graph copy_forward(const Graph& graph, const std::vector<bool>& active) {
  Graph copy;
  copy.name = graph.name;
  copy.outputs = graph.outputs;
  copy.losses = graph.losses;
  copy.constants = graph.constants;
  for (int32_t id = 0; id < graph.node_count(); ++id) {
    const Node& n = graph.node(id);
    Op op = n.op;
    if (auto* p = std::get_if<ops::Parameter>(&op)) p->trainable = active[index(id)];
    if (auto* pool = std::get_if<ops::MaxPool>(&op)) pool->with_argmax |= active[index(id)];
    copy.add(op, n.inputs, n.name, n.place);
  }
  return copy;
}

// One gradient per reader becomes one; none becomes Value{}.
Value sum(Graph& graph, int32_t node, const std::vector<Value>& gradients) {
  if (gradients.empty()) return {};
  GradientContext context(graph, node, {}, {}, 0);
  Value total = gradients[0];
  for (std::size_t i = 1; i < gradients.size(); ++i) {
    const std::string suffix = i == 1 ? "sum" : "sum" + std::to_string(i);
    total = context.emit(dsl::pointwise("add"), {total, gradients[i]}, suffix);
  }
  return total;
}

// Appends the backward nodes. Returns the gradient of each active parameter, by node.
std::map<int32_t, Value> append_backward(Graph& graph, const std::vector<bool>& active,
                                         const std::map<int32_t, float>& losses) {
  std::map<Value, std::vector<Value>> arrived;
  std::map<int32_t, Value> parameter_gradients;
  for (int32_t id = static_cast<int32_t>(active.size()) - 1; id >= 0; --id) {
    if (!active[index(id)]) continue;
    std::vector<Value> dy;
    bool any = false;
    for (std::size_t o = 0; o < graph.node(id).outputs.size(); ++o) {
      // The walk never comes back to a node, so all its readers have spoken.
      dy.push_back(sum(graph, id, arrived[{id, static_cast<int32_t>(o)}]));
      any = any || dy.back() != Value{};
    }
    const auto loss = losses.find(id);
    const Node& n = graph.node(id);
    if (any && is_loss(n.op)) {
      throw UserError(where(n) + " is read by an operator on the way to another loss",
                      "give each loss to net.loss, which sums them with their weights");
    }
    if (!any && loss == losses.end()) {
      // A normalisation counts what flows through the moments of its own input.
      if (is_moments(n.op)) continue;
      throw InternalError(where(n) + ": no gradient arrived");
    }
    if (std::holds_alternative<ops::Parameter>(n.op)) {
      parameter_gradients[id] = dy[0];
      continue;
    }
    std::vector<bool> wanted;
    for (Value v : n.inputs) wanted.push_back(active[index(v.node)]);
    const std::vector<Value> inputs = n.inputs;
    GradientContext context(graph, id, std::move(wanted), std::move(dy),
                            loss == losses.end() ? 0 : loss->second);
    gradient(n.op, context);
    for (const auto& [input, value] : context.gradients()) {
      arrived[inputs[input]].push_back(value);
    }
  }
  return parameter_gradients;
}

}  // namespace

bool differentiate(Program& program, const PassContext& context) {
  for (const Node& n : program.graph.nodes()) {
    if (std::holds_alternative<ops::Update>(n.op)) {
      throw InternalError("network '" + std::string(program.graph.name.view()) +
                          "' is already differentiated");
    }
  }
  const Graph forward =
      training_form(program.graph, frozen_parameters(program.graph, context.freeze));
  const std::map<int32_t, float> losses = loss_weights(forward);
  const std::vector<bool> frozen = frozen_parameters(forward, context.freeze);
  const std::vector<bool> active = active_nodes(forward, frozen, losses);

  Graph graph = copy_forward(forward, active);
  std::vector<Value> inputs;
  std::vector<Value> gradients;
  for (const auto& [parameter, value] : append_backward(graph, active, losses)) {
    inputs.push_back({parameter, 0});
    gradients.push_back(value);
  }
  if (inputs.empty()) {
    throw UserError("network '" + std::string(forward.name.view()) +
                        "' has no parameter to train: its losses depend on none that is not frozen",
                    context.freeze.empty() ? "give net.loss a value that comes out of a layer"
                                           : "freeze fewer parameters");
  }
  inputs.insert(inputs.end(), gradients.begin(), gradients.end());
  graph.add(ops::Update{.optimizer = context.optimizer}, std::move(inputs), "update", {});
  program.graph = std::move(graph);
  return true;
}

}  // namespace halcyon::compiler
