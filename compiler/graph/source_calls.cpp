/// The words for nodes that have no parameters of their own.

#include <algorithm>
#include <string_view>

#include "compiler/graph/source_layers.h"
#include "compiler/graph/source_steps.h"
#include "compiler/graph/source_words.h"
#include "dsl/layers.h"
#include "dsl/norm_layers.h"

namespace halcyon::compiler {

namespace {

namespace ops = dsl::ops;
using dsl::Graph;
using dsl::Node;
using dsl::Spatial;
using NameAs = SourceWords::NameAs;
using Words = std::vector<SourceWords>;

std::string option(const char* name, const std::string& value) {
  return "." + std::string(name) + " = " + value;
}

/// "{\1, \1}"
std::string input_list(std::size_t count) {
  return words::list(std::vector<std::string>(count, std::string(1, kInputMark)));
}

std::vector<std::string> input_marks(std::size_t count) {
  return std::vector<std::string>(count, std::string(1, kInputMark));
}

/// The options of a pool that differ from their defaults.
std::vector<std::string> pool_options(const ops::PoolWindow& op, const Shape& x) {
  std::vector<std::string> all;
  if (!(op.stride == op.kernel)) all.push_back(option("stride", words::per_axis(op.stride)));
  const dsl::Padding same =
      dsl::detail::resolve_padding(dsl::same, x, op.kernel, op.stride, op.dilation);
  const bool is_same =
      !(op.pad_begin == op.pad_end) && same.begin == op.pad_begin && same.end == op.pad_end;
  const std::string pad = is_same ? "same" : words::padding(op.pad_begin, op.pad_end);
  if (pad != "0") all.push_back(option("pad", pad));
  if (words::per_axis(op.dilation) != "1") {
    all.push_back(option("dilation", words::per_axis(op.dilation)));
  }
  if (op.ceil) all.push_back(option("ceil", "true"));
  return all;
}

/// One number for each axis, as the layers give them.
bool is_per_axis(const ops::PoolWindow& op, const Shape& x) {
  for (const Spatial* numbers :
       {&op.kernel, &op.stride, &op.dilation, &op.pad_begin, &op.pad_end}) {
    Spatial full = *numbers;
    for (int axis = full.rank; axis < 3; ++axis) full.values[static_cast<std::size_t>(axis)] = 0;
    if (full.rank != x.spatial_rank() || !(full == *numbers)) return false;
  }
  return true;
}

/// What has no layer, or not with these numbers: apply(ops::Slice{...}, {x}).
Words say_operator(const dsl::Op& op, std::size_t inputs) {
  const std::string text = words::operation(op);
  if (text.empty() || inputs == 0) return {};
  return {{.kind = std::string(dsl::name_of(op)),
           .callee = "apply",
           .arguments = {text, input_list(inputs)},
           .name_as = NameAs::argument,
           .is_layer = false}};
}

struct Caller {
  const Graph& graph;
  const Node& node;
  const Shape& x;

  Words general() const { return say_operator(node.op, node.inputs.size()); }

  template <class Op>
  Words operator()(const Op&) const {
    return general();
  }

  Words operator()(const ops::MaxPool& op) const {
    if (!is_per_axis(op, x) || op.with_argmax) return general();
    return {{"pool", "max_pool", {words::per_axis(op.kernel)}, pool_options(op, x)}};
  }
  Words operator()(const ops::AveragePool& op) const {
    if (!is_per_axis(op, x)) return general();
    std::vector<std::string> options = pool_options(op, x);
    if (op.count_padding) options.push_back(option("count_padding", "true"));
    return {{"pool", "average_pool", {words::per_axis(op.kernel)}, options}};
  }

  Words operator()(const ops::Flatten&) const { return plain("flatten"); }
  Words operator()(const ops::Softmax&) const { return plain("softmax"); }
  static Words plain(const char* name) {
    return {{.kind = name, .callee = name, .name_as = NameAs::wrapper}};
  }

