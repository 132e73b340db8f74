#pragma once
/// Each operator's Halide algorithm (`lower`) and each anchor's loop order (`schedule`).
///
/// lower() defines Funcs for the node's outputs; it decides what is computed. schedule() is called
/// once for each kernel, on the operator that leads its region, when the whole region is lowered;
/// it decides in which order.

#include "compiler/lower/lower_context.h"

namespace halcyon::compiler {

namespace ops = dsl::ops;

void lower(const ops::Conv&, LowerContext&, int32_t id);
void lower(const ops::ConvWeightGrad&, LowerContext&, int32_t id);
void lower(const ops::ConvPoolWeightGrad&, LowerContext&, int32_t id);
void lower(const ops::FlipFilter&, LowerContext&, int32_t id);
void lower(const ops::ScaleFilters&, LowerContext&, int32_t id);
void lower(const ops::StackFilters&, LowerContext&, int32_t id);
void lower(const ops::Dense&, LowerContext&, int32_t id);
void lower(const ops::DenseWeightGrad&, LowerContext&, int32_t id);
void lower(const ops::TransposeMatrix&, LowerContext&, int32_t id);
void lower(const ops::BiasGrad&, LowerContext&, int32_t id);
void lower(const ops::MaxPool&, LowerContext&, int32_t id);
void lower(const ops::AveragePool&, LowerContext&, int32_t id);
void lower(const ops::MaxPoolGrad&, LowerContext&, int32_t id);
void lower(const ops::AveragePoolGrad&, LowerContext&, int32_t id);
void lower(const ops::Copy&, LowerContext&, int32_t id);
void lower(const ops::Concat&, LowerContext&, int32_t id);
void lower(const ops::Pad&, LowerContext&, int32_t id);
void lower(const ops::PadGrad&, LowerContext&, int32_t id);
void lower(const ops::Slice&, LowerContext&, int32_t id);
void lower(const ops::Reshape&, LowerContext&, int32_t id);
void lower(const ops::Transpose&, LowerContext&, int32_t id);
void lower(const ops::ChannelShuffle&, LowerContext&, int32_t id);
void lower(const ops::DepthToSpace&, LowerContext&, int32_t id);
void lower(const ops::SpaceToDepth&, LowerContext&, int32_t id);
void lower(const ops::Resize&, LowerContext&, int32_t id);
void lower(const ops::ResizeGrad&, LowerContext&, int32_t id);
void lower(const ops::Unflatten&, LowerContext&, int32_t id);
void lower(const ops::Softmax&, LowerContext&, int32_t id);
void lower(const ops::SoftmaxGrad&, LowerContext&, int32_t id);
void lower(const ops::SoftmaxCrossEntropy&, LowerContext&, int32_t id);
void lower(const ops::SoftmaxCrossEntropyGrad&, LowerContext&, int32_t id);
void lower(const ops::MeanSquare&, LowerContext&, int32_t id);
void lower(const ops::MeanSquareGrad&, LowerContext&, int32_t id);
void lower(const ops::Reduce&, LowerContext&, int32_t id);
void lower(const ops::ReduceGrad&, LowerContext&, int32_t id);
void lower(const ops::BatchNorm&, LowerContext&, int32_t id);
void lower(const ops::Normalize&, LowerContext&, int32_t id);
void lower(const ops::Moments&, LowerContext&, int32_t id);
void lower(const ops::GroupMoments&, LowerContext&, int32_t id);
void lower(const ops::BatchMoments&, LowerContext&, int32_t id);
void lower(const ops::MoveStatistics&, LowerContext&, int32_t id);
void lower(const ops::NormalizeSums&, LowerContext&, int32_t id);
void lower(const ops::GroupSums&, LowerContext&, int32_t id);
void lower(const ops::NormalizeGrad&, LowerContext&, int32_t id);
void lower(const ops::L2Normalize&, LowerContext&, int32_t id);
void lower(const ops::L2NormalizeGrad&, LowerContext&, int32_t id);
void lower(const ops::LocalResponseNorm&, LowerContext&, int32_t id);
void lower(const ops::LocalResponseNormGrad&, LowerContext&, int32_t id);
void lower(const ops::LogSoftmax&, LowerContext&, int32_t id);
void lower(const ops::LogSoftmaxGrad&, LowerContext&, int32_t id);
void lower(const ops::MatMul&, LowerContext&, int32_t id);
void lower(const ops::RandomMask&, LowerContext&, int32_t id);
void lower(const ops::Update&, LowerContext&, int32_t id);
void lower(const ops::Pointwise&, LowerContext&, int32_t id);
void lower(const ops::SumTo&, LowerContext&, int32_t id);

void schedule(const ops::Conv&, LowerContext&);
void schedule(const ops::ConvWeightGrad&, LowerContext&);
void schedule(const ops::ConvPoolWeightGrad&, LowerContext&);
void schedule(const ops::FlipFilter&, LowerContext&);
void schedule(const ops::ScaleFilters&, LowerContext&);
void schedule(const ops::StackFilters&, LowerContext&);
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
