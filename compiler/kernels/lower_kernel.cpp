#include "compiler/kernels/kernels.h"
#include "compiler/kernels/own_rows.h"
#include "compiler/kernels/pool_of_rows.h"
#include "compiler/passes/fusion_rules.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

/// Nodes that never become part of a kernel: what stands for them is a buffer, or other operators
/// as soon as it is known what the network is compiled for.
template <class Op>
constexpr bool kIsNoKernel =
    std::is_same_v<Op, ops::Input> || std::is_same_v<Op, ops::Parameter> ||
    std::is_same_v<Op, ops::Constant> || std::is_same_v<Op, ops::Flatten> ||
    std::is_same_v<Op, ops::Dropout> || std::is_same_v<Op, ops::ConvTranspose>;

void lower_node(LowerContext& context, int32_t id) {
  std::visit(
      [&]<class Op>(const Op& op) {
        if constexpr (kIsNoKernel<Op>) {
          throw InternalError(std::string(Op::name) + " cannot be part of a kernel");
        } else {
          lower(op, context, id);
        }
      },
      context.graph().node(id).op);
}

void schedule_kernel(LowerContext& context) {
  std::visit(
      [&]<class Op>(const Op& op) {
        if constexpr (requires { schedule(op, context); }) {
          schedule(op, context);
        } else {
          schedule_elementwise(context);
        }
      },
      context.spec().anchor().op);
}

}  // namespace

LoweredKernel lower_kernel(LowerContext& context) {
  const Region& region = *context.spec().region;
  const int32_t pool = pool_of_rows(context.graph(), region);
  const int32_t anchor = context.spec().anchor_id();
  for (int32_t id : region.nodes) {
    const std::vector<Value>& inputs = context.graph().node(id).inputs;
    if (id == pool) keep_rows(context, inputs[0]);
    if (id == anchor && id != region.nodes.front()) keep_own_rows(context, inputs[0]);
    lower_node(context, id);
  }
  if (!context.output().defined()) context.make_output();
  LoweredKernel kernel;
  kernel.arguments = context.finish();
  schedule_kernel(context);
  kernel.pipeline = Halide::Pipeline(context.output());
  return kernel;
}

}  // namespace halcyon::compiler
