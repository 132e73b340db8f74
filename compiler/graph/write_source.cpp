#include "compiler/graph/write_source.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "compiler/graph/source_steps.h"
#include "compiler/graph/source_words.h"

namespace halcyon::compiler {

namespace {

using dsl::Value;
using Form = SourceStep::Form;

/// Which variable holds which value. A variable whose value nobody needs any more is used again, so
/// that the main path of a network stays in x.
class Variables {
 public:
  /// A variable for `value`, `first` if that is free.
  std::string assign(Value value, const std::string& first,
                     const std::map<Value, int64_t>& uses_left) {
    const auto is_free = [&](const std::string& name) {
      const auto held = holds_.find(name);
      if (held == holds_.end()) return true;
      // Other outputs of a node are reached through its first one.
      return std::ranges::none_of(uses_left, [&](const auto& use) {
        return use.first.node == held->second.node && use.second > 0;
      });
    };
    std::string name = first;
    for (int i = 0; name.empty() || !is_free(name); ++i) name = numbered(i);
    holds_[name] = value;
    of_[value.node] = name;
    ++assigned_[name];
    return name;
  }

  bool has(Value value) const { return of_.contains(value.node); }

  std::string name_of(Value value) const {
    const std::string& name = of_.at(value.node);
    return value.output == 0 ? name : name + ".output(" + std::to_string(value.output) + ")";
  }

  /// How often it is given a value.
  int64_t assigned(const std::string& name) const { return assigned_.at(name); }

 private:
  /// x, a, b, ..., then x2, a2, ...
  static std::string numbered(int i) {
    constexpr std::string_view kLetters =
        "xabcdefghijklmopqrstuvwyz";  // n is the batch in people's minds
    const auto letter = static_cast<std::size_t>(i) % kLetters.size();
    const std::size_t round = static_cast<std::size_t>(i) / kLetters.size();
    return std::string(1, kLetters[letter]) + (round > 0 ? std::to_string(round + 1) : "");
  }

  std::map<std::string, Value> holds_;
  std::map<int32_t, std::string> of_;
  std::map<std::string, int64_t> assigned_;
};

/// "x = expression;", or a statement without a variable.
struct Statement {
  std::string variable;
  std::string expression;
};

/// Takes an option out of a call's text.
bool take_out(std::string& call, const std::string& option) {
  for (const std::string& whole : {", {" + option + "}", option + ", ", ", " + option}) {
    const std::size_t at = call.find(whole);
    if (at == call.npos) continue;
    call.erase(at, whole.size());
    return true;
  }
  return false;
}

/// conv | relu is conv_relu, conv | batch_norm | relu is conv_bn_relu: the blocks of dsl/blocks.h
/// that zoo files are written with.
void fold_blocks(std::vector<std::string>& layers) {
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    std::string& layer = layers[i];
    if (!layer.starts_with("conv(")) continue;
    const std::size_t name = layer.find(".name = \"");
    const std::string own =
        name == layer.npos ? "" : layer.substr(name + 9, layer.rfind('"') - name - 9);
    const std::string norm =
        own.empty() ? "batch_norm()" : "batch_norm({.name = \"" + own + ".norm\"})";
    std::string block = layer;
    if (layers[i + 1] == norm && take_out(block, ".bias = false")) {
      const bool has_relu = i + 2 < layers.size() && layers[i + 2] == "relu";
      layer = (has_relu ? "conv_bn_relu" : "conv_bn") + block.substr(4);
      layers.erase(layers.begin() + static_cast<int64_t>(i) + 1,
                   layers.begin() + static_cast<int64_t>(i) + (has_relu ? 3 : 2));
    } else if (layers[i + 1] == "relu") {
      layer = "conv_relu" + layer.substr(4);
      layers.erase(layers.begin() + static_cast<int64_t>(i) + 1);
    }
  }
}

class Writer {
 public:
  Writer(const dsl::Graph& graph, SourceSteps steps) : graph_(graph), steps_(std::move(steps)) {
    for (const SourceStep& step : steps_.steps) {
      for (const Value& value : step.inputs) ++uses_left_[value];
    }
    for (const dsl::Output& output : graph.outputs) ++uses_left_[output.value];
    for (const dsl::Loss& loss : graph.losses) ++uses_left_[loss.value];
  }

  std::string text(const std::string& comment) {
    const auto count = steps_.steps.size();
    for (std::size_t i = 0; i < count;) i = statement(i);
    finish_results(Value{}, {});
    std::string all = comment.empty() ? "" : "/// " + comment + "\n";
    all += "#include <halcyon/dsl.h>\nusing namespace halcyon::dsl;\n\n";
    for (const SourceTable& table : steps_.tables) all += table_text(table) + "\n";
    const std::string function = function_name();
    all += "constexpr Network " + function + "() {\n  Network net(" +
           words::quoted(graph_.name.view()) + ");\n";
    std::set<std::string> declared;
    for (const Statement& s : statements_) {
      std::string line = s.expression + ";";
      if (!s.variable.empty()) {
        const bool is_new = declared.insert(s.variable).second;
        const bool is_const = variables_.assigned(s.variable) == 1;
        line = (is_new ? is_const ? "const Tensor " : "Tensor " : "") + s.variable + " = " + line;
      }
      all += words::wrapped(line, 2);
    }
    return all + "  return net;\n}\n\nHALCYON_NETWORK(" + function + ");\n";
  }