  Words operator()(const ops::Concat& op) const {
    std::vector<std::string> arguments = {input_list(node.inputs.size())};
    if (op.axis != 1) arguments.push_back(words::number(op.axis));
    return call("concat", arguments);
  }
  Words operator()(const ops::SoftmaxCrossEntropy&) const { return call("softmax_cross_entropy"); }
  Words operator()(const ops::MeanSquare&) const { return call("mean_square"); }
  Words call(const char* name) const { return call(name, input_marks(node.inputs.size())); }
  static Words call(const char* name, const std::vector<std::string>& arguments) {
    return {{.kind = name,
             .callee = name,
             .arguments = arguments,
             .name_as = NameAs::argument,
             .is_layer = false}};
  }

  Words operator()(const ops::Reduce& op) const {
    std::vector<std::string> options;
    if (!op.keep_dims) options.push_back(option("keep_dims", "false"));
    Words all;
    bool is_global = x.rank > 2 && op.axes.rank == x.rank - 2;
    for (int i = 0; i < op.axes.rank; ++i) is_global = is_global && op.axes[i] == i + 2;
    if (is_global && op.kind == ops::ReduceKind::mean) {
      all.push_back({"pool", "global_average_pool", {}, options});
    }
    if (is_global && op.kind == ops::ReduceKind::max) {
      all.push_back({"pool", "global_max_pool", {}, options});
    }
    const std::string kind(dsl::names_of(op.kind).at(static_cast<std::size_t>(op.kind)));
    all.push_back(
        {"reduce", "reduce", {"ops::ReduceKind::" + kind, words::extents(op.axes, 0)}, options});
    return all;
  }

  Words operator()(const ops::L2Normalize& op) const {
    std::vector<std::string> options;
    if (op.epsilon != dsl::L2NormalizeOptions{}.epsilon) {
      options.push_back(option("epsilon", words::number(op.epsilon)));
    }
    return {{"l2_normalize", "l2_normalize", {}, options}};
  }

  Words operator()(const ops::LocalResponseNorm& op) const {
    const dsl::ResponseNormOptions usual;
    std::vector<std::string> options;
    if (op.alpha != usual.alpha) options.push_back(option("alpha", words::number(op.alpha)));
    if (op.beta != usual.beta) options.push_back(option("beta", words::number(op.beta)));
    if (op.bias != usual.bias) options.push_back(option("bias", words::number(op.bias)));
    if (op.across != usual.across) {
      options.push_back(option("across", "ops::Neighbours::positions"));
    }
    return {{"local_response_norm", "local_response_norm", {words::number(op.size)}, options}};
  }

  Words operator()(const ops::LogSoftmax&) const {
    return {{.kind = "log_softmax", .callee = "log_softmax", .name_as = NameAs::argument}};
  }

  Words operator()(const ops::Dropout& op) const {
    return {{.kind = "dropout",
             .callee = "dropout",
             .arguments = {words::number(op.probability)},
             .name_as = NameAs::argument}};
  }

  Words operator()(const ops::MatMul& op) const {
    std::vector<std::string> options;
    if (op.transpose_a) options.push_back(option("transpose_a", "true"));
    if (op.transpose_b) options.push_back(option("transpose_b", "true"));
    return {{.kind = "matmul",
             .callee = "matmul",
             .arguments = input_marks(2),
             .options = options,
             .is_layer = false}};
  }

  Words operator()(const ops::Pad& op) const {
    const dsl::SampleAxes none = 0;
    const int axes = x.spatial_rank() + 1;
    if (!(op.between == none) || op.begin.rank != axes || op.end.rank != axes || axes < 2) {
      return general();
    }
    Spatial begin, end;
    for (int axis = 1; axis < axes; ++axis) {
      begin.push_back(op.begin[axis]);
      end.push_back(op.end[axis]);
    }
    std::vector<std::string> options;
    if (op.mode != ops::PadMode::constant) {
      options.push_back(option(
          "mode", op.mode == ops::PadMode::edge ? "ops::PadMode::edge" : "ops::PadMode::reflect"));
    }
    if (op.value != 0) options.push_back(option("value", words::number(op.value)));
    if (op.begin[0] != 0) {
      options.push_back(option("channels_begin", words::number(op.begin[0])));
    }
    if (op.end[0] != 0) options.push_back(option("channels_end", words::number(op.end[0])));
    return {{"pad", "pad", {words::padding(begin, end)}, options}};
  }

