/// The optimizer's step. With g the gradient plus weight_decay * p, and lr the learning rate:
///   sgd       p -= lr*g
///   momentum  v = momentum*v + g;                p -= lr*v
///   rmsprop   s = momentum*s + (1-momentum)*g*g; p -= lr*g / (sqrt(s) + epsilon)
///   adam      m = momentum*m + (1-momentum)*g;   v = beta2*v + (1-beta2)*g*g
///             p -= lr * (m / (1-momentum^step)) / (sqrt(v / (1-beta2^step)) + epsilon)
/// State starts as zeros; step is 1 for the first. These are the rules of PyTorch's torch.optim
/// (SGD without dampening, RMSprop not centred, Adam without amsgrad).

#include <cmath>

#include "compiler/ops/rules.h"

namespace halcyon::compiler {

HostTensors reference(const ops::Update&, HostInputs, int64_t) {
  throw InternalError("an update has no value: it changes parameters and state in place");
}

void gradient(const ops::Update&, GradientContext& context) { context.refuse(); }

void update_reference(ops::Optimizer optimizer, const halcyon_hyper& hyper, std::vector<double>& p,
                      const std::vector<double>& g, std::span<std::vector<double>> state) {
  const ops::Update op{.optimizer = optimizer};
  bool fits = g.size() == p.size() && state.size() == static_cast<std::size_t>(op.state_slots());
  for (const std::vector<double>& slot : state) fits = fits && slot.size() == p.size();
  if (!fits) throw InternalError("update: gradient or state do not have the parameter's size");

  // Converted first: the compiled step reads the same single-precision numbers.
  const double lr = hyper.learning_rate;
  const double beta1 = hyper.momentum;
  const double beta2 = hyper.beta2;
  const double epsilon = hyper.epsilon;
  const auto step = static_cast<double>(hyper.step);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double d = g[i] + static_cast<double>(hyper.weight_decay) * p[i];
    switch (optimizer) {
      case ops::Optimizer::sgd: p[i] -= lr * d; break;
      case ops::Optimizer::momentum: {
        double& v = state[0][i];
        v = beta1 * v + d;
        p[i] -= lr * v;
        break;
      }
      case ops::Optimizer::rmsprop: {
        double& s = state[0][i];
        s = beta1 * s + (1 - beta1) * d * d;
        p[i] -= lr * d / (std::sqrt(s) + epsilon);
        break;
      }
      case ops::Optimizer::adam: {
        double& m = state[0][i];
        double& v = state[1][i];
        m = beta1 * m + (1 - beta1) * d;
        v = beta2 * v + (1 - beta2) * d * d;
        const double m_hat = m / (1 - std::pow(beta1, step));
        const double v_hat = v / (1 - std::pow(beta2, step));
        p[i] -= lr * m_hat / (std::sqrt(v_hat) + epsilon);
        break;
      }
    }
  }
}

}  // namespace halcyon::compiler
