/// Dropout's mask, drawn anew wherever it is needed: nothing is stored between forward and
/// backward.

#include "compiler/kernels/kernels.h"
#include "compiler/ops/philox.h"

namespace halcyon::compiler {

using namespace Halide;

namespace {

/// The first word of Philox4x32-10, as in compiler/ops/philox.h.
Expr random_word(std::vector<Expr> counter, std::vector<Expr> key) {
  const auto product = [](uint32_t multiplier, const Expr& word) {
    return cast<uint64_t>(word) * cast<uint64_t>(Expr(multiplier));
  };
  const auto high = [](const Expr& product) { return cast<uint32_t>(product >> 32); };
  for (int round = 0; round < Philox::kRounds; ++round) {
    const Expr first = product(Philox::kMultipliers[0], counter[0]);
    const Expr second = product(Philox::kMultipliers[1], counter[2]);
    counter = {high(second) ^ counter[1] ^ key[0], cast<uint32_t>(second),
               high(first) ^ counter[3] ^ key[1], cast<uint32_t>(first)};
    for (std::size_t i = 0; i < 2; ++i) key[i] = key[i] + Expr(Philox::kKeySteps[i]);
  }
  return counter[0];
}

}  // namespace

void lower(const ops::RandomMask& op, LowerContext& context, int32_t id) {
  const Value x = context.graph().node(id).inputs[0];
  const Shape& shape = context.shape(x);
  PointVars v = LowerContext::vars(shape.spatial_rank());
  const Point p = v.point(context.block());
  Expr element = p.channel();  // row-major, whatever the layout
  for (int axis = 0; axis < shape.spatial_rank(); ++axis) {
    element = element * static_cast<int>(shape.spatial(axis)) + p.s[static_cast<std::size_t>(axis)];
  }
  const ImageParam step = context.step_numbers();
  const Expr word = random_word({cast<uint32_t>(element), cast<uint32_t>(p.n), step(2),
                                 Expr(static_cast<uint32_t>(op.stream))},
                                {step(0), step(1)});
  Func y("masked");
  y(v.arguments()) = select(word < Expr(drop_threshold(op.probability)), 0.0f,
                            context.load(x, p) * (1.0f / (1.0f - op.probability)));
  context.define({id, 0}, y);
}

}  // namespace halcyon::compiler
