#pragma once
/// Trains from somebody else's weights on their batches and compares what comes out: the losses of
/// all steps, and how far the parameters moved. The folder is what `lenet5_torch.py parity` writes.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/abi.h"

namespace halcyon::benchmarks {

/// What is compared with. Files: losses.json, images.npy, labels.npy, weights.safetensors,
/// trained.safetensors.
struct ParityCase {
  halcyon_optimizer optimizer = HALCYON_NO_OPTIMIZER;
  float learning_rate = 0;
  std::vector<double> losses;  ///< the other side's, one per step
  int64_t steps = 0, batch = 0;
  std::vector<float> images;    ///< [steps, batch, H, W, C]
  std::vector<int32_t> labels;  ///< [steps, batch]
  std::string initial_path, trained_path;
};

/// Errors: UserError for a missing or wrong file, or files that do not fit each other.
ParityCase read_parity_case(const std::string& folder);

struct ParityResult {
  /// A loss may differ by rounding alone. An update may differ by more: one ReLU or maximum that is
  /// decided by the last bit moves a parameter's update by about 4e-4 of its norm (measured:
  /// PyTorch against itself, the batch permuted).
  static constexpr double kLossLimit = 1e-4, kUpdateLimit = 2e-3;

  std::vector<float> losses;
  double loss_difference = 0;  ///< largest |loss - theirs| / |theirs|
  double update_difference =
      0;  ///< largest |p - theirs| / |theirs - initial| over the parameters, Euclidean norms

  bool agrees() const {  // a difference that is not a number does not agree
    return loss_difference <= kLossLimit && update_difference <= kUpdateLimit;
  }
};

/// Errors: UserError when the network has another optimizer, picture size or parameters than the
/// case.
ParityResult run_parity(const ParityCase& parity, const halcyon_network& network, int threads);

}  // namespace halcyon::benchmarks
