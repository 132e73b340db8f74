#pragma once
/// The graph that an import makes, and how tensors of an ONNX model are seen in it.
///
/// Our activations are [N, ...]: a batch that is known only when the network runs, and up to four
/// axes of one sample. ONNX's tensors are just tensors. There are two ways from one to the other,
/// and a model is imported in one of them as a whole:
///
///   by batch   The first axis of every computed tensor is the batch. Every operator must work
///              sample by sample: none may reduce, move, join or repeat along that axis.
///   whole      A tensor is one sample, its first axis like any other; where that is 1, it is left
///              out. Everything is allowed, and a batch of N is N runs of the model.
///
/// Which one it is follows from the inputs:
///   - all first extents symbolic: by batch;
///   - all first extents equal, and above 1: by batch if every operator allows it, otherwise whole;
///   - anything else, all extents 1 above all: whole. [1,3,224,224] becomes [N,3,224,224] too.
///
/// A tensor of more than four sample axes is kept flat, so that what does not look at axes, or at
/// few of them, still works.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "compiler/onnx/array.h"
#include "dsl/graph.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

/// An operator would mix samples. Caught where the model may be imported whole.
class MixesSamples : public UserError {
  using UserError::UserError;
};

/// A value that the network computes. Invariant: its shape in the graph is [N] and
/// Builder::sample_axes(dims).
struct Symbol {
  dsl::Value value;
  Dims dims;  ///< as ONNX has it; by batch, the first is the builder's batch
  ElementKind kind = ElementKind::real;
};

/// What a name of the model stands for.
using Item = std::variant<Symbol, Array>;
const Dims& dims_of(const Item& item);

/// A symbol's axes: `extents[i]` is axis `first + i` of the tensor, and axis 1 + i of `value`.
struct Axes {
  dsl::Value value;
  Dims extents;
  int64_t first = 0;

  /// The graph's number of an axis of the tensor.
  int in_graph(int64_t axis) const { return static_cast<int>(axis - first + 1); }
};

enum class FirstAxis { left_alone, used };

class Builder {
 public:
  static constexpr std::size_t kMaxAxes = 4;  ///< of a sample

  /// `batch` is kBatchNumber or the first extent of every input; nothing: whole.
  Builder(std::string network, std::optional<int64_t> batch);

  bool by_batch() const { return batch_.has_value(); }
  bool is_batch(int64_t extent) const { return batch_ && extent == *batch_; }

  Symbol add_input(const std::string& name, const Dims& dims);
  void add_output(const std::string& name, const Symbol& symbol);

  /// The node of the model that is being imported; nodes of the graph are named after it.
  void begin_node(const std::string& name) { node_ = name; }

  // ---- how tensors are seen

  Dims sample_axes(const Dims& dims) const;
  /// The axes of a symbol. `used` says that the operator does something along the first axis.
  /// Errors: MixesSamples; UserError for too many axes.
  Axes axes(const Symbol& symbol, FirstAxis first);
  /// A picture or the like: [N,C,...] in the graph and in the model.
  /// Errors: MixesSamples if the first axis of a whole tensor is not 1; UserError for another rank.
  Axes image(const Symbol& symbol, std::size_t least_rank);
  /// The value with these axes behind the batch.
  dsl::Value seen_as(dsl::Value value, const Dims& sample);
  /// What the tensor `dims` is after it was computed in whatever shape.
  Symbol wrap(dsl::Value value, const Dims& dims, ElementKind kind = ElementKind::real);
  /// A known array as a symbol, the same for every sample.
  Symbol activate(const Array& array);

  // ---- nodes

  const Shape& graph_shape(dsl::Value value) const { return graph_.shape(value); }
  dsl::Value add(const dsl::Op& op, std::vector<dsl::Value> inputs);
  int32_t add_node(const dsl::Op& op, std::vector<dsl::Value> inputs);
  /// A weight. Its values are the parameter's. Errors: UserError for values that are not finite.
  dsl::Value parameter(const Array& array, const Shape& shape, bool trainable = true);
  /// Numbers that stay: a Constant, or a parameter if the array is a weight of its own.
  dsl::Value given(const Array& array, const Shape& shape);

  /// The graph without what no output needs. Leaves the builder without values.
  dsl::Graph finish();
  /// Memory that constants take which the model does not store, but describes. Errors: UserError
  /// above a limit, so that a small file cannot fill the memory.
  void spend(int64_t elements);
  /// The same for what is made of the values of `source`. What the model stores raises the limit,
  /// once: weights of any size can be cast and transposed.
  void spend(int64_t elements, const Array& source);

 private:
  /// Names that are taken, and the number that the next one of that name gets.
  using Names = std::map<std::string, int64_t>;
  FixedString unique_name(const std::string& wanted, Names& taken);

  dsl::Graph graph_;
  std::optional<int64_t> batch_;
  std::string node_;
  Names node_names_, value_names_, output_names_;
  std::map<std::string, dsl::Value> parameters_;
  std::set<const void*> sources_;  ///< stored values that raised the limit
  std::vector<Array> kept_;  ///< so that no two arrays of parameters_ or sources_ have one address
  int64_t parameter_count_ = 0;
  int64_t spent_ = 0;
  int64_t limit_;  ///< of spent_
};

/// [N, extents...]
Shape batched_shape(const Dims& sample);
Shape plain_shape(const Dims& dims);

}  // namespace halcyon::compiler
