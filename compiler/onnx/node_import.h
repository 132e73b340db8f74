#pragma once
/// One node of an ONNX model while it is imported: what the rules of operators (op_map.h) work on.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/onnx/attributes.h"
#include "compiler/onnx/builder.h"

namespace halcyon::compiler {

/// An operator needs a value that the model computes or receives. Carries the tensor's name, so
/// that a caller who knows the value can give it.
class NeedsConstant : public UserError {
 public:
  NeedsConstant(const std::string& tensor, const std::string& message, const std::string& hint)
      : UserError(message, hint), tensor(tensor) {}
  std::string tensor;
};

/// Errors of all functions: UserError; the caller puts the node in front.
class NodeImport {
 public:
  NodeImport(Builder& graph, const onnx::NodeProto& of, const std::filesystem::path& folder,
             int64_t version, std::map<std::string, Item>& known, const std::set<std::string>& read)
      : builder(graph),
        node(of),
        attributes(of, folder),
        opset(version),
        items_(known),
        read_(read) {}

  Builder& builder;
  const onnx::NodeProto& node;
  Attributes attributes;
  int64_t opset;

  std::size_t input_count() const { return static_cast<std::size_t>(node.input_size()); }
  std::size_t output_count() const { return static_cast<std::size_t>(node.output_size()); }
  /// Optional inputs may be left out, by an empty name too; outputs, too, and some nobody reads.
  bool has_input(std::size_t i) const { return i < input_count() && !input_name(i).empty(); }
  bool has_output(std::size_t i) const {
    return i < output_count() && read_.contains(node.output(static_cast<int>(i)));
  }

  const Item& item(std::size_t i) const;
  const Dims& dims(std::size_t i) const { return dims_of(item(i)); }
  ElementKind kind(std::size_t i) const;
  bool is_constant(std::size_t i) const { return std::holds_alternative<Array>(item(i)); }
  /// Errors: a value that is computed when the network runs; NeedsConstant.
  const Array& constant(std::size_t i) const;
  /// The same as integers. Errors: another type, the batch among them.
  std::vector<int64_t> integers(std::size_t i) const;
  std::vector<float> reals(std::size_t i) const;
  /// A constant becomes a value of the graph. Errors: integers or truth values where `kind` is
  /// real.
  Symbol symbol(std::size_t i) const;

  void set(const Item& result) { set(0, result); }
  void set(std::size_t output, const Item& result);

  /// An attribute that later versions made an input: axes, pads, ...; nothing where neither stands.
  std::optional<std::vector<int64_t>> integers_of(const std::string& attribute, std::size_t input);

  /// Axis numbers may count from the end. Errors: one that a tensor of that rank does not have.
  static int64_t axis_of(int64_t axis, std::size_t rank);

 private:
  const std::string& input_name(std::size_t i) const { return node.input(static_cast<int>(i)); }

  std::map<std::string, Item>& items_;
  const std::set<std::string>& read_;
};

// ---- what several rules are made of

/// Shape that the operands of an elementwise operator are repeated to. Errors: extents that differ.
Dims broadcast(const Dims& a, const Dims& b);

/// formula(items...) at every position, repeated as ONNX does.
/// `integers` is what it means for two whole numbers, where that is something else; `function` is
/// for people.
struct Elementwise {
  std::string function;
  std::function<dsl::Scalar(std::span<const dsl::Scalar>)> formula;
  std::function<int64_t(int64_t, int64_t)> integers = {};
  std::optional<ElementKind> result = {};  ///< nothing: that of the operands
};
Item elementwise(NodeImport& node, const Elementwise& op, const std::vector<Item>& items);
/// Of symbols of one shape or shapes that repeat to it.
Symbol elementwise(Builder& builder, const std::string& function,
                   const std::function<dsl::Scalar(std::span<const dsl::Scalar>)>& formula,
                   const std::vector<Item>& items);

/// The same values as another type, as Cast does it.
Item as_kind(Builder& builder, const Item& item, ElementKind to);

/// Sums, maxima, ... over some axes of the tensor.
Symbol reduce(Builder& builder, dsl::ops::ReduceKind kind, const Symbol& x,
              const std::vector<int64_t>& axes, bool keep_dims);

Symbol transpose(Builder& builder, const Symbol& x, const std::vector<int64_t>& permutation);

/// begin, end and step of one axis, as ops::Slice has them.
struct Range {
  int64_t begin = 0, end = 0, step = 1;
};
Symbol slice(Builder& builder, const Symbol& x, int64_t axis, const Range& range);
/// Every run along an axis, of C values, times the matrix [K,C]: that axis then has K.
Symbol along_axis(Builder& builder, const Symbol& x, int64_t axis, const Array& matrix);
Symbol concat(Builder& builder, const std::vector<Symbol>& parts, int64_t axis);
/// `times` copies one behind the other along an axis.
Symbol repeat(Builder& builder, const Symbol& x, int64_t axis, int64_t times);
/// Seen as another shape. Errors: MixesSamples if the batch is not its first axis any more.
Symbol reshape(Builder& builder, const Symbol& x, const Dims& dims);

}  // namespace halcyon::compiler
