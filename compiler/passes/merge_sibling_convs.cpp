/// 1x1 convolutions of one input, as an inception module has them, become one convolution and
/// slices of its result: the input is read once, and small ones no longer have a loop of their own.
///
///     x -> conv a -> relu -> concat           x -> conv [ b | c | a ] -> relu -> slices b, c, a
///     x -> conv b -> relu -> conv
///     x -> conv c -> relu -> conv
///
/// The filters are stacked once, when they are known, each layer's filled up to whole vectors so
/// that every slice can be read in place. Functions behind the convolutions move in front of the
/// slices where they are all the same one. What a concat begins with comes last: then the concat
/// can lie in the same buffer (share_buffers.cpp).

#include <algorithm>

#include "compiler/ops/formula.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace halcyon::compiler {

using namespace dsl;

namespace {

/// A convolution and the function that alone reads its result.
struct Branch {
  int32_t conv = 0;
  int32_t last = 0;  ///< the function, or the convolution
  bool begins_concat = false;
};

class SiblingMerger {
 public:
  SiblingMerger(const Graph& graph, int64_t vector_width)
      : graph_(graph), users_(users_of(graph)), width_(vector_width) {
    for (const auto& [x, readers] : users_) {
      std::vector<Branch> family;
      for (int32_t id : readers) {
        if (!can_merge(id, x)) continue;
        const Branch branch = branch_of(id);
        if (family.empty() || are_alike(family.front(), branch)) family.push_back(branch);
      }
      if (family.size() < 2) continue;
      std::stable_sort(family.begin(), family.end(), [](const Branch& a, const Branch& b) {
        return a.begins_concat < b.begins_concat;
      });
      for (const Branch& branch : family) family_of_[branch.last] = families_.size();
      families_.push_back(family);
    }
  }

  bool finds_any() const { return !families_.empty(); }

  /// In the place of the first branch of a family all of it.
  Rewriter::Values merge(int32_t id, const Rewriter::Now& now, Graph& copy) {
    const auto it = family_of_.find(id);
    if (it == family_of_.end()) return {};
    if (!slices_.contains(id)) add_merged(families_[it->second], now, copy);
    return {slices_.at(id)};
  }

 private:
  bool can_merge(int32_t id, Value x) const {
    const Node& node = graph_.node(id);
    const auto* conv = std::get_if<ops::Conv>(&node.op);
    if (conv == nullptr || !(node.inputs[0] == x) || conv->groups != 1) return false;
    for (int axis = 0; axis < node.outputs[0].spatial_rank(); ++axis) {
      const bool pads = conv->pad_begin[axis] != 0 || conv->pad_end[axis] != 0;
      if (conv->kernel[axis] != 1 || pads) return false;
    }
    // A slice begins with a block of its own form.
    return natural_block(conv->filters, width_) == width_;
  }

  Branch branch_of(int32_t id) const {
    Branch branch{id, id, false};
    const Value y{id, 0};
    const auto readers = users_.find(y);
    if (readers != users_.end() && readers->second.size() == 1 && !is_result(graph_, y)) {
      const Node& next = graph_.node(readers->second[0]);
      if (std::holds_alternative<ops::Pointwise>(next.op) && next.inputs.size() == 1)
        branch.last = readers->second[0];
    }
    const auto last_readers = users_.find({branch.last, 0});
    if (last_readers == users_.end()) return branch;
    for (int32_t reader : last_readers->second) {
      const Node& node = graph_.node(reader);
      branch.begins_concat |=
          std::holds_alternative<ops::Concat>(node.op) && node.inputs[0] == Value{branch.last, 0};
    }
    return branch;
  }

  const Op* function_of(const Branch& branch) const {
    return branch.last == branch.conv ? nullptr : &graph_.node(branch.last).op;
  }

