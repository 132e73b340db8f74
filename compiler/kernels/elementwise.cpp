/// The loop order of kernels that compute each position from one position of each input: memory
/// bounds them, so one pass, whole vectors, all threads.

#include "compiler/kernels/kernels.h"

namespace halcyon::compiler {

using namespace Halide;

void schedule_elementwise(LowerContext& context) {
  Func& out = context.output();
  if (!context.shape(context.spec().region->outputs[0]).has_batch()) {
    // Filters, or what one lonely filter holds.
    const bool one_filter =
        context.weight_layout(context.spec().region->outputs[0]).filter_block == 1;
    if (one_filter) {
      out.vectorize(out.args()[1], context.vector_width(), TailStrategy::GuardWithIf);
    } else {
      out.vectorize(out.args()[0]);
    }
    return;
  }
  PointVars v = context.output_vars();
  const Layout layout = context.output_layout();
  if (layout.block == 1 && layout.spatial_rank() > 0) {
    out.vectorize(v.x(), context.vector_width(), TailStrategy::GuardWithIf);
  } else {
    vectorise_channels(out, v.ci, layout.block, context.vector_width());
    if (layout.spatial_rank() > 0 && layout.shape.spatial(layout.spatial_rank() - 1) > 1) {
      out.unroll(v.x(), 2, TailStrategy::GuardWithIf);
    }
  }
  if (Func& window = context.accumulator(); window.defined()) {
    window.compute_at(out, v.x());
    vectorise_channels(window, v.ci, layout.block, context.vector_width());
    vectorise_channels(window.update(), v.ci, layout.block, context.vector_width());
  }
  // Small samples are not worth waking a thread for each channel block.
  constexpr int64_t kSmallSample = 4 * 1024;
  if (layout.sample_elements() >= kSmallSample) {
    parallelise(out, {v.cb, v.n});
  } else if (layout.sample_elements() >= kSmallSample / 16) {
    out.parallel(v.n, 8, TailStrategy::GuardWithIf);
  }
}

}  // namespace halcyon::compiler
