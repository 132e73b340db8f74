#pragma once
/// The numbers that the optimizer's kernel reads; the entry function prepares them for each step.

namespace halcyon::compiler {

enum Hyper {
  kLearningRate,
  kMomentum,
  kBeta2,
  kEpsilon,
  kWeightDecay,
  kCorrection1,  ///< Adam's 1 - momentum^step
  kCorrection2,  ///< and 1 - beta2^step; both are 1 for the other optimizers
  kHyperCount
};

}  // namespace halcyon::compiler
