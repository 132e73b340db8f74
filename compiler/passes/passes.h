#pragma once
/// Every pass of the compiler, with what must hold before and after. The order is in pipeline.cpp.
///
/// A pass changes the Program and returns true if it changed anything. None of them knows Halide.
///
/// Behind every pass the runner verifies that the graph is legal (compiler/graph/verify.h) and that
/// regions, layouts and memory keep what fuse, assign_layouts and plan_memory promise
/// (verify_program.h); behind the last one the driver verifies that an inference graph has no
/// training parts and a training graph one update. What the other passes promise is checked by
/// tests/passes alone.

#include <functional>
#include <string>
#include <vector>

#include "compiler/program.h"
#include "compiler/schedules/space.h"
#include "compiler/target.h"

namespace halcyon::compiler {

/// When layers that could share a loop nest, at the price of scratch memory or of rows computed
/// twice, do so.
enum class Fusing { never, where_it_pays, wherever_possible };

struct FusionChoice {
  Fusing pool = Fusing::where_it_pays;  ///< convolution and overlapping or padded pool behind it
  /// A pool or 1x1 convolution and the convolution that reads it.
  Fusing reduce = Fusing::where_it_pays;
};

/// What the user asked for and what passes may look at.
struct PassContext {
  Target target;
  FusionChoice fusing;
  bool exact = false;  ///< no algorithm that changes more than the order of additions
  dsl::ops::Optimizer optimizer = dsl::ops::Optimizer::momentum;
  std::vector<std::string> freeze;  ///< patterns with * and ?; matching parameters get no gradient
  /// The training program that this inference program shares its parameter block with, if any.
  const Program* shares_parameters_with = nullptr;
  /// Picks the schedule of a kernel; the standard one where it is not set.
  std::function<Choice(const Space&)> choose;
};

// On the graph.

/// Computes what follows from constants alone. After: no node reads constants only.
bool fold_constants(Program& program, const PassContext& context);

/// Removes losses, targets and dropout. After: nothing a host could not give at inference is left.
bool drop_training(Program& program, const PassContext& context);

/// Removes nodes that no output, loss or update needs.
bool remove_dead_nodes(Program& program, const PassContext& context);

/// Equal operators on equal inputs become one node.
bool merge_common_nodes(Program& program, const PassContext& context);

/// relu, max_pool -> max_pool, relu: the same values from fewer operations, and the gradient of the
/// pair needs only the pooled result. After: no relu feeds max pools alone.
bool sink_relu_below_max_pool(Program& program, const PassContext& context);

/// The graph as a training step runs it: random masks in place of dropout, and the statistics of
/// the batch in place of a batch norm's running ones, which are moved. `frozen`: by node,
/// parameters that must stay as they are; a batch norm one of whose running statistics is frozen
/// keeps using them. differentiate begins with it.
dsl::Graph training_form(const dsl::Graph& graph, const std::vector<bool>& frozen);

/// The network for a larger picture, over which it slides (see the file's top): dense layers are
/// convolutions, scores are maps, losses are gone. No pass of the lists, because it changes what
/// the host gives and receives: what is verified, drawn and summarised is this graph. Weights keep
/// their names and, in files, their shapes. `extents`: of the picture's spatial axes, outermost
/// first, and perhaps its channels; the network's own leave the graph as it is. Errors: UserError
/// for a picture that is smaller or has other channels or axes, for more than one input, and naming
/// the node for what depends on the whole map.
dsl::Graph fully_convolutional(const dsl::Graph& graph, const std::vector<int64_t>& extents);

/// Appends backward nodes and the optimizer's update. Before: losses exist. After: there is one
/// Update node and it stands last; copy_outputs may put copies behind it. Errors: no loss, no
/// trainable parameter, a loss that is no scalar.
bool differentiate(Program& program, const PassContext& context);

/// reshape, slice or transpose twice in a row -> once. After: none of them reads its own kind.
bool merge_movements(Program& program, const PassContext& context);

/// Removes movements that move nothing. After: every pad, slice, resize, ... changes something.
bool remove_idle_movements(Program& program, const PassContext& context);

/// A border of zeros becomes the padding of the conv or average_pool that reads it. After: no conv
/// reads a zero border.
bool fold_padding(Program& program, const PassContext& context);

/// conv_transpose -> pad, slice, flip_filter and conv. After: no conv_transpose is left.
bool expand_conv_transpose(Program& program, const PassContext& context);

/// Removes flatten of what is flat already and concat of one value.
bool remove_identities(Program& program, const PassContext& context);

/// unflatten(a + b) -> unflatten(a) + unflatten(b): behind a dense layer the reverse of flatten
/// costs nothing, and the layer's transposed weight has the map's order only there. After: no
/// unflatten reads a sum.
bool unflatten_before_sum(Program& program, const PassContext& context);

/// bias_grad(max_pool_grad(x)) -> bias_grad(x): scattering does not change a sum.
bool sum_before_scatter(Program& program, const PassContext& context);

/// conv_weight_grad(x, max_pool_grad(dp, argmax)) -> conv_pool_weight_grad(x, dp, argmax), for few
/// input channels.
bool gather_weight_gradients(Program& program, const PassContext& context);

/// batch_norm and other functions a * x + b with numbers per channel become part of the weights of
/// the conv or dense layer in front. For inference: the new weights are computed when parameters
/// are known. After: no such function reads a layer that nothing else reads.
bool fold_batch_norm(Program& program, const PassContext& context);

/// 1x1 convs of one input -> one conv and slices. For inference, as above. After: 1x1 convs of one
/// value differ in stride or in the function behind them.
bool merge_sibling_convs(Program& program, const PassContext& context);

/// 1x1 conv, average_pool -> average_pool, 1x1 conv (see the file's top). After: no average_pool
/// that makes a map smaller reads a 1x1 conv of its own.
bool pool_before_pointwise(Program& program, const PassContext& context);

/// A loss that is reported twice is computed twice, and a gradient of two parameters is copied:
/// memory has one place for each. After: losses, and gradients of parameters, are values of their
/// own.
bool separate_results(Program& program, const PassContext& context);

/// Copies outputs into the host's order where they are read inside too, or come from a kernel whose
/// own order differs. After: every output is written by a softmax or copy of its own.
bool copy_outputs(Program& program, const PassContext& context);

// From graph to kernels.

/// Concats and slices of whole channel blocks become ranges of one buffer, which producers write
/// and readers read in place. After: no pass adds or removes nodes; concats and slices without a
/// slot really copy.
bool share_buffers(Program& program, const PassContext& context);

/// Groups nodes into regions. After: every computing node belongs to exactly one region.
bool fuse(Program& program, const PassContext& context);

/// Chooses the physical form of every value. After: every stored value has a layout that its users
/// accept; verify_program asks that it has one, the kernels that they accept it.
bool assign_layouts(Program& program, const PassContext& context);

/// Convolutions that take fewer cycles in Winograd tiles become winograd_conv. For inference,
/// unless results are to be exact. After: no convolution is left whose tiles would pay.
bool choose_algorithms(Program& program, const PassContext& context);

/// Chooses how each kernel is scheduled. After: each region has a choice of its schedule space.
bool choose_schedules(Program& program, const PassContext& context);

/// Offsets in the workspace and the parameter block. After: values that live at once never overlap.
bool plan_memory(Program& program, const PassContext& context);

}  // namespace halcyon::compiler
