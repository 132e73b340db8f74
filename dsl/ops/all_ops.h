#pragma once
/// The one list of operators. One of them without a rule or a kernel does not link.

#include <optional>
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
#include "dsl/ops/stencil.h"
#include "dsl/ops/update.h"
#include "dsl/ops/winograd.h"

/// The one list. A macro, so that the rules of all operators (compiler/ops/rules.h) and their
/// kernels (compiler/kernels/kernels.h) are declared from it as well.
// clang-format off
#define HALCYON_OPERATORS(X) \
  /* sources */                                                                                  \
    X(Input) X(Parameter) X(Constant)                                                            \
  /* forward */                                                                                  \
    X(Conv) X(Dense) X(MaxPool) X(AveragePool) X(Flatten) X(Concat) X(Softmax)                   \
    X(SoftmaxCrossEntropy) X(MeanSquare)                                                         \
  /* forward: reductions and normalisation */                                                    \
    X(Reduce) X(BatchNorm) X(Normalize) X(Moments) X(GroupMoments) X(L2Normalize)                \
    X(LocalResponseNorm) X(LogSoftmax) X(MatMul) X(Dropout)                                      \
  /* made by differentiate: reductions and normalisation */                                      \
    X(ReduceGrad) X(BatchMoments) X(MoveStatistics) X(NormalizeSums) X(GroupSums)                \
    X(NormalizeGrad) X(L2NormalizeGrad) X(LocalResponseNormGrad) X(LogSoftmaxGrad)               \
    X(RandomMask)                                                                                \
  /* moving */                                                                                   \
    X(Pad) X(Slice) X(Reshape) X(Transpose) X(ChannelShuffle) X(DepthToSpace)                    \
    X(SpaceToDepth) X(Resize) X(ConvTranspose) X(PadGrad) X(ResizeGrad)                          \
  /* made by differentiate */                                                                    \
    X(ConvWeightGrad) X(ConvPoolWeightGrad) X(FlipFilter) X(DenseWeightGrad)                     \
    X(TransposeMatrix) X(BiasGrad) X(MaxPoolGrad) X(AveragePoolGrad) X(Unflatten) X(Copy)        \
    X(SoftmaxGrad) X(SoftmaxCrossEntropyGrad) X(MeanSquareGrad) X(Update)                        \
  /* made by passes that change filters */                                                       \
    X(ScaleFilters) X(StackFilters) X(WinogradFilters) X(WinogradConv)                           \
  /* formulas */                                                                                 \
    X(Pointwise) X(SumTo) X(Stencil) X(StencilGrad)
// clang-format on

namespace halcyon::dsl {

namespace detail {

template <class, class... Operators>
using OneOf = std::variant<Operators...>;

}  // namespace detail

#define HALCYON_NEXT(Operator) , ops::Operator
using Op = detail::OneOf<void HALCYON_OPERATORS(HALCYON_NEXT)>;
#undef HALCYON_NEXT

template <class... T>
constexpr bool all_are_operators(const std::variant<T...>*) {
  return (Operator<T> && ...);
}
static_assert(all_are_operators(static_cast<const Op*>(nullptr)));

/// "conv", "max_pool", ...; of an operator that is a formula the function's name, "relu".
constexpr std::string_view name_of(const Op& op) {
  return std::visit(
      [](const auto& o) {
        if constexpr (requires { o.function; }) {
          if (!o.function.empty()) return o.function.view();
        }
        return std::string_view(o.name);
      },
      op);
}

/// Index into Graph::constants of an operator whose values the network itself gives.
constexpr std::optional<int64_t> given_values(const Op& op) {
  if (const auto* constant = std::get_if<ops::Constant>(&op)) return constant->values;
  const auto* parameter = std::get_if<ops::Parameter>(&op);
  if (parameter == nullptr || parameter->init != ops::InitKind::values) return {};
  return parameter->values;
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