  bool are_alike(const Branch& a, const Branch& b) const {
    const Node &first = graph_.node(a.conv), &second = graph_.node(b.conv);
    auto op = std::get<ops::Conv>(first.op);
    op.filters = std::get<ops::Conv>(second.op).filters;
    if (!(op == std::get<ops::Conv>(second.op))) return false;
    if (first.inputs.size() != second.inputs.size()) return false;
    const Op *f = function_of(a), *g = function_of(b);
    if ((f == nullptr) != (g == nullptr) || (f != nullptr && !(*f == *g))) return false;
    // Filled filters give 0, and so must what follows.
    const int64_t filters = first.outputs[0][1], others = second.outputs[0][1];
    const bool filled = filters % width_ != 0 || others % width_ != 0;
    return f == nullptr || !filled || vanishes(std::get<ops::Pointwise>(*f).formula, {false});
  }

  /// "a+b+c", or as much of it as leaves room for what is added to it.
  FixedString name_of(const std::vector<Branch>& family, int32_t Branch::*part) const {
    FixedString name = graph_.node(family[0].*part).name;
    for (std::size_t i = 1; i < family.size(); ++i) {
      const FixedString& next = graph_.node(family[i].*part).name;
      if (name.size + next.size + 16u > FixedString::kCapacity) {
        name.append("+");
        name.append(static_cast<int64_t>(family.size() - i));
        break;
      }
      name.append("+");
      name.append(next.view());
    }
    return name;
  }

  void add_merged(const std::vector<Branch>& family, const Rewriter::Now& now, Graph& copy) {
    const Node& first = graph_.node(family.front().conv);
    const ops::StackFilters stack{.block = width_};
    const FixedString name = name_of(family, &Branch::conv);
    const auto add = [&](const Op& op, std::vector<Value> in, const char* member) {
      FixedString full = name;
      full.append(member);
      return Value{copy.add(op, std::move(in), full, first.place), 0};
    };
    std::vector<Value> inputs = {now.at(first.inputs[0])};
    constexpr const char* kMembers[] = {"", ".weight", ".bias"};
    for (std::size_t i = 1; i < first.inputs.size(); ++i) {
      std::vector<Value> parts;
      for (const Branch& branch : family)
        parts.push_back(now.at(graph_.node(branch.conv).inputs[i]));
      inputs.push_back(add(stack, parts, kMembers[i]));
    }
    auto conv = std::get<ops::Conv>(first.op);
    conv.filters = copy.shape(inputs[1])[0];
    Value y = add(conv, inputs, "");
    if (const Op* function = function_of(family.front()))
      y = {copy.add(*function, {y}, name_of(family, &Branch::last), first.place), 0};

    ops::Slice slice{.begin = {0}, .end = {0}, .step = 1};
    const Shape shape = copy.shape(y);
    for (int axis = 0; axis < shape.spatial_rank(); ++axis) {
      slice.begin.push_back(0);
      slice.end.push_back(shape.spatial(axis));
    }
    for (const Branch& branch : family) {
      const Node& last = graph_.node(branch.last);
      slice.end[0] = slice.begin[0] + last.outputs[0][1];
      slices_[branch.last] = {copy.add(slice, {y}, last.name, last.place), 0};
      slice.begin[0] += stack.filled(last.outputs[0][1]);
    }
  }

  const Graph& graph_;
  std::map<Value, std::vector<int32_t>> users_;
  int64_t width_;
  std::vector<std::vector<Branch>> families_;
  std::map<int32_t, std::size_t> family_of_;
  std::map<int32_t, Value> slices_;
};

}  // namespace

bool merge_sibling_convs(Program& program, const PassContext& context) {
  const int64_t width = context.target.vector_width;
  if (!SiblingMerger(program.graph, width).finds_any()) return false;
  // A merged convolution stands where its first part stood, in front of the others' weights.
  const Graph graph = with_parameters_first(program.graph);
  SiblingMerger merger(graph, width);
  Rewriter rewriter(graph, [&](int32_t id, const Rewriter::Now& now, Graph& copy) {
    return merger.merge(id, now, copy);
  });
  program.graph = rewriter.take();
  remove_unneeded(program.graph);
  return true;
}

}  // namespace halcyon::compiler