 private:
  std::string function_name() const {
    std::string name(graph_.name.view());
    return words::is_free_name(name) ? name : name + "_network";
  }

  static std::string table_text(const SourceTable& table) {
    std::string text = "constexpr float " + table.name + "[] = {";
    for (std::size_t i = 0; i < table.values->size(); ++i) {
      text += (i > 0 ? ", " : "") + words::number((*table.values)[i]);
    }
    return words::wrapped(text + "};", 0);
  }

  /// How often anybody still reads an output of the node.
  int64_t uses_left(int32_t node) const {
    int64_t count = 0;
    for (auto use = uses_left_.lower_bound({node, 0});
         use != uses_left_.end() && use->first.node == node; ++use) {
      count += use->second;
    }
    return count;
  }

  /// The statement that begins with this step; returns the step behind it.
  std::size_t statement(std::size_t i) {
    const SourceStep& first = steps_.steps[i];
    if (first.form == Form::source && stands_inside_next(i)) {
      inside_[first.node] = first.text;
      return i + 1;
    }
    if (first.form == Form::input || first.form == Form::source) {
      return finish(i + 1, first, {first.text}, {});
    }
    std::string from;
    std::vector<std::string> layers;
    if (first.form == Form::layer) {
      from = variables_.name_of({first.inputs[0].node, 0});
      layers = {read(first.inputs[0]), first.text};
    } else {
      layers = {call_text(first)};
    }
    const SourceStep* last = &first;
    std::size_t next = i + 1;
    // A value that the next layer alone reads needs no variable.
    while (next < steps_.steps.size() && continues(*last, steps_.steps[next])) {
      last = &steps_.steps[next++];
      --uses_left_[last->inputs[0]];
      layers.push_back(last->text);
    }
    fold_blocks(layers);
    return finish(next, *last, layers, from);
  }

  bool continues(const SourceStep& last, const SourceStep& next) const {
    return next.form == Form::layer && next.inputs[0] == Value{last.node, 0} &&
           uses_left(last.node) == 1;
  }

  /// A parameter, label or constant that the next call alone reads, once.
  bool stands_inside_next(std::size_t i) const {
    if (i + 1 >= steps_.steps.size()) return false;
    const SourceStep& next = steps_.steps[i + 1];
    return next.form == Form::call && uses_left(steps_.steps[i].node) == 1 &&
           std::ranges::count(next.inputs, Value{steps_.steps[i].node, 0}) == 1;
  }

  std::string call_text(const SourceStep& step) {
    std::string text;
    std::size_t input = 0;
    for (const char c : step.text) {
      if (c != kInputMark) {
        text += c;
        continue;
      }
      text += read(step.inputs[input++]);
    }
    return text;
  }

  std::string read(Value value) {
    --uses_left_[value];
    const auto inside = inside_.find(value.node);
    return inside == inside_.end() ? variables_.name_of(value) : inside->second;
  }

  /// Puts the value where it is needed: into an output or loss that alone reads it, else into a
  /// variable.
  std::size_t finish(std::size_t next, const SourceStep& last,
                     const std::vector<std::string>& layers, const std::string& from) {
    const Value value{last.node, 0};
    std::string expression;
    for (const std::string& layer : layers) expression += (expression.empty() ? "" : " | ") + layer;
    if (layers.size() <= 2 && uses_left(value.node) == 1 && finish_results(value, expression))
      return next;
    const std::string variable = variables_.assign(value, from, uses_left_);
    statements_.push_back({variable, expression});
    finish_results(Value{}, {});
    return next;
  }

  /// Says outputs and losses in their order as far as their values are there; `expression` is that
  /// of `value`, which has no variable. Returns whether it was used.
  bool finish_results(Value value, const std::string& expression) {
    bool used = false;
    const auto text_of = [&](Value result) -> std::string {
      if (result == value && !expression.empty()) {
        used = true;
        --uses_left_[result];
        return expression;
      }
      return read(result);
    };
    const auto is_there = [&](Value result) {
      return (result == value && !expression.empty()) || variables_.has(result);
    };
    for (; next_output_ < graph_.outputs.size(); ++next_output_) {
      const dsl::Output& output = graph_.outputs[next_output_];
      if (!is_there(output.value)) break;
      const std::string name = words::quoted(output.name.view());
      const std::string order = output.channels_last ? "" : ", Order::chw";
      statements_.push_back(
          {"", "net.output(" + name + ", " + text_of(output.value) + order + ")"});
    }
    for (; next_loss_ < graph_.losses.size(); ++next_loss_) {
      const dsl::Loss& loss = graph_.losses[next_loss_];
      if (!is_there(loss.value)) break;
      const std::string weight = loss.weight == 1 ? "" : ", " + words::number(loss.weight);
      const std::string name = words::quoted(loss.name.view());
      statements_.push_back({"", "net.loss(" + name + ", " + text_of(loss.value) + weight + ")"});
    }
    return used;
  }

  const dsl::Graph& graph_;
  SourceSteps steps_;
  std::map<Value, int64_t> uses_left_;
  std::map<int32_t, std::string> inside_;
  Variables variables_;
  std::vector<Statement> statements_;
  std::size_t next_output_ = 0, next_loss_ = 0;
};

}  // namespace

std::string write_source(const dsl::Graph& graph, const std::string& comment) {
  return Writer(graph, source_steps(graph)).text(comment);
}

}  // namespace halcyon::compiler
