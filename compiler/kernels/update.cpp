/// The optimizer's step: one pass over all trainable parameters, their gradients and the state, in
/// place.
///
/// Source: the rules of torch.optim (SGD without dampening, RMSprop, Adam), so that a training run
/// can be moved.

#include "compiler/kernels/kernels.h"
#include "compiler/lower/hyper.h"

namespace halcyon::compiler {

using namespace Halide;

void lower(const ops::Update& update, LowerContext& context, int32_t) {
  const int64_t elements = context.spec().program->memory.trainable_bytes / 4;
  Var i("i");
  const ImageParam p = context.raw_image(0, elements);
  const ImageParam gradient = context.raw_image(1, elements);
  const ImageParam hyper = context.raw_image(2, kHyperCount);
  const auto state = [&](std::size_t slot) { return context.raw_image(3 + slot, elements)(i); };

  const Expr rate = hyper(kLearningRate);
  const Expr mu = hyper(kMomentum);
  const Expr g = gradient(i) + hyper(kWeightDecay) * p(i);
  Func out("out");
  switch (update.optimizer) {
    case ops::Optimizer::sgd: out(i) = p(i) - rate * g; break;
    case ops::Optimizer::momentum: {
      const Expr velocity = mu * state(0) + g;
      out(i) = Tuple(p(i) - rate * velocity, velocity);
      break;
    }
    case ops::Optimizer::rmsprop: {
      const Expr square = mu * state(0) + (1.0f - mu) * g * g;
      out(i) = Tuple(p(i) - rate * g / (sqrt(square) + hyper(kEpsilon)), square);
      break;
    }
    case ops::Optimizer::adam: {
      const Expr beta2 = hyper(kBeta2);
      const Expr mean = mu * state(0) + (1.0f - mu) * g;
      const Expr square = beta2 * state(1) + (1.0f - beta2) * g * g;
      const Expr step =
          (mean / hyper(kCorrection1)) / (sqrt(square / hyper(kCorrection2)) + hyper(kEpsilon));
      out(i) = Tuple(p(i) - rate * step, mean, square);
      break;
    }
  }
  context.set_output(out);
}

void schedule(const ops::Update&, LowerContext& context) {
  Func& out = context.output();
  const Var i = out.args()[0];
  Var task("task"), inner("inner");
  // Each block of parameters is a multiple of 16 numbers long, so no tail is left for vectors of up
  // to 16.
  constexpr int kNumbersPerTask = 16 * 1024;
  const int64_t elements = context.spec().program->memory.trainable_bytes / 4;
  if (elements > kNumbersPerTask) {
    out.split(i, task, inner, kNumbersPerTask, TailStrategy::GuardWithIf).parallel(task);
    out.vectorize(inner, context.vector_width());
  } else {
    out.vectorize(i, context.vector_width());
  }
}

}  // namespace halcyon::compiler
