#pragma once
/// The one list of operators. A missing rule for one of them is a compile error.

#include <variant>

#include "dsl/ops/conv.h"
#include "dsl/ops/conv_transpose.h"
#include "dsl/ops/dense.h"
#include "dsl/ops/dropout.h"
#include "dsl/ops/elementwise.h"
#include "dsl/ops/filters.h"
#include "dsl/ops/loss.h"
#include "dsl/ops/lrn.h"
#include "dsl/ops/matmul.h"
#include "dsl/ops/movement.h"
#include "dsl/ops/norm.h"
#include "dsl/ops/pointwise.h"
#include "dsl/ops/pool.h"
#include "dsl/ops/reduce.h"
#include "dsl/ops/reshape.h"
#include "dsl/ops/resize.h"
#include "dsl/ops/source.h"
#include "dsl/ops/update.h"

namespace halcyon::dsl {

using Op = std::variant<  //
    ops::Input, ops::Parameter,
    // forward
    ops::Conv, ops::Dense, ops::MaxPool, ops::AveragePool, ops::Flatten, ops::Concat, ops::Softmax,
    ops::SoftmaxCrossEntropy, ops::MeanSquare,
    // forward: reductions and normalisation
    ops::Reduce, ops::BatchNorm, ops::Normalize, ops::Moments, ops::GroupMoments, ops::L2Normalize,
    ops::LocalResponseNorm, ops::LogSoftmax, ops::MatMul, ops::Dropout,
    // made by differentiate: reductions and normalisation
    ops::ReduceGrad, ops::BatchMoments, ops::MoveStatistics, ops::NormalizeSums, ops::GroupSums,
    ops::NormalizeGrad, ops::L2NormalizeGrad, ops::LocalResponseNormGrad, ops::LogSoftmaxGrad,
    ops::RandomMask,
    // moving
    ops::Pad, ops::Slice, ops::Reshape, ops::Transpose, ops::ChannelShuffle, ops::DepthToSpace,
    ops::SpaceToDepth, ops::Resize, ops::ConvTranspose, ops::PadGrad, ops::ResizeGrad,
    // made by differentiate
    ops::ConvWeightGrad, ops::ConvPoolWeightGrad, ops::FlipFilter, ops::DenseWeightGrad,
    ops::TransposeMatrix, ops::BiasGrad, ops::MaxPoolGrad, ops::AveragePoolGrad, ops::Unflatten,
    ops::Copy, ops::SoftmaxGrad, ops::SoftmaxCrossEntropyGrad, ops::MeanSquareGrad, ops::Update,
    // made by passes that change filters
    ops::ScaleFilters, ops::StackFilters,
    // pointwise
    ops::Pointwise, ops::SumTo>;

template <class... T>
constexpr bool all_are_operators(const std::variant<T...>*) {
  return (Operator<T> && ...);
}
static_assert(all_are_operators(static_cast<const Op*>(nullptr)));

/// "conv", "max_pool", ...; of a pointwise operator the function's name, "relu".
constexpr std::string_view name_of(const Op& op) {
  const auto* pointwise = std::get_if<ops::Pointwise>(&op);
  if (pointwise != nullptr && !pointwise->function.empty()) return pointwise->function;
  return std::visit([](const auto& o) { return std::string_view(o.name); }, op);
}

/// Whether an operator is this function, whatever it is called: computes(op, kRelu).
constexpr bool computes(const Op& op, const Formula& formula) {
  const auto* pointwise = std::get_if<ops::Pointwise>(&op);
  return pointwise != nullptr && pointwise->formula == formula;
}

/// Multiply-adds per sample; 0 for operators that have none.
constexpr int64_t macs_of(const Op& op, const Shapes& in, const Shapes& out) {
  return std::visit(
      [&](const auto& o) -> int64_t {
        if constexpr (requires { o.macs(in, out); }) {
          return o.macs(in, out);
        } else {
          return 0;
        }
      },
      op);
}

}  // namespace halcyon::dsl
