#include "compiler/passes/pipeline.h"

#include <chrono>
#include <string>

#include "compiler/graph/verify.h"
#include "compiler/passes/verify_program.h"

namespace halcyon::compiler {

namespace {

// clang-format off
constexpr Pass kInference[] = {
  {"fold_constants",           fold_constants,           Run::once,         "no node reads constants only"},
  {"drop_training",            drop_training,            Run::once,         "no loss, target or dropout is left"},
  {"remove_dead_nodes",        remove_dead_nodes,        Run::once,         "every node is needed"},
  {"remove_identities",        remove_identities,        Run::once,         "flatten and concat move something"},
  {"merge_movements",          merge_movements,          Run::until_stable, "no reshape, slice or transpose reads its own kind"},
  {"remove_idle_movements",    remove_idle_movements,    Run::once,         "every movement moves something"},
  {"fold_padding",             fold_padding,             Run::until_stable, "no conv reads a border of zeros"},
  {"merge_common_nodes",       merge_common_nodes,       Run::until_stable, "no two nodes compute the same"},
  {"sink_relu_below_max_pool", sink_relu_below_max_pool, Run::until_stable, "no relu feeds max pools alone"},
  {"expand_conv_transpose",    expand_conv_transpose,    Run::once,         "no conv_transpose is left"},
  {"fold_batch_norm",          fold_batch_norm,          Run::until_stable, "no foldable batch_norm or scale is left"},
  {"pool_before_pointwise",    pool_before_pointwise,    Run::until_stable, "no shrinking average_pool reads a 1x1 conv of its own"},
  {"merge_sibling_convs",      merge_sibling_convs,      Run::once,         "no mergeable 1x1 siblings are left"},
  {"choose_algorithms",        choose_algorithms,        Run::once,         "no conv is left that Winograd tiles would speed up"},
  {"copy_outputs",             copy_outputs,             Run::once,         "outputs have a writer of their own"},
  {"share_buffers",            share_buffers,            Run::once,         "remaining concats and slices really copy"},
  {"fuse",                     fuse,                     Run::once,         "every computing node belongs to one region"},
  {"assign_layouts",           assign_layouts,           Run::once,         "every stored value has a layout"},
  {"choose_schedules",         choose_schedules,         Run::once,         "every kernel has a schedule of its space"},
  {"plan_memory",              plan_memory,              Run::once,         "values that live at once never overlap"},
};

constexpr Pass kTraining[] = {
  {"fold_constants",           fold_constants,           Run::once,         "no node reads constants only"},
  {"remove_dead_nodes",        remove_dead_nodes,        Run::once,         "every node is needed"},
  {"remove_identities",        remove_identities,        Run::once,         "flatten and concat move something"},
  {"merge_movements",          merge_movements,          Run::until_stable, "no reshape, slice or transpose reads its own kind"},
  {"remove_idle_movements",    remove_idle_movements,    Run::once,         "every movement moves something"},
  {"fold_padding",             fold_padding,             Run::until_stable, "no conv reads a border of zeros"},
  {"merge_common_nodes",       merge_common_nodes,       Run::until_stable, "no two nodes compute the same"},
  {"sink_relu_below_max_pool", sink_relu_below_max_pool, Run::until_stable, "no relu feeds max pools alone"},
  {"differentiate",            differentiate,            Run::once,         "an update ends the graph"},
  {"expand_conv_transpose",    expand_conv_transpose,    Run::once,         "no conv_transpose is left"},
  {"sum_before_scatter",       sum_before_scatter,       Run::once,         "no bias gradient sums a scattered map"},
  {"gather_weight_gradients",  gather_weight_gradients,  Run::once,         "no thin convolution's weight gradient reads a scattered map"},
  {"unflatten_before_sum",     unflatten_before_sum,     Run::until_stable, "no unflatten reads a sum"},
  {"merge_common_nodes",       merge_common_nodes,       Run::until_stable, "no two nodes compute the same"},
  {"remove_dead_nodes",        remove_dead_nodes,        Run::once,         "every node is needed"},
  {"separate_results",         separate_results,         Run::once,         "each loss and gradient is a value of its own"},
  {"copy_outputs",             copy_outputs,             Run::once,         "outputs have a writer of their own"},
  {"share_buffers",            share_buffers,            Run::once,         "remaining concats and slices really copy"},
  {"fuse",                     fuse,                     Run::once,         "every computing node belongs to one region"},
  {"assign_layouts",           assign_layouts,           Run::once,         "every stored value has a layout"},
  {"choose_schedules",         choose_schedules,         Run::once,         "every kernel has a schedule of its space"},
  {"plan_memory",              plan_memory,              Run::once,         "values that live at once never overlap"},
};
// clang-format on

/// A pass may move a node past one other in each round; beyond that it runs in circles.
constexpr int kMostRounds = 100;

/// True if the pass changed anything.
bool repeat(const Pass& pass, Program& program, const PassContext& context) {
  const int most = kMostRounds + program.graph.node_count();
  for (int round = 0; round < most; ++round) {
    if (!pass.run(program, context)) return round > 0;
    if (pass.repeat == Run::once) return true;
  }
  throw InternalError("pass " + std::string(pass.name) + " still changes the graph after " +
                      std::to_string(most) + " rounds");
}

}  // namespace

std::span<const Pass> inference_passes() { return kInference; }
std::span<const Pass> training_passes() { return kTraining; }

void run_passes(Program& program, const PassContext& context, std::span<const Pass> passes,
                const std::function<bool(const Program&, const PassRecord&)>& observe) {
  for (const Pass& pass : passes) {
    const auto begin = std::chrono::steady_clock::now();
    const bool changed = repeat(pass, program, context);
    verify(program.graph);
    verify_program(program);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
    if (observe && !observe(program, {pass, changed, time.count()})) return;
  }
}

}  // namespace halcyon::compiler
