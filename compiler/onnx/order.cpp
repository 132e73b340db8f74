#include "compiler/onnx/order.h"

#include <map>

#include "runtime/base/error.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

using onnx::GraphProto;
using onnx::NodeProto;
using runtime::quote;

std::string where(const GraphProto& graph, int index) {
  const NodeProto& node = graph.node(index);
  return "node " + std::to_string(index) + (node.name().empty() ? "" : " " + quote(node.name())) +
         " (" + node.op_type().substr(0, 60) + ")";
}

class Ordering {
 public:
  explicit Ordering(const GraphProto& graph) : graph_(graph) {
    for (const onnx::ValueInfoProto& input : graph.input()) {
      if (!outside_.insert(input.name()).second) {
        throw UserError("has two inputs " + quote(input.name()));
      }
    }
    std::set<std::string> stored;
    for (const onnx::TensorProto& tensor : graph.initializer()) {
      // Older models list their weights among the inputs, too.
      if (!stored.insert(tensor.name()).second) {
        throw UserError("has two initializers " + quote(tensor.name()));
      }
      outside_.insert(tensor.name());
    }
    if (graph.sparse_initializer_size() > 0) throw UserError("has sparse initializers");
    for (int index = 0; index < graph.node_size(); ++index) {
      for (const std::string& output : graph.node(index).output()) {
        if (output.empty()) continue;
        if (outside_.contains(output) || !maker_.emplace(output, index).second) {
          throw UserError(where(graph, index) + ": tensor " + quote(output) +
                          " is made a second time");
        }
      }
    }
    state_.resize(static_cast<std::size_t>(graph.node_size()));
  }

  NodeOrder run() {
    std::set<std::string> names;
    for (const onnx::ValueInfoProto& output : graph_.output()) {
      if (!names.insert(output.name()).second) {
        throw UserError("has two outputs " + quote(output.name()));
      }
      order_.used.insert(output.name());
      if (outside_.contains(output.name())) continue;
      const auto maker = maker_.find(output.name());
      if (maker == maker_.end()) {
        throw UserError("output " + quote(output.name()) + " is made by no node");
      }
      visit(maker->second);
    }
    // In the model's own order, as far as that is one.
    if (is_ordered()) {
      order_.nodes.clear();
      for (int index = 0; index < graph_.node_size(); ++index) {
        if (state_[static_cast<std::size_t>(index)] == State::done) order_.nodes.push_back(index);
      }
    }
    return std::move(order_);
  }

 private:
  enum class State { unseen, open, done };

  struct Step {
    int index;
    int next_input = 0;
  };

  // Without recursion: a chain of a million nodes is no reason to run out of stack.
  void visit(int root) {
    std::vector<Step> path = {{root}};
    if (state_[static_cast<std::size_t>(root)] != State::unseen) return;
    state_[static_cast<std::size_t>(root)] = State::open;
    while (!path.empty()) {
      Step& step = path.back();
      const NodeProto& node = graph_.node(step.index);
      if (step.next_input == node.input_size()) {
        state_[static_cast<std::size_t>(step.index)] = State::done;
        order_.nodes.push_back(step.index);
        path.pop_back();
        continue;
      }
      const std::string& input = node.input(step.next_input++);
      if (input.empty()) continue;
      order_.used.insert(input);
      if (outside_.contains(input)) continue;
      const auto maker = maker_.find(input);
      if (maker == maker_.end()) {
        throw UserError(where(graph_, step.index) + ": input " + quote(input) +
                        " is made by no node, and is no input of the model");
      }
      State& state = state_[static_cast<std::size_t>(maker->second)];
      if (state == State::open) {
        throw UserError(where(graph_, step.index) + ": reads " + quote(input) +
                        ", which depends on what this node makes: a cycle");
      }
      if (state == State::done) continue;
      state = State::open;
      path.push_back({maker->second});
    }
  }

  bool is_ordered() const {
    for (int index = 0; index < graph_.node_size(); ++index) {
      if (state_[static_cast<std::size_t>(index)] != State::done) continue;
      for (const std::string& input : graph_.node(index).input()) {
        const auto maker = maker_.find(input);
        if (maker != maker_.end() && maker->second >= index) return false;
      }
    }
    return true;
  }

  const GraphProto& graph_;
  std::set<std::string> outside_;
  std::map<std::string, int> maker_;
  std::vector<State> state_;
  NodeOrder order_;
};

}  // namespace

NodeOrder order_nodes(const GraphProto& graph) { return Ordering(graph).run(); }

}  // namespace halcyon::compiler