  Words operator()(const ops::Slice& op) const {
    const ops::Slice whole = dsl::detail::whole(x);
    if (op.begin.rank != x.rank - 1 || op.end.rank != x.rank - 1 || op.step.rank != x.rank - 1) {
      return general();
    }
    std::vector<int> cut;
    bool has_steps = false;
    for (int axis = 0; axis < x.rank - 1; ++axis) {
      const bool is_whole = op.begin[axis] == whole.begin[axis] &&
                            op.end[axis] == whole.end[axis] && op.step[axis] == 1;
      if (!is_whole) cut.push_back(axis);
      has_steps = has_steps || op.step[axis] != 1;
    }
    if (cut.size() > 1) return cut[0] == 0 || has_steps ? general() : crop(op);
    const int axis = cut.empty() ? 0 : cut[0];
    std::vector<std::string> options;
    if (op.step[axis] != 1) options.push_back(option("step", words::number(op.step[axis])));
    return {{"slice",
             "slice",
             {words::number(int64_t{axis} + 1), words::number(op.begin[axis]),
              words::number(op.end[axis])},
             options}};
  }

  Words crop(const ops::Slice& op) const {
    Spatial begin, end;
    for (int axis = 1; axis < x.rank - 1; ++axis) {
      begin.push_back(op.begin[axis]);
      end.push_back(x[axis + 1] - op.end[axis]);
    }
    return {{.kind = "slice",
             .callee = "crop",
             .arguments = {words::padding(begin, end)},
             .name_as = NameAs::argument}};
  }

  Words operator()(const ops::Reshape& op) const {
    return {{.kind = "reshape",
             .callee = "reshape",
             .arguments = {words::extents(op.shape, 1)},
             .name_as = NameAs::argument}};
  }

  Words operator()(const ops::Transpose& op) const {
    std::vector<std::string> axes;
    for (int i = 0; i < op.permutation.rank; ++i) axes.push_back(words::number(op.permutation[i]));
    return {{.kind = "transpose",
             .callee = "transpose",
             .arguments = {words::list(axes)},
             .name_as = NameAs::argument}};
  }

  Words operator()(const ops::ChannelShuffle& op) const {
    return {{.kind = "channel_shuffle",
             .callee = "channel_shuffle",
             .arguments = {words::number(op.groups)},
             .name_as = NameAs::argument}};
  }

  Words operator()(const ops::DepthToSpace& op) const {
    return say_depth("depth_to_space", op.block, op.order);
  }
  Words operator()(const ops::SpaceToDepth& op) const {
    return say_depth("space_to_depth", op.block, op.order);
  }
  static Words say_depth(const char* name, int64_t block, ops::DepthOrder order) {
    SourceWords depth = {.kind = name,
                         .callee = name,
                         .arguments = {words::number(block)},
                         .name_as = NameAs::argument};
    if (order == ops::DepthOrder::crd) {
      depth.arguments.emplace_back("ops::DepthOrder::crd");
    } else {
      depth.before_name = "ops::DepthOrder::dcr";
    }
    return {depth};
  }

