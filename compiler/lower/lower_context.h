#pragma once
/// The words in which operators describe their kernels: stored values as Halide images, values
/// inside the region as Funcs, and one way to read either. Knows no operator.
///
/// Activations have the coordinates (ci, x, y, z, cb, n): channel in block, spatial axes innermost
/// first, channel block, sample. Weights have (ki, ci, x, y, z, cb, kb).

#include <map>
#include <string>
#include <vector>

#include "compiler/lower/halide.h"
#include "compiler/lower/kernel_spec.h"

namespace halcyon::compiler {

/// A position in an activation that is cut into blocks of `block` channels.
struct Point {
  Halide::Expr ci;
  Halide::Expr cb;
  std::vector<Halide::Expr> s;  ///< spatial, outermost first: y, x
  Halide::Expr n;
  int64_t block = 1;

  Halide::Expr channel() const { return cb * static_cast<int>(block) + ci; }
  /// In the order of Halide's dimensions.
  std::vector<Halide::Expr> arguments() const;
};

/// The variables of an activation's definition.
struct PointVars {
  Halide::Var ci{"ci"}, cb{"cb"}, n{"n"};
  std::vector<Halide::Var> s;  ///< outermost first

  Halide::Var x() const { return s.back(); }
  std::vector<Halide::Var> arguments() const;
  Point point(int64_t block) const;
};

/// One dimension of a buffer, in elements.
struct Dimension {
  int64_t min, extent, stride;
};

class LowerContext {
 public:
  explicit LowerContext(const KernelSpec& spec);

  const KernelSpec& spec() const { return spec_; }
  const Choice& choice() const { return spec_.choice; }
  const dsl::Graph& graph() const { return spec_.program->graph; }
  const Shape& shape(Value v) const { return graph().shape(v); }
  const Layout& layout(Value v) const { return spec_.program->layouts.at(v); }
  const WeightLayout& weight_layout(Value v) const { return spec_.program->weights.at(v); }

  /// Channels in a block of every value inside the region.
  int64_t block() const { return block_; }
  int vector_width() const { return spec_.target.vector_width; }
  Halide::Expr batch() const { return batch_; }

  /// Variables for a value of the region with that many spatial axes.
  static PointVars vars(int spatial_rank);
  /// What a node computes; `part` picks the element of a tuple.
  void define(Value v, const Halide::Func& func, int part = 0);
  bool is_defined(Value v) const { return defined_.contains(v); }
  const Halide::Func& func(Value v) const { return defined_.at(v).func; }

  /// The value at a position, wherever it comes from. Channels beyond the value's read as zero.
  Halide::Expr load(Value v, const Point& p) const;
  /// The same of a value that is repeated to the shape `full` of the position, which may be a
  /// parameter (dsl/ops/pointwise.h).
  Halide::Expr load_repeated(Value v, const Point& p, const Shape& full) const;
  /// A stored value as it lies in memory.
  Halide::ImageParam image(Value v) const { return images_.at(v); }
  /// A stored activation as [samples][all elements of a sample]; a dense layer's view.
  Halide::ImageParam flat_image(Value v);
  /// A weight as [filter blocks][elements of a sample][filter in block].
  Halide::ImageParam flat_weight(Value v);
  /// Element of a weight by filter, channel within the group and position; beyond the extents:
  /// zero.
  Halide::Expr weight_at(Value v, const Halide::Expr& k, const Halide::Expr& c,
                         const std::vector<Halide::Expr>& taps) const;
  /// The image of a kernel argument that is no value: the optimizer's blocks.
  Halide::ImageParam raw_image(std::size_t input, int64_t elements);
  /// Seed and step: see KernelArgument.
  Halide::ImageParam step_numbers();

  /// Kernels whose result is no activation set it themselves.
  void set_output(const Halide::Func& out) { output_ = out; }
  Halide::Func& output() { return output_; }
  const Halide::Func& output() const { return output_; }
  /// In the order of the kernel's inputs.
  const std::vector<Halide::ImageParam>& images_in_order() const { return arguments_; }
  const PointVars& output_vars() const { return output_vars_; }
  /// Layout in which the region's first output is written; flat where a dense layer writes a map.
  Layout output_layout() const;

  /// The reduction that the schedule keeps in registers; undefined for kernels without one.
  void set_accumulator(const Halide::Func& f) { accumulator_ = f; }
  Halide::Func& accumulator() { return accumulator_; }

  /// Other stages of a kernel, by names that its algorithm and its schedule share.
  void add_stage(const char* name, const Halide::Func& f) { stages_[name] = f; }
  Halide::Func& stage(const std::string& name) { return stages_.at(name); }

  /// A copy of an input with zeros around it, made by each task; undefined where none is needed.
  void set_padded_input(const Halide::Func& f) { padded_input_ = f; }
  Halide::Func& padded_input() { return padded_input_; }

  /// Rows of a convolution's map that a task keeps for the pool behind it; undefined where pooling,
  /// if any, happens in registers.
  void set_rows(const Halide::Func& f) { rows_ = f; }
  Halide::Func& rows() { return rows_; }

  /// What the region computes for its convolution to read, and the sums of a convolution among it.
  void set_own_rows(const Halide::Func& f) { own_rows_ = f; }
  Halide::Func& own_rows() { return own_rows_; }
  void set_own_sum(const Halide::Func& f) { own_sum_ = f; }
  Halide::Func& own_sum() { return own_sum_; }

  /// Builds output(): the region's results at each position, as one tuple.
  void make_output();
  /// Fixes bounds and strides of every buffer and returns Halide's arguments, inputs then batch.
  std::vector<Halide::Argument> finish();
  /// Where the inside of a stored output begins.
  int64_t output_offset_bytes(std::size_t output) const;

 private:
  struct Definition {
    Halide::Func func;
    int part = 0;
    bool tuple = false;
  };

  Halide::Expr load_stored(Value v, const Point& p) const;
  /// A parameter's value for every sample; `own` is its shape beside that of the samples.
  Halide::Expr load_parameter(Value v, const Point& p, const Shape& own) const;
  /// Of an output but for the batch.
  std::vector<Dimension> output_dimensions(std::size_t output) const;
  /// Replaces the image of an input by one with other dimensions.
  Halide::ImageParam replace_image(Value v, const Halide::ImageParam& image);

  const KernelSpec& spec_;
  int64_t block_ = 1;
  Halide::Param<int32_t> batch_{"batch"};
  std::map<Value, Halide::ImageParam> images_;
  std::vector<Halide::ImageParam> arguments_;  // in the order of spec_.inputs
  std::map<Value, Definition> defined_;
  Halide::Func output_;
  PointVars output_vars_;
  Halide::Func accumulator_;
  Halide::Func padded_input_;
  Halide::Func rows_, own_rows_, own_sum_;
  std::map<std::string, Halide::Func> stages_;
};

/// Parallel over the batch and whatever else is outermost; `outer` are the loops to fuse, innermost
/// first. Returns the loop over tasks.
Halide::Var parallelise(Halide::Func f, const std::vector<Halide::Var>& outer);

/// Vectorises over the channels of a block: whole blocks, or pieces of the vector width for longer
/// ones.
void vectorise_channels(Halide::Stage stage, const Halide::Var& ci, int64_t extent, int width);

}  // namespace halcyon::compiler
