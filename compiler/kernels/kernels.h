#pragma once
/// Each operator's Halide algorithm (`lower`) and each anchor's loop order (`schedule`).
///
/// lower() defines Funcs for the node's outputs; it decides what is computed. schedule() is called
/// once for each kernel, on the operator that leads its region, when the whole region is lowered;
/// it decides in which order.

#include "compiler/lower/lower_context.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

#define HALCYON_LOWER(Operator) void lower(const ops::Operator&, LowerContext&, int32_t id);
HALCYON_OPERATORS(HALCYON_LOWER)  // lower_kernel.cpp says which of them have none
#undef HALCYON_LOWER

void schedule(const ops::Conv&, LowerContext&);
void schedule(const ops::ConvWeightGrad&, LowerContext&);
void schedule(const ops::ConvPoolWeightGrad&, LowerContext&);
void schedule(const ops::FlipFilter&, LowerContext&);
void schedule(const ops::ScaleFilters&, LowerContext&);
void schedule(const ops::StackFilters&, LowerContext&);
void schedule(const ops::WinogradFilters&, LowerContext&);
void schedule(const ops::WinogradConv&, LowerContext&);
void schedule(const ops::Dense&, LowerContext&);
void schedule(const ops::DenseWeightGrad&, LowerContext&);
void schedule(const ops::TransposeMatrix&, LowerContext&);
void schedule(const ops::BiasGrad&, LowerContext&);
void schedule(const ops::Softmax&, LowerContext&);
void schedule(const ops::SoftmaxGrad&, LowerContext&);
void schedule(const ops::SoftmaxCrossEntropy&, LowerContext&);
void schedule(const ops::SoftmaxCrossEntropyGrad&, LowerContext&);
void schedule(const ops::MeanSquare&, LowerContext&);
void schedule(const ops::Reduce&, LowerContext&);
void schedule(const ops::ReduceGrad&, LowerContext&);
void schedule(const ops::Moments&, LowerContext&);
void schedule(const ops::GroupMoments&, LowerContext&);
void schedule(const ops::BatchMoments&, LowerContext&);
void schedule(const ops::MoveStatistics&, LowerContext&);
void schedule(const ops::NormalizeSums&, LowerContext&);
void schedule(const ops::GroupSums&, LowerContext&);
void schedule(const ops::L2Normalize&, LowerContext&);
void schedule(const ops::L2NormalizeGrad&, LowerContext&);
void schedule(const ops::LocalResponseNorm&, LowerContext&);
void schedule(const ops::LocalResponseNormGrad&, LowerContext&);
void schedule(const ops::LogSoftmax&, LowerContext&);
void schedule(const ops::LogSoftmaxGrad&, LowerContext&);
void schedule(const ops::MatMul&, LowerContext&);
void schedule(const ops::Update&, LowerContext&);
void schedule(const ops::SumTo&, LowerContext&);
/// Every kernel that only reads and writes: one pass over its output.
void schedule_elementwise(LowerContext&);

/// The region as a Halide pipeline, ready to compile.
struct LoweredKernel {
  Halide::Pipeline pipeline;
  std::vector<Halide::Argument> arguments;  ///< inputs, then the batch
};
LoweredKernel lower_kernel(LowerContext&);

}  // namespace halcyon::compiler