  Words operator()(const ops::Resize& op) const {
    const dsl::ResizeOptions usual;
    std::vector<std::string> options;
    const auto add = [&](const char* name, const char* type, auto value, auto otherwise) {
      if (value == otherwise) return;
      const std::string word(dsl::names_of(value).at(static_cast<std::size_t>(value)));
      options.push_back(option(name, std::string(type) + "::" + word));
    };
    add("interpolation", "ops::Interpolation", op.interpolation, usual.interpolation);
    add("coordinates", "ops::Coordinates", op.coordinates, usual.coordinates);
    add("rounding", "ops::Rounding", op.rounding, usual.rounding);
    const bool has_size = !(op.size == Spatial(0));
    const bool has_scale = !(op.scale == dsl::SpatialScale(0));
    if (has_size == has_scale) return general();
    if (has_scale) {
      std::vector<std::string> factors;
      for (int axis = 0; axis < op.scale.rank; ++axis) {
        factors.push_back(words::number(op.scale[axis]));
      }
      const std::string all = factors.empty() ? words::number(op.scale[0]) : words::list(factors);
      return {{"resize", "rescale", {all}, options}};
    }
    std::vector<std::string> extents;
    for (int axis = 0; axis < op.size.rank; ++axis) extents.push_back(words::number(op.size[axis]));
    const std::string size = extents.empty() ? words::number(op.size[0]) : words::list(extents);
    return {{"resize", "resize", {size}, options}};
  }

  Words operator()(const ops::Pointwise& op) const {
    const std::string kind(dsl::name_of(dsl::Op(op)));
    if (const auto use = dsl::read_as_function(op.function, op.formula)) {
      return say_function(*use, kind);
    }
    const dsl::Formula power =
        op.formula.size == 3 ? dsl::pow(dsl::Scalar::input(0), op.formula.terms[1].value).formula
                             : dsl::Formula{};
    if (op.function.view() == "pow" && op.formula == power) {
      return {{"pow", "pow", {words::number(op.formula.terms[1].value)}}};
    }
    SourceWords custom = {
        .kind = kind,
        .callee = "custom",
        .arguments = {words::quoted(op.function.view()),
                      words::function(op.formula, static_cast<int>(node.inputs.size()))},
        .name_as = NameAs::pair};
    if (node.inputs.size() > 1) {
      custom.is_layer = false;
      for (std::string& mark : input_marks(node.inputs.size())) custom.arguments.push_back(mark);
    }
    return {custom};
  }

  /// A row of the table in dsl/functions.h.
  Words say_function(const dsl::FunctionUse& use, const std::string& kind) const {
    const dsl::Function& function = *use.function;
    if (function.unary) {
      return {{.kind = kind, .callee = kind, .name_as = NameAs::wrapper}};
    }
    if (function.binary) {
      // There is no call of two tensors: the layer brings its own slope.
      if (kind == "prelu") return general_binary(kind);
      return call_named(kind);
    }
    std::size_t count = function.parameter_count();
    while (count > 0 && use.values[count - 1] == function.parameters[count - 1].value &&
           kind != "clip") {
      --count;
    }
    std::vector<std::string> arguments;
    for (std::size_t i = 0; i < function.parameter_count(); ++i) {
      arguments.push_back(words::number(use.values[i]));
    }
    arguments.resize(count);
    return {{.kind = kind, .callee = kind, .arguments = arguments}};
  }

  Words call_named(const std::string& kind) const {
    return {{.kind = kind,
             .callee = kind,
             .arguments = input_marks(2),
             .name_as = NameAs::argument,
             .is_layer = false}};
  }
  Words general_binary(const std::string& kind) const {
    return {{.kind = kind,
             .callee = "custom",
             .arguments = {words::quoted(kind),
                           "[](Scalar x, Scalar slope) { return prelu(x, "
                           "slope); }",
                           std::string(1, kInputMark), std::string(1, kInputMark)},
             .name_as = NameAs::pair,
             .is_layer = false}};
  }

  Words operator()(const ops::Stencil& op) const {
    std::vector<std::string> options;
    if (op.border == dsl::Border::edge) options.push_back(option("border", "Border::edge"));
    return {{std::string(op.function.view()),
             "custom",
             {words::quoted(op.function.view()), words::function(op.formula)},
             options}};
  }
};

}  // namespace

Words call_words(const Graph& graph, int32_t id) {
  const Node& node = graph.node(id);
  const Shape x = node.inputs.empty() ? Shape{} : graph.shape(node.inputs[0]);
  if (node.outputs.empty()) return {};
  return std::visit(Caller{graph, node, x}, node.op);
}

}  // namespace halcyon::compiler
